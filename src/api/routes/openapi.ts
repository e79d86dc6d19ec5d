/** OpenAPI 3.1 from the very table and schemas that serve. */
import { z } from 'zod';
import type { Who } from '../people/caller.ts';
import { problem } from './problem.ts';
import type { Route } from './route.ts';

type Json = { [key: string]: unknown };

const COMPONENTS = '#/components/schemas/';

/** Schemas by name; `$defs` of each are moved here. */
class Components {
  readonly schemas: Record<string, unknown> = {};

  /** A schema whose named parts are references. */
  of(schema: z.ZodType, io: 'input' | 'output', owner: string): unknown {
    const {
      $schema: _schema,
      $defs,
      ...rest
    } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
    const { id } = rest;
    // What has no name of its own (recursive JSON values) gets one of its owner's.
    const named = (name: string): string => (name.startsWith('__') ? `${owner}${name}` : name);
    const moved = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(moved);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value as Json).flatMap(([key, inner]): [string, unknown][] => {
          if (key === 'id' && typeof inner === 'string') return [];
          if (key !== '$ref' || typeof inner !== 'string') return [[key, moved(inner)]];
          if (inner === '#') return [[key, `${COMPONENTS}${typeof id === 'string' ? id : owner}`]];
          return [
            [key, inner.replace(/^#\/\$defs\/(.+)$/, (_all, name: string) => `${COMPONENTS}${named(name)}`)],
          ];
        }),
      );
    };
    for (const [name, definition] of Object.entries(($defs as Json | undefined) ?? {}))
      this.schemas[named(name)] = moved(definition);
    if (typeof id !== 'string') return moved(rest);
    this.schemas[id] = moved(rest);
    return { $ref: `${COMPONENTS}${id}` };
  }
}

const MAY: Readonly<Record<Who, string>> = {
  anyone: 'Anyone.',
  known: 'Any person, any token.',
  read: 'Any person; tokens with scope `read`.',
  metrics: 'Any person; tokens with scope `metrics`.',
  trip: 'Any person; tokens with scope `trip`.',
  operate: 'Operators and approvers; no token.',
  administer: 'Approvers; no token.',
  person: 'Any person, for himself; no token.',
};

/** The document. */
export function openApi(routes: readonly Route[], prefix: string, version: string): unknown {
  const components = new Components();
  const paths: Record<string, Record<string, unknown>> = {};
  const problemSchema = components.of(problem, 'output', 'Problem');
  for (const route of routes) {
    const path = `${prefix}${route.path.replaceAll(/:([a-z_]+)/g, '{$1}')}`;
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route, components, problemSchema);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Portcullis',
      version,
      description:
        'The controller of an air-gap-on-demand backup appliance. No credential connects a vault: what connects needs presence at the box, or one-time codes of two people that the interlock itself verifies.',
    },
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        login: {
          type: 'apiKey',
          in: 'cookie',
          name: 'portcullis',
          description: '`__Host-portcullis` with TLS',
        },
      },
    },
  };
}

function operationOf(route: Route, components: Components, problemSchema: unknown): unknown {
  const { method, path, who, summary, params, query, body, answer } = route;
  const name = `${method.toLowerCase()}${path.replaceAll(/[^A-Za-z]+(.)?/g, (_all, next: string | undefined) => next?.toUpperCase() ?? '')}`;
  const content =
    typeof answer === 'string'
      ? { [answer]: { schema: { type: 'string' } } }
      : { 'application/json': { schema: components.of(answer, 'output', name) } };
  return {
    operationId: name,
    summary,
    description: MAY[who],
    ...(who === 'anyone' ? {} : { security: [{ token: [] }, { login: [] }] }),
    parameters: [
      ...parametersOf(params, 'path', components, name),
      ...parametersOf(query, 'query', components, name),
    ],
    ...(body === null
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: components.of(body, 'input', `${name}Body`) } },
          },
        }),
    responses: {
      '200': { description: 'Done', content },
      default: {
        description: 'Not done, and why',
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    },
  };
}

function parametersOf(
  schema: z.ZodType,
  place: 'path' | 'query',
  components: Components,
  name: string,
): unknown[] {
  const shape = components.of(schema, place === 'path' ? 'input' : 'output', `${name}${place}`) as {
    properties?: Json;
    required?: string[];
  };
  const optional = place === 'query';
  return Object.entries(shape.properties ?? {}).map(([key, inner]) => ({
    name: key,
    in: place,
    required: !optional,
    schema: inner,
  }));
}
