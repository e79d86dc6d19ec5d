/** A controller's face with an interlock that tests drive, and the real API on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { API_PREFIX, createApp } from '../../src/api/app.ts';
import { AnomalyReading } from '../../src/api/documents/anomaly-reading.ts';
import { BackOff } from '../../src/api/people/back-off.ts';
import { CodeTries } from '../../src/api/people/code-tries.ts';
import type { Desk } from '../../src/api/desk.ts';
import { EventStreams } from '../../src/api/events.ts';
import { KnownNames } from '../../src/api/routes/guard.ts';
import { identitiesOf } from '../../src/api/people/identities.ts';
import { InterlockNow } from '../../src/api/documents/interlock-now.ts';
import { Logins } from '../../src/api/people/logins.ts';
import { PeopleFile } from '../../src/api/people/people-file.ts';
import { People } from '../../src/api/people/people.ts';
import type { Role, Scope } from '../../src/api/documents/people.ts';
import { ApiRefusal } from '../../src/api/routes/refusal.ts';
import type { Route } from '../../src/api/routes/route.ts';
import { routesOf } from '../../src/api/routes/routes.ts';
import { SetupCode } from '../../src/api/people/setup-code.ts';
import { stateOf } from '../../src/api/state.ts';
import { staticPages } from '../../src/api/static-pages.ts';
import { Verifications } from '../../src/api/journal/verifications.ts';
import { configSchema, type Config } from '../../src/config/schema.ts';
import { AttendedSessions } from '../../src/controller/attended.ts';
import { Chronicle } from '../../src/controller/chronicle/chronicle.ts';
import type { ControllerFace } from '../../src/controller/face.ts';
import { interlockView } from '../../src/controller/interlock-view.ts';
import { openLedger } from '../../src/controller/ledger.ts';
import { RunningWindows } from '../../src/controller/running.ts';
import { lineHash } from '../../src/journal/chain.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { Crowd } from '../../src/listener/crowd.ts';
import { Listener } from '../../src/listener/listener.ts';
import type { InterlockClient } from '../../src/protocol/client.ts';
import { InterlockError } from '../../src/protocol/interlock-error.ts';
import type { KeptEntry } from '../../src/protocol/journal.ts';
import type { EventLine, Refusal, Status } from '../../src/protocol/messages.ts';
import { FakeInterlock } from '../controller/fake-interlock.ts';

export const PASSWORD = 'correct horse battery staple';
const BOOT = 'boot-1';
/** Entries in one answer of the fake. */
const PAGE = 100;

/** An interlock without a wire: remembers what was asked, refuses what it is told to. */
export class SilentInterlock {
  readonly asked: { readonly what: string; readonly request: unknown }[] = [];
  readonly entries: KeptEntry[] = [];
  refusals: Refusal[] = [];
  /** Thrown instead of any answer. */
  failure: InterlockError | null = null;
  readonly #shapes = new FakeInterlock('/nonexistent');

  status(): Status {
    const status = this.#shapes.status();
    const last = this.entries.at(-1);
    const head = last === undefined ? '0'.repeat(64) : lineHash(canonicalize(last) ?? '');
    return { ...status, journal: { writable: true, size: this.entries.length, head } };
  }

  /** Adds an entry that follows the chain. */
  write(type: string, data: KeptEntry['data'] = {}, more: Partial<KeptEntry> = {}): KeptEntry {
    const last = this.entries.at(-1);
    const entry: KeptEntry = {
      seq: (last?.seq ?? 0) + 1,
      boot: BOOT,
      mono: (last?.mono ?? 0) + 1_000,
      at: new Date((last === undefined ? Date.now() - 60_000 : Date.parse(last.at)) + 1_000).toISOString(),
      clock: 'synchronised',
      type,
      actor: 'interlock',
      data,
      prev: last === undefined ? '0'.repeat(64) : lineHash(canonicalize(last) ?? ''),
      ...more,
    };
    this.entries.push(entry);
    return entry;
  }

  readonly client: InterlockClient = {
    status: () => this.#do('status', null, () => this.status()),
    async *events() {},
    askLease: () => Promise.reject(new Error('no leases here')),
    journal: (type, data) => this.#do('journal', { type, data }, () => 1),
    entries: (after, limit) =>
      Promise.resolve().then(() => {
        const entries = this.entries.filter(({ seq }) => seq > after).slice(0, Math.min(limit, PAGE));
        return {
          entries,
          next_after: entries.at(-1)?.seq ?? after,
          size: this.entries.length,
          missing: null,
        };
      }),
    head: () => this.#do('head', null, () => 'a head'),
    trip: (request) => this.#do('trip', request, () => ({ links: [{ link: 'vault', written_ms: 0.4 }] })),
    drill: (source, request) =>
      this.#do('drill', { source, ...request }, () => ({
        source,
        tier: 1,
        why_not: null,
        note: null,
        verdict: 'trip' as const,
        reason: 'a drill',
        decided_ms: 1,
        links: [],
      })),
    reset: (request) => this.#do('reset', request, () => undefined),
    runWindow: (window, request) =>
      this.#do('run', { window, ...request }, () => ({ occurrence: 'by-hand', ends_in_ms: 1_000 })),
    beginSession: (request) =>
      this.#do('session', request, () => ({
        session: 's1',
        ends_in_ms: 60_000,
        take_within_ms: 5_000,
        authority: 'approvers' as const,
      })),
    endSession: (session) => this.#do('end-session', session, () => undefined),
    testLamps: (request) => this.#do('lamps', request, () => ({ ends_in_ms: 2_000 })),
  };

  #do<T>(what: string, request: unknown, answer: () => T): Promise<T> {
    this.asked.push({ what, request });
    if (this.failure !== null) return Promise.reject(this.failure);
    if (this.refusals.length > 0 && what !== 'status')
      return Promise.reject(
        new InterlockError('INTERLOCK_REFUSED', 'refused', 'see', { refusals: this.refusals }),
      );
    return Promise.resolve(answer());
  }
}

export interface Noted {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The API on a face, asked without a socket. */
export class ApiBench {
  readonly directory = mkdtempSync(join(tmpdir(), 'portcullis-api-'));
  readonly interlock = new SilentInterlock();
  readonly journal: Noted[] = [];
  readonly view = interlockView();
  readonly backOff = new BackOff();
  readonly setup = new SetupCode();
  /** Calendar time of logins, ms ahead of the real one. */
  aheadMs = 0;
  readonly #listeners = new Set<(event: EventLine | null) => void>();
  #listener: Listener | null = null;
  app!: FastifyInstance;
  desk!: Desk;
  routes!: readonly Route[];
  outside!: readonly Route[];
  people!: People;
  face!: ControllerFace;

  async start(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const config = this.config(more);
    const chronicle = new Chronicle({
      client: this.interlock.client,
      disk: nodeDisk,
      directory: this.directory,
      voice: { note: () => undefined },
    });
    this.face = {
      config,
      build: 'test',
      client: this.interlock.client,
      view: this.view,
      voice: { note: () => undefined },
      ledger: await openLedger(nodeDisk, this.directory),
      chronicle,
      attended: new AttendedSessions(this.interlock.client, { note: () => undefined }, () => this.tell(null)),
      running: new RunningWindows(),
      reports: [],
      reportsDirectory: this.directory,
      notifications: () => [],
      tell: () => undefined,
      journal: (type, data) => void this.journal.push({ type, data }),
      listen: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
    this.people = new People(new PeopleFile(this.directory));
    const logins = new Logins(this.people, this.directory, () => Date.now() + this.aheadMs);
    await logins.load();
    const interlock = new InterlockNow(this.face);
    const { face } = this;
    const anomalies = new AnomalyReading(this.directory);
    this.desk = {
      face,
      interlock,
      anomalies,
      people: this.people,
      logins,
      backOff: this.backOff,
      codeTries: new CodeTries(),
      setup: this.setup,
      streams: new EventStreams({
        chronicle,
        state: async () => JSON.stringify(stateOf(face, await interlock.known(), await anomalies.held())),
        changes: (listener) => face.listen(() => listener()),
      }),
      verifications: new Verifications(
        () => ({ socketPath: '/nonexistent', build: 'test', vkey: null }),
        () => undefined,
      ),
      shown: { fingerprint: null },
      configFile: null,
      beganWith: null,
    };
    const { routes, outside } = routesOf(this.desk, API_PREFIX);
    this.routes = routes;
    this.outside = outside;
    this.app = createApp({
      routes,
      outside,
      names: new KnownNames(['box.example']),
      identities: identitiesOf(this.people, logins),
      page: await staticPages(join(this.directory, 'dashboard')),
      refused: (who, what, code) => void this.journal.push({ type: 'refused', data: { who, what, code } }),
      surprised: (error) => {
        if (!(error instanceof ApiRefusal)) throw error;
      },
    });
    await this.app.ready();
    this.hear();
  }

  /** Listens on loopback, as the controller does. */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    const listener = new Listener({
      handle: (request, response) => this.app.routing(request, response),
      disturbed: () => undefined,
      crowd: new Crowd({ together: 500, perAddress: 500 }),
    });
    const [place] = await listener.listen([{ host: '127.0.0.1', port: 0, secure: false }]);
    if (place === undefined) throw new Error('it does not listen');
    this.#listener = listener;
    return place;
  }

  /** The interlock is heard, and its journal read. */
  hear(): void {
    const status = this.interlock.status();
    this.view.hear({ event: 'hello', status });
    this.face.chronicle.told(status.journal.size);
    this.tell(null);
  }

  tell(event: EventLine | null): void {
    for (const listener of this.#listeners) listener(event);
  }

  async stop(): Promise<void> {
    this.desk.streams.stop();
    await this.desk.verifications.stop();
    await this.face.chronicle.stop();
    await this.desk.logins.settled();
    await this.#listener?.close();
    await this.app.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  config(more: Readonly<Record<string, unknown>>): Config {
    return configSchema.parse({
      state_directory: this.directory,
      runtime_directory: this.directory,
      controller: { listen: '127.0.0.1:0', state_directory: this.directory },
      links: { vault: { contacts: [] } },
      sources: {
        demo: { verify: { type: 'bearer', token_file: '/x' }, format: 'generic', trips: ['vault'] },
      },
      repositories: { main: { url: '/vault', password_file: '/x' } },
      windows: {
        nightly: {
          link: 'vault',
          opens: '* * * * *',
          timezone: 'UTC',
          lasts: '1h',
          steps: [{ backup: { repository: 'main', paths: ['/data'] } }],
        },
      },
      approvers: { ada: { secret_file: '/x' } },
      ...more,
    });
  }

  /** One request, as a program on this machine sends it. */
  ask(
    method: NonNullable<InjectOptions['method']>,
    path: string,
    { body, headers = {} }: { readonly body?: unknown; readonly headers?: Record<string, string> } = {},
  ): Promise<LightMyRequestResponse> {
    const options: InjectOptions = {
      method,
      url: path,
      headers: { host: '127.0.0.1:8480', ...headers },
    };
    if (body !== undefined) {
      options.payload = JSON.stringify(body);
      options.headers = { 'content-type': 'application/json', ...options.headers };
    }
    return this.app.inject(options);
  }

  /** A person of this role, made and logged in: the headers of his browser. */
  async personOf(role: Role, name = `the-${role}`): Promise<Record<string, string>> {
    if ((await this.people.person(name)) === null) await this.people.add({ name, role, password: PASSWORD });
    return this.login(name);
  }

  async login(name: string, password = PASSWORD): Promise<Record<string, string>> {
    const answer = await this.ask('POST', '/api/v1/login', { body: { name, password } });
    const cookie = String(answer.headers['set-cookie'] ?? '').split(';', 1)[0] ?? '';
    if (answer.statusCode !== 200) throw new Error(`no login: ${answer.body}`);
    return { cookie };
  }

  async tokenOf(scopes: readonly Scope[], days = 1): Promise<Record<string, string>> {
    const { secret } = await this.people.addToken({ label: scopes.join('-'), scopes, days, by: 'test' });
    return { authorization: `Bearer ${secret}` };
  }
}
