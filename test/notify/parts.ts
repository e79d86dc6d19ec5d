/** What the tests of notifications share: statuses, servers that misbehave, waiting. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LinkStatus } from '../../src/protocol/messages.ts';
import type { Draft, Notice } from '../../src/controller/notify/notice.ts';

export const AT = '2026-11-21T03:04:05.000Z';

/** A link at rest, and what differs. */
export const link = (change: Partial<LinkStatus> = {}): LinkStatus => ({
  link: 'vault',
  state: 'isolated',
  since: AT,
  commanded: 'isolated',
  observed: 'isolated',
  proof: 'witness',
  evidence_grade: 'bench',
  indicators: [],
  ratings: {},
  lease: null,
  latch: null,
  last_trip: null,
  session: null,
  reset_needs: [],
  session_needs: [],
  proofs: [],
  commissioning: { state: 'passed', at: AT, grade: 'field' },
  heartbeats: [],
  refusals: [],
  exposure: { last_24h_ms: 0, budget_ms: 14_400_000 },
  ...change,
});

export const draft = (change: Partial<Draft> = {}): Draft => ({
  type: 'portcullis.link.alarm',
  severity: 'warning',
  link: 'vault',
  window: null,
  title: 'vault: proof-failed',
  text: 'One contact alone was not seen to isolate.',
  hint: 'Repair it.',
  data: { code: 'proof-failed' },
  repeats: null,
  ...change,
});

export const notice = (id: string, change: Partial<Draft> = {}): Notice => ({ ...draft(change), id, at: AT });

/** Polls until `look` gives something; fails with `what` after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  look: () => T | null | undefined | false,
  timeoutMs = 20_000,
): Promise<T> {
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > endsAt) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    // oxlint-disable-next-line no-await-in-loop -- polling
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A request as it came. */
export interface Got {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Reply = (answer: ServerResponse, got: Got) => void;

/** An HTTP server on a free port of loopback that answers as told. */
export class Receiver {
  readonly got: Got[] = [];
  reply: Reply = (answer) => answer.end('ok');
  readonly #server: Server;

  constructor(
    make: (listener: (request: IncomingMessage, answer: ServerResponse) => void) => Server = createServer,
  ) {
    this.#server = make((request, answer) => void this.#take(request, answer));
  }

  async #take(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const got = {
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(pieces).toString('utf8'),
    };
    this.got.push(got);
    this.reply(answer, got);
  }

  async start(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
