/** Composition root of the API: a controller's face in, a listening server out. */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { placesOf } from '../config/schema/listener.ts';
import type { Config } from '../config/schema.ts';
import { ControllerFault } from '../controller/fault.ts';
import { peopleUnreadable } from '../controller/notify/texts.ts';
import type { ControllerFace, Serve, Served } from '../controller/face.ts';
import { readVkey } from '../journal/heads.ts';
import { Crowd } from '../listener/crowd.ts';
import { Listener } from '../listener/listener.ts';
import { startListener, type CertificateNote } from '../listener/start.ts';
import { INTERLOCK_SOCKET } from '../protocol/messages.ts';
import { API_PREFIX, createApp } from './app.ts';
import { AnomalyReading } from './documents/anomaly-reading.ts';
import { BackOff } from './people/back-off.ts';
import { CodeTries } from './people/code-tries.ts';
import type { Desk } from './desk.ts';
import { EventStreams } from './events.ts';
import { KnownNames } from './routes/guard.ts';
import { identitiesOf } from './people/identities.ts';
import { InterlockNow } from './documents/interlock-now.ts';
import { Logins } from './people/logins.ts';
import { People } from './people/people.ts';
import { PeopleFile } from './people/people-file.ts';
import { RefusalNotes } from './routes/refusal-notes.ts';
import { routesOf } from './routes/routes.ts';
import { SetupCode } from './people/setup-code.ts';
import { stateOf } from './state.ts';
import { staticPages } from './static-pages.ts';
import { Verifications } from './journal/verifications.ts';

const WHO_AM_I = `GET ${API_PREFIX}/me`;
/** Where Vite puts the dashboard. */
const DASHBOARD = join(import.meta.dirname, '..', '..', 'dist', 'dashboard');
const BUILT_DASHBOARD = join(import.meta.dirname, '..', 'dashboard');
/** Connections, together and from one address: fifty pages behind one proxy, each with a stream and a few requests. */
const CROWD = { together: 512, perAddress: 320 };

export interface ApiOptions {
  /** The file that the controller was started from. */
  readonly configFile?: string;
  /** Default: `dist/dashboard`. */
  readonly pages?: string;
  /** Printed where somebody at the box reads it. Default: a line in the log. */
  readonly announce?: (line: string) => void;
}

/** Serves API and dashboard for a controller. */
export const serveApi =
  (options: ApiOptions = {}): Serve =>
  (face) =>
    startApi(face, options);

async function startApi(face: ControllerFace, options: ApiOptions): Promise<Served> {
  const { config, voice } = face;
  const state = config.controller.state_directory;
  const people = new People(new PeopleFile(state, (problem) => peopleTurned(face, problem)));
  // Unreadable, it lets nobody in, which is told; windows need no people.
  const accounts = await people.people().catch(() => null);
  const logins = new Logins(people, state);
  await logins.load();
  const desk = await deskOf(face, options, people, logins);
  const notes = new RefusalNotes((type, data) => face.journal(type, data));
  const { routes, outside } = routesOf(desk, API_PREFIX);
  const app = createApp({
    routes,
    outside,
    names: new KnownNames(namesOf(config)),
    identities: identitiesOf(people, logins),
    page: await staticPages(options.pages ?? (import.meta.url.endsWith('.ts') ? DASHBOARD : BUILT_DASHBOARD)),
    refused: (who, what, code, from) => {
      // Every page asks who one is before anybody has logged in.
      if (what !== WHO_AM_I) notes.refused(who, what, code, from);
    },
    surprised: (error, what) => voice.note('error', `the API failed at ${what}`, { why: String(error) }),
  });
  await app.ready();
  const running = await listen(
    config,
    (request, response) => app.routing(request, response),
    voice,
    (note) => {
      if (note.kind !== 'refused') desk.shown.fingerprint = note.fingerprint;
    },
  );
  const url = running.urls[0] ?? '';
  const announce = options.announce ?? ((line: string) => voice.note('warn', line));
  if (running.fingerprint !== null)
    announce(`the SHA-256 fingerprint of the controller's certificate is ${running.fingerprint}`);
  if (accounts?.length === 0)
    announce(
      `nobody has an account yet: open ${url} and make the first one with the setup code ${desk.setup.text}`,
    );
  return {
    url,
    async stop() {
      desk.streams.stop();
      notes.stop();
      await desk.verifications.stop();
      await logins.settled();
      await running.close();
      await app.close();
    },
  };
}

/** The file of people broke, or is whole again: whoever is on call must know before somebody has to log in. */
function peopleTurned({ journal, voice, tell }: ControllerFace, problem: string | null): void {
  if (problem === null) {
    voice.note('info', 'accounts and tokens can be read again');
    return journal('controller.people-readable', {});
  }
  voice.note('error', `nobody can log in: ${problem}`, { code: 'people-unreadable' });
  journal('controller.people-unreadable', { why: problem });
  tell(peopleUnreadable(problem));
}

async function deskOf(
  face: ControllerFace,
  { configFile }: ApiOptions,
  people: People,
  logins: Logins,
): Promise<Desk> {
  const { config } = face;
  const interlock = new InterlockNow(face);
  const anomalies = new AnomalyReading(config.controller.state_directory);
  const streams = new EventStreams({
    chronicle: face.chronicle,
    state: async () => JSON.stringify(stateOf(face, await interlock.known(), await anomalies.held())),
    changes: (listener) =>
      face.listen((event) => {
        if (event?.event === 'alive') return;
        if (event !== null) interlock.stale();
        listener();
      }),
  });
  const vkey = await readVkey(join(config.state_directory, 'journal')).catch(() => null);
  const socketPath = join(config.runtime_directory, INTERLOCK_SOCKET);
  const verifications = new Verifications(
    () => ({ socketPath, build: face.build, vkey }),
    ({ state, by, entries, problems }) =>
      face.journal('controller.journal-verified', { by, state, entries, problems: problems.slice(0, 5) }),
  );
  const file = configFile ?? null;
  const beganWith = file === null ? null : await readFile(file, 'utf8').catch(() => null);
  const backOff = new BackOff();
  return {
    face,
    interlock,
    anomalies,
    people,
    logins,
    backOff,
    codeTries: new CodeTries(),
    setup: new SetupCode(),
    streams,
    verifications,
    shown: { fingerprint: null },
    configFile: file,
    beganWith,
  };
}

/** Names of this box, besides its addresses. */
function namesOf(config: Config): string[] {
  const own = hostname();
  return [own, `${own.split('.')[0] ?? own}.local`, ...config.controller.names];
}

async function listen(
  config: Config,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  voice: ControllerFace['voice'],
  noted: (note: CertificateNote) => void,
): ReturnType<typeof startListener> {
  const listener = new Listener({
    handle,
    crowd: new Crowd(CROWD),
    disturbed: (what) => {
      if (what.kind === 'crowded')
        voice.note('warn', 'too many connections to the controller', { from: what.from });
    },
  });
  const { tls, state_directory: stateDirectory } = config.controller;
  const settings = { places: placesOf(config.controller), tls: tls ?? null, stateDirectory };
  try {
    return await startListener(listener, settings, (note) => {
      noted(note);
      voice.note('info', sentenceOf(note), { ...note });
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ControllerFault(
      'LISTEN_FAILED',
      why.startsWith('cannot listen') ? why : `cannot listen: ${why}`,
      'is another controller running? See `controller.listen` and `controller.tls` in the configuration',
      error,
    );
  }
}

function sentenceOf(note: CertificateNote): string {
  switch (note.kind) {
    case 'shown':
      return 'the controller shows its certificate';
    case 'renewed':
      return 'the controller shows a new certificate';
    case 'refused':
      return 'a certificate that changed cannot be used; the one before stays';
  }
}
