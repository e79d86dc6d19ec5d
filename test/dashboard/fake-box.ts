/** A box that says what a test tells it to, over real HTTP, with the headers of the real one. For states that are hard to reach. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { SECURITY_HEADERS } from '../../src/api/routes/guard.ts';
import type { JournalEntry, JournalPage } from '../../src/api/documents/journal.ts';
import type { Me } from '../../src/api/documents/people.ts';
import type { Problem } from '../../src/api/routes/problem.ts';
import type { State } from '../../src/api/documents/state-document.ts';
import type { Configuration } from '../../src/api/documents/work.ts';
import { STATES, type StateName } from './documents.ts';
import { entryOf, historyOf, SOURCES } from './past.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Somebody with every role. */
export const ADA: Me = {
  kind: 'person',
  name: 'ada',
  role: 'approver',
  may: ['read', 'metrics', 'trip', 'operate', 'administer'],
  approver: true,
  session: { idle_ends_in_ms: 1_800_000, ends_in_ms: 43_200_000 },
};

/** What was asked of the box. */
export interface Asked {
  readonly what: string;
  readonly body: unknown;
}

type Answer = { readonly status: number; readonly body: unknown };

export class FakeBox {
  readonly asked: Asked[] = [];
  /** Answers to `METHOD /path`, before all others. */
  readonly answers = new Map<string, Answer | 'none'>();
  state: State;
  entries: JournalEntry[] = Array.from({ length: 40 }, (_, index) =>
    entryOf(48_213 - index, index === 3 ? 'link.tripped' : 'link.isolated'),
  );
  me: Me | 'login-needed' | 'login-idle' | 'setup-needed' = ADA;
  /** Streams get `alive` each second; false: the box has fallen silent, and keeps its connections. */
  speaks = true;
  readonly streams = new Set<ServerResponse>();
  /** Streams that were ever asked for. */
  streamsBegun = 0;
  readonly #server: Server;
  readonly #pages: string;
  #alive: NodeJS.Timeout | undefined;
  url = '';

  constructor(pages: string, name: StateName = 'isolated') {
    this.#pages = pages;
    this.state = STATES[name]();
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
    this.#alive = setInterval(() => this.say('alive', { at: new Date().toISOString() }), 1_000);
  }

  async stop(): Promise<void> {
    clearInterval(this.#alive);
    const stopped = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await stopped;
  }

  /** The box stands like this from now on. */
  become(state: State): void {
    this.state = state;
    this.say('state', state);
  }

  /** An event to every stream. */
  say(event: string, data: unknown, id?: number): void {
    if (!this.speaks) return;
    const text = `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const stream of this.streams) stream.write(text);
  }

  /** A new entry, told to every stream. */
  record(entry: JournalEntry): void {
    this.entries = [entry, ...this.entries].slice(0, 1_000);
    this.say('journal', { entries: [entry], gap: false }, entry.seq);
  }

  /** Whether this was asked; as `POST /trip`. */
  wasAsked(what: string): boolean {
    return this.asked.some((each) => each.what === what);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    if (!pathname.startsWith('/api/v1/')) return this.#page(pathname, response);
    const what = `${request.method} ${pathname.slice('/api/v1'.length)}`;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    this.asked.push({ what, body: text === '' ? null : (JSON.parse(text) as unknown) });
    if (what === 'GET /events' && typeof this.me === 'object') return this.#stream(response);
    const answer = this.answers.get(what) ?? this.#answer(what, searchParams);
    if (answer === 'none') return request.socket.destroy() as unknown as undefined;
    const type = answer.status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(answer.status, { 'content-type': type }).end(JSON.stringify(answer.body));
    return undefined;
  }

  #stream(response: ServerResponse): void {
    this.streamsBegun += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.streams.add(response);
    response.once('close', () => this.streams.delete(response));
    if (this.speaks) response.write(`event: state\ndata: ${JSON.stringify(this.state)}\n\n`);
  }

  #page(path: string, response: ServerResponse): void {
    const file = join(this.#pages, normalize(path === '/' ? '/index.html' : path));
    try {
      response
        .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' })
        .end(readFileSync(file));
    } catch {
      response.writeHead(404).end(); // the browser asks for what is not there
    }
  }

  #answer(what: string, query: URLSearchParams): Answer {
    const ok = (body: unknown): Answer => ({ status: 200, body });
    const isFree =
      what === 'POST /login' || what === 'POST /setup' || (this.me === 'login-idle' && what === 'POST /trip');
    if (typeof this.me === 'string' && !isFree)
      return { status: 401, body: problem(401, this.me, 'this needs a login or a token') };
    switch (what) {
      case 'POST /login':
      case 'POST /setup':
        this.me = ADA;
        return ok(this.me);
      case 'DELETE /login':
        this.me = 'login-needed';
        return ok({});
      case 'GET /me':
        return ok(this.me);
      case 'GET /state':
        return ok(this.state);
      case 'POST /trip': {
        const links = this.state.links.map(({ link }) => ({ link, written_ms: 3.2 }));
        return ok({ latched: true, links });
      }
      case 'GET /journal':
        return ok(this.#journal(query));
      case 'GET /history':
        return ok(historyOf(Number(query.get('days') ?? '30')));
      case 'GET /sources':
        return ok(SOURCES);
      case 'GET /configuration':
        return ok(CONFIGURATION);
      case 'GET /reports':
        return ok({ reports: REPORTS, next: null });
      case 'GET /people':
        return ok(PEOPLE);
      case 'GET /tokens':
        return ok(TOKENS);
      default:
        return { status: 404, body: problem(404, 'no-such-address', `nothing is served at ${what}`) };
    }
  }

  #journal(query: URLSearchParams): JournalPage {
    const type = query.get('type') ?? '';
    const text = (query.get('text') ?? '').toLowerCase();
    const entries = this.entries.filter(
      (entry) => entry.type.startsWith(type) && JSON.stringify(entry).toLowerCase().includes(text),
    );
    return { entries: entries.slice(0, 100), next: null, size: 48_213, head: '9f3c1a77be02d4e1' };
  }
}

/** An answer that is no. */
export const problem = (
  status: number,
  code: string,
  detail: string,
  refusals: Problem['refusals'] = [],
): Problem => ({
  type: 'about:blank',
  title: 'No',
  status,
  code,
  detail,
  hint: 'look at the journal',
  refusals,
});

const CONFIGURATION: Configuration = {
  tls_fingerprint: Array.from({ length: 32 }, () => 'A7').join(':'),
  file: '/etc/portcullis/portcullis.yaml',
  text: 'state_directory: /var/lib/portcullis\nlinks:\n  vault:\n    contacts:\n      - { name: relay, profile: waveshare/modbus-rtu-relay-8ch, bus: board, unit: 1, channel: 1 }\n    settle: 3s\n    exposure_budgt: 4h\n',
  why: null,
  modified_at: '2026-11-20T10:00:00.000Z',
  changed: true,
  result: 'invalid',
  problems: [
    {
      severity: 'error',
      line: 7,
      column: 5,
      path: 'links.vault.exposure_budgt',
      what: 'there is no key exposure_budgt here',
      hint: 'did you mean exposure_budget?',
    },
  ],
};

const report = (hours: number, outcome: string, why: string | null): object => ({
  window: 'nightly',
  link: 'vault',
  occurrence: String(hours),
  started_at: new Date(Date.now() - hours * 3_600_000).toISOString(),
  finished_at: new Date(Date.now() - (hours - 0.7) * 3_600_000).toISOString(),
  outcome,
  why,
  exposure_seconds: 2_460,
  isolation_proven: true,
  bytes_added: 1_240_000_000,
});
const REPORTS = [
  report(6, 'failed', 'the repository is locked by another process since 02:31'),
  report(30, 'done', null),
  report(54, 'partly-done', '2 files could not be read'),
];
const PEOPLE = {
  people: [
    {
      name: 'ada',
      role: 'approver',
      created_at: '2026-01-02T10:00:00Z',
      last_login_at: new Date().toISOString(),
      sessions: 1,
    },
    { name: 'grace', role: 'operator', created_at: '2026-01-02T10:00:00Z', last_login_at: null, sessions: 0 },
  ],
};
const TOKENS = {
  tokens: [
    {
      id: 't1',
      label: 'prometheus',
      scopes: ['metrics'],
      created_at: '2026-01-02T10:00:00Z',
      created_by: 'ada',
      expires_at: '2027-01-02T10:00:00Z',
      last_used_at: new Date().toISOString(),
    },
  ],
};
