/**
 * The interlock's side of the wire, and nothing else of it: speaks `messages.ts` over a Unix socket, every message checked
 * against the same schemas in both directions. Tests drive it by hand.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { buildId } from '../../src/protocol/build.ts';
import { journaled, journalPage, journalRequest } from '../../src/protocol/journal.ts';
import {
  BUILD_HEADER,
  eventLine,
  leaseLine,
  leaseRequest,
  linkStatus,
  refused,
  renewed,
  status as statusShape,
  tripDone,
  tripRequest,
} from '../../src/protocol/messages.ts';
import type {
  EventLine,
  LeaseLine,
  LinkStatus,
  Refusal,
  Status,
  TripRecord,
} from '../../src/protocol/messages.ts';

const LINK = 'vault';
const RENEW_EVERY_MS = 200;
const LEASE_TIMEOUT_MS = 3_000;

interface HeldLease {
  readonly id: string;
  readonly stream: ServerResponse;
  endsAtMs: number;
  timer: NodeJS.Timeout;
}

export class FakeInterlock {
  build = buildId();
  /** True where the other side is another process: it may be a moment younger, and an editor may have saved in between. */
  adoptsBuild = false;
  /** Set to refuse the next leases. */
  refusals: Refusal[] = [];
  /** Called when the link is driven; a test connects its path here. */
  onConnect: () => void = () => undefined;
  onIsolate: () => void = () => undefined;
  /** False: the lease is granted but evidence never says connected. */
  provesConnected = true;
  /** False: requests are taken and never answered, streams fall silent. */
  answers = true;
  /** False: journal entries are refused. */
  takesJournal = true;

  readonly journal: { type: string; data: Record<string, unknown> }[] = [];
  readonly requests: string[] = [];
  renewals = 0;
  leaseRequests = 0;
  readonly ends: string[] = [];
  held: HeldLease | null = null;
  latch: TripRecord | null = null;
  window: { window: string; occurrence: string; endsAtMs: number } | null = null;

  readonly #socketPath: string;
  readonly #events = new Set<ServerResponse>();
  #server = createServer();
  #alive: NodeJS.Timeout | undefined;
  #leases = 0;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async start(): Promise<void> {
    this.#server = createServer((request, answer) => void this.#answer(request, answer));
    await new Promise<void>((resolve) => this.#server.listen(this.#socketPath, resolve));
    this.#alive = setInterval(() => this.tell({ event: 'alive', journal_size: this.journal.length }), 500);
  }

  async stop(): Promise<void> {
    clearInterval(this.#alive);
    this.#end('interlock-gone', false);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#events.clear();
  }

  tell(event: EventLine): void {
    if (!this.answers) return;
    const line = `${JSON.stringify(eventLine.parse(event))}\n`;
    for (const stream of this.#events) stream.write(line);
  }

  openWindow(window: string, occurrence: string, lastsMs: number): void {
    this.window = { window, occurrence, endsAtMs: performance.now() + lastsMs };
    this.tell({ event: 'window-opened', window, link: LINK, occurrence, ends_in_ms: lastsMs, by_hand: null });
  }

  closeWindow(why: string): void {
    if (this.window === null) return;
    const { window, occurrence } = this.window;
    this.window = null;
    this.tell({ event: 'window-closed', window, occurrence, why });
  }

  /** Cuts, latches, tells. */
  trip(by: string, reason: string): void {
    this.onIsolate();
    this.latch = { by, reason, at: new Date().toISOString() };
    this.tell({ event: 'tripped', link: LINK, trip: this.latch, cut_ms: 0.5 });
    this.#end('tripped', true);
    this.tell({ event: 'link', link: this.link() });
  }

  reset(): void {
    this.latch = null;
    this.tell({ event: 'link', link: this.link() });
  }

  /** Ends the lease as the interlock does by itself. */
  endLease(why: string): void {
    this.onIsolate();
    this.#end(why, true);
  }

  link(): LinkStatus {
    const isConnected = this.held !== null && this.provesConnected;
    const isTripped = this.latch !== null;
    return linkStatus.parse({
      link: LINK,
      state: isTripped
        ? 'tripped'
        : isConnected
          ? 'connected'
          : this.held === null
            ? 'isolated'
            : 'connecting',
      since: new Date().toISOString(),
      commanded: this.held === null ? 'isolated' : 'connected',
      observed: isConnected ? 'connected' : this.held === null ? 'isolated' : 'unknown',
      proof: 'witness',
      evidence_grade: 'simulated',
      indicators: [],
      ratings: {},
      lease:
        this.held === null
          ? null
          : {
              id: this.held.id,
              holder: 'controller',
              ends_in_ms: Math.max(0, this.held.endsAtMs - performance.now()),
            },
      latch: this.latch,
      heartbeats: [],
      refusals: isTripped
        ? [{ code: 'tripped', why: 'the link is latched', hint: 'reset it' }]
        : this.refusals,
      proofs: [],
      commissioning: { state: 'passed', at: '2026-01-01T00:00:00.000Z', grade: 'simulated' },
      last_trip: null,
      session: null,
      reset_needs: [],
      session_needs: [],
      exposure: { last_24h_ms: 0, budget_ms: 3_600_000 },
    });
  }

  status(): Status {
    const { window } = this;
    const open =
      window === null
        ? null
        : { occurrence: window.occurrence, ends_in_ms: Math.max(0, window.endsAtMs - performance.now()) };
    return statusShape.parse({
      build: this.build,
      boot_id: 'boot',
      at: new Date().toISOString(),
      clock: { synchronised: true, detail: 'test' },
      journal: { writable: true, size: this.journal.length, head: '' },
      links: [this.link()],
      windows: [
        {
          window: window?.window ?? 'nightly',
          link: LINK,
          next_opens: null,
          open,
          by_hand: 'presence',
          run_needs: [],
        },
      ],
      approvers: [],
      sources: [],
    });
  }

  async #answer(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const what = `${request.method ?? ''} ${request.url ?? ''}`;
    this.requests.push(what);
    if (!this.answers) return;
    const theirs = request.headers[BUILD_HEADER];
    if (this.adoptsBuild && typeof theirs === 'string') this.build = theirs;
    answer.setHeader(BUILD_HEADER, this.build);
    if (theirs !== this.build) {
      return this.#refuse(answer, [{ code: 'build-differs', why: 'another build', hint: 'restart both' }]);
    }
    const body = await bodyOf(request);
    if (what === 'GET /v1/status') return json(answer, this.status());
    if (what === 'GET /v1/events') {
      answer.writeHead(200, { 'content-type': 'application/x-ndjson' });
      answer.write(`${JSON.stringify(eventLine.parse({ event: 'hello', status: this.status() }))}\n`);
      this.#events.add(answer);
      answer.on('close', () => this.#events.delete(answer));
      return;
    }
    if (what === 'POST /v1/trip') {
      const { by, reason } = tripRequest.parse(body);
      this.trip(`person:${by}`, reason);
      return json(answer, tripDone.parse({ links: [{ link: LINK, written_ms: 0.1 }] }));
    }
    if (what.startsWith('GET /v1/journal?')) {
      const size = this.journal.length;
      return json(answer, journalPage.parse({ entries: [], next_after: size, size, missing: null }));
    }
    if (what === 'POST /v1/journal') {
      if (!this.takesJournal)
        return this.#refuse(answer, [{ code: 'journal-broken', why: 'full', hint: 'free space' }]);
      this.journal.push(journalRequest.parse(body));
      return json(answer, journaled.parse({ seq: this.journal.length }));
    }
    if (what === 'POST /v1/leases') return this.#grant(leaseRequest.parse(body), answer);
    const id = /^\/v1\/leases\/([^/]+)/.exec(request.url ?? '')?.[1];
    if (id === undefined || this.held?.id !== id) {
      return this.#refuse(answer, [{ code: 'lease-over', why: 'no such lease', hint: 'ask anew' }]);
    }
    if (request.method === 'DELETE') {
      this.endLease('released');
      this.tell({ event: 'link', link: this.link() });
      return json(answer, {});
    }
    this.renewals += 1;
    this.held.timer.refresh();
    return json(answer, renewed.parse({ ends_in_ms: Math.max(0, this.held.endsAtMs - performance.now()) }));
  }

  #grant(request: z.output<typeof leaseRequest>, answer: ServerResponse): void {
    this.leaseRequests += 1;
    const { window } = this;
    if (window === null || !('window' in request) || window.occurrence !== request.occurrence)
      return this.#refuse(answer, [{ code: 'outside-window', why: 'no window', hint: 'wait' }]);
    const { refusals } = this.link();
    if (refusals.length > 0) return this.#refuse(answer, refusals);
    this.#leases += 1;
    const id = `lease-${this.#leases}`;
    const lapse = (): void => {
      if (this.answers && this.held?.id === id) this.endLease('lease-lapsed');
    };
    this.held = { id, stream: answer, endsAtMs: window.endsAtMs, timer: setTimeout(lapse, LEASE_TIMEOUT_MS) };
    answer.writeHead(200, { 'content-type': 'application/x-ndjson' });
    answer.on('close', () => {
      if (this.held?.id === id) {
        this.onIsolate();
        this.#end('stream-closed', true);
      }
    });
    const ends_in_ms = window.endsAtMs - performance.now();
    this.#line({ event: 'granted', lease: id, ends_in_ms, renew_every_ms: RENEW_EVERY_MS });
    this.onConnect();
    this.tell({ event: 'link', link: this.link() });
    if (this.provesConnected) this.#line({ event: 'connected' });
  }

  #line(line: LeaseLine): void {
    this.held?.stream.write(`${JSON.stringify(leaseLine.parse(line))}\n`);
  }

  #end(why: string, tells: boolean): void {
    const { held } = this;
    if (held === null) return;
    clearTimeout(held.timer);
    if (tells) this.#line({ event: 'over', why });
    this.held = null;
    this.ends.push(why);
    if (tells) {
      held.stream.end();
      this.tell({ event: 'link', link: this.link() });
    } else held.stream.destroy();
  }

  #refuse(answer: ServerResponse, refusals: Refusal[]): void {
    answer.statusCode = 409;
    json(answer, refused.parse({ refusals }));
  }
}

function json(answer: ServerResponse, value: unknown): void {
  answer.setHeader('content-type', 'application/json');
  answer.end(JSON.stringify(value));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  return pieces.length === 0 ? null : JSON.parse(Buffer.concat(pieces).toString('utf8'));
}
