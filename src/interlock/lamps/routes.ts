/** The lamp test, over either socket: it connects nothing and hides nothing for longer than a moment. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Refusal } from '../../core/link.ts';
import { lampTestRequest } from '../../protocol/lamps.ts';
import type { Interlock } from '../interlock.ts';

const noLamps: Refusal = {
  code: 'lamps-missing',
  why: 'this box has no lamps',
  hint: 'see `lamps` in the configuration, and restart the interlock after a change',
};

/** Adds `POST /v1/lamps/test`. `actor`: whatever somebody calls himself, as the journal takes it. */
export function addLampTest(
  app: FastifyInstance,
  { parts: { lamps } }: Interlock,
  refuse: (request: FastifyRequest, reply: FastifyReply, status: number, refusal: Refusal) => FastifyReply,
  actor: (by: string) => string,
): void {
  app.post('/v1/lamps/test', (request, reply) => {
    const { by } = lampTestRequest.parse(request.body);
    if (lamps === undefined) return refuse(request, reply, 404, noLamps);
    const refusal = lamps.test(actor(by));
    if (refusal !== null) return refuse(request, reply, 409, refusal);
    return reply.send({ ends_in_ms: lamps.status(false).test_ends_in_ms ?? 0 });
  });
}
