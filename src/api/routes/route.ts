/** One route: everything that the server, the documentation and the tests of authorisation need to know of it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Caller, Who } from '../people/caller.ts';

/** One request, checked. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** A route under `/api/v1`. Parameters in the path are written `:name`. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly who: Who;
  /** One sentence, for the documentation. */
  readonly summary: string;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  /** `null` without one. */
  readonly body: z.ZodType | null;
  /** What 200 answers; a content type when the handler writes something other than JSON. */
  readonly answer: z.ZodType | string;
  readonly bodyLimitBytes?: number;
  readonly handle: (call: Call) => unknown;
}

const nothing = z.strictObject({});

/** A route whose handler gets what its schemas give. */
export function route<
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = z.ZodNull,
  Answer extends z.ZodType | string = z.ZodType,
>(definition: {
  readonly method: Route['method'];
  readonly path: string;
  readonly who: Who;
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: Answer;
  readonly bodyLimitBytes?: number;
  readonly handle: (
    call: Call<z.output<Params>, z.output<Query>, z.output<Body>>,
  ) => Answer extends z.ZodType ? z.input<Answer> | Promise<z.input<Answer>> : unknown;
}): Route {
  const { params = nothing, query = nothing, body = null } = definition;
  // The server hands over what the very schemas gave: the types meet there.
  const handle = definition.handle as (call: Call) => unknown;
  return { ...definition, params, query, body, handle };
}

/** A name in a path. */
export const pathName = z.string().min(1).max(200);
