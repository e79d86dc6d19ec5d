/** Composition root of the interlock: isolates first, then reads what the last life left behind, then listens. */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cut } from '../contacts/cut.ts';
import { createHardware, type Hardware } from '../contacts/drivers.ts';
import type { LinkSettings } from '../contacts/hardware-settings.ts';
import { ratedContacts } from '../contacts/rated.ts';
import type { Profile } from '../contacts/profile.ts';
import { placesOf } from '../config/schema/listener.ts';
import type { Config } from '../config/schema.ts';
import type { Policy } from '../core/link.ts';
import { rateAll } from '../core/rating.ts';
import { nodeDisk } from '../journal/disk.ts';
import { openJournal } from '../journal/file.ts';
import { openHeadKey, signHead } from '../journal/heads.ts';
import { JOURNAL_DIRECTORY } from '../journal/names.ts';
import { JournalPages } from '../journal/page.ts';
import { startListener } from '../listener/start.ts';
import { buildId } from '../protocol/build.ts';
import { INTERLOCK_SOCKET, PRESENCE_SOCKET } from '../protocol/messages.ts';
import { Approvers } from './rights/approvers.ts';
import { configuredButton } from './button/parts.ts';
import { machineClock, readBootId, type Clock } from './clock.ts';
import { clockTrust } from './clock-trust.ts';
import { CommissioningBook, COMMISSIONING_DIRECTORY, plansOf } from './commissioning/book.ts';
import { leaveCutPlan } from './last-resort/cut-plan.ts';
import { DiskRoom } from './disk-room.ts';
import { gradeOf } from './grade.ts';
import { Interlock } from './interlock.ts';
import type { InterlockParts } from './interlock-parts.ts';
import type { LinkParts } from './link-at-work.ts';
import { LatchFile } from './records/latch-file.ts';
import { latchesFound } from './records/latches-found.ts';
import { configuredLamps } from './lamps/parts.ts';
import { Ledger } from './records/ledger.ts';
import { LifeSigns, type Supervisor } from './last-resort/life-signs.ts';
import { ProofRecord } from './records/proof-record.ts';
import { RefusalTally } from './trips/refusal-tally.ts';
import { rehearse } from './trips/rehearsal.ts';
import { createSocketServer } from './socket/socket-server.ts';
import { SourceDesk } from './trips/source-desk.ts';
import { createTripListener, noteCertificate } from './trips/trip-listener.ts';
import { tripSources } from './trips/trip-sources.ts';
import { WindowClock } from './windows/window-clock.ts';

/** A running interlock. */
export interface RunningInterlock {
  /** Where trips are received; the ports are the real ones when 0 was configured. */
  readonly listening: { readonly urls: readonly string[]; readonly fingerprint: string | null };
  /** Isolates everything, then lets go. */
  stop(): Promise<void>;
}

/** A commissioning session lasts this long at most, ms. */
const COMMISSIONING_MS = 30 * 60 * 1_000;

/** A new journal file begins after this many bytes. */
const ROTATE_AT_BYTES = 16 * 1024 * 1024;

/** Starts the interlock. Every contact has been told to isolate before anything is read. `supervisor`: who wants signs of life. */
export async function startInterlock(
  config: Config,
  profiles: ReadonlyMap<string, Profile>,
  clock: Clock = machineClock,
  supervisor: Supervisor | null = null,
): Promise<RunningInterlock> {
  const hardware = await createHardware(config, profiles);
  cut(hardware.contacts);
  // What an earlier life left lit says nothing any more.
  for (const lamp of hardware.lamps) void lamp.show(false);
  try {
    const lifeSigns = new LifeSigns(clock, supervisor, hardware.deadMan);
    return await composed(config, profiles, hardware, clock, lifeSigns);
  } catch (error) {
    await hardware.close();
    throw error;
  }
}

async function composed(
  config: Config,
  profiles: ReadonlyMap<string, Profile>,
  hardware: Hardware,
  clock: Clock,
  lifeSigns: LifeSigns,
): Promise<RunningInterlock> {
  const { parts: rest, latchNote } = await assembled(config, profiles, hardware, clock);
  const room = new DiskRoom(clock, config.state_directory);
  const parts = { ...rest, lifeSigns, room };
  const { journal } = parts;
  const interlock = new Interlock(parts);
  const started = { build: parts.build, pid: process.pid, latch: latchNote, clock: parts.trust().detail };
  const signed_heads = parts.signedHead() !== null;
  interlock.note({ type: 'interlock.started', actor: 'interlock', data: { ...started, signed_heads } });
  interlock.start();
  room.start((entry) => interlock.note(entry));
  const servers: Listening[] = [];
  const stop = async (): Promise<void> => {
    room.stop();
    const unproven = await interlock.stop();
    await journal
      .append({ type: 'interlock.stopped', actor: 'interlock', data: { unproven } })
      .catch(() => undefined);
    await Promise.all(servers.map((server) => server.close()));
    await journal.close();
    await hardware.close();
  };
  try {
    const listening = await listen(config, interlock, clock, servers);
    // Without a plan the isolate after a death is slower, and nothing else.
    await leaveCutPlan(config.state_directory, config, profiles).catch(() => undefined);
    lifeSigns.listening();
    // Without it the first trip is slower, and nothing else.
    void rehearse(clock).catch(() => undefined);
    return { listening, stop };
  } catch (error) {
    // Its loops would keep a process alive that hears no trip and holds the journal.
    await stop();
    throw error;
  }
}

/** Something that was listened on, added as soon as it has to be closed. */
interface Listening {
  close(): Promise<unknown>;
}

/** Listens for trips and on the sockets; where trips are received. */
async function listen(
  config: Config,
  interlock: Interlock,
  clock: Clock,
  servers: Listening[],
): Promise<RunningInterlock['listening']> {
  const tally = new RefusalTally(clock, (entry) => interlock.note(entry));
  servers.push({ close: async () => tally.close() });
  const sources = await tripSources(config);
  const desk = new SourceDesk(interlock, sources, tally);
  const trips = await createTripListener(interlock, sources, tally, desk, config.interlock.page);
  servers.push(trips);
  servers.push(...(await listenOnSockets(interlock, config.runtime_directory, desk)));
  const settings = {
    places: placesOf(config.interlock),
    tls: config.interlock.tls ?? null,
    stateDirectory: config.state_directory,
  };
  const running = await startListener(trips, settings, noteCertificate(interlock)).catch((error: unknown) => {
    throw new ListenError(error);
  });
  servers.push(running);
  return running;
}

/** Trips could not be listened for; an interlock that nobody can trip does not run. */
class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly hint: string = 'is another interlock running? See `interlock.listen` in the configuration';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    if (cause instanceof Error && 'hint' in cause) this.hint = String(cause.hint);
  }
}

/** Everything the interlock is made of, with what its last life left behind. */
async function assembled(
  config: Config,
  profiles: ReadonlyMap<string, Profile>,
  hardware: Hardware,
  clock: Clock,
): Promise<{ readonly parts: InterlockParts; readonly latchNote: string }> {
  const state = config.state_directory;
  const trust = clockTrust(config.clock.trust);
  const bootId = readBootId();
  const journal = await openJournal({
    directory: join(state, JOURNAL_DIRECTORY),
    disk: nodeDisk,
    bootId,
    now: () => clock.now(),
    calendar: () => new Date(clock.calendarMs()),
    clockQuality: () => trust().quality,
    rotateAtBytes: ROTATE_AT_BYTES,
  });
  const found = await latchesFound(nodeDisk, state, journal, Object.keys(config.links), clock);
  const ledger = new Ledger(nodeDisk, state);
  await ledger.load();
  const proofs = new ProofRecord(nodeDisk, state);
  await proofs.load();
  // Without its key there are no signed heads; nothing that keeps a vault isolated needs them.
  const headKey = await openHeadKey(join(state, JOURNAL_DIRECTORY)).catch(() => null);
  const links = linkParts(config, profiles, hardware);
  const commissionings = new CommissioningBook(nodeDisk, state, headKey, plansOf(config, profiles, links));
  // A disk that takes no directory shows when a record is to be kept.
  await mkdir(join(state, COMMISSIONING_DIRECTORY), { recursive: true, mode: 0o750 }).catch(() => undefined);
  await commissionings.load();
  const secrets = Object.entries(config.approvers).map(
    ([name, { secret_file: file }]) => [name, file] as const,
  );
  const approvers = new Approvers(nodeDisk, state, new Map(secrets), clock);
  await approvers.load();
  const parts: InterlockParts = {
    clock,
    bootId,
    build: buildId(),
    trust,
    journal,
    latchFile: new LatchFile(nodeDisk, state),
    latches: found.latches,
    latchesSaved: found.saved,
    ledger,
    proofs,
    commissionings,
    approvers,
    ...configuredButton(config, hardware.button, clock),
    ...configuredLamps(config, hardware.lamps, clock),
    windows: new WindowClock(config.windows, ledger.lastBegun, undefined, ledger.openings),
    pages: new JournalPages(join(state, JOURNAL_DIRECTORY), () => journal.head().size),
    signedHead: () => (headKey === null ? null : signHead(journal.head(), headKey)),
    links,
    cut,
  };
  return { parts, latchNote: found.note };
}

function linkParts(
  config: Config,
  profiles: ReadonlyMap<string, Profile>,
  hardware: Hardware,
): Record<string, LinkParts> {
  return Object.fromEntries(
    Object.entries(config.links).map(([name, link]) => {
      const { contacts = [], witnesses = [] } = hardware.links.get(name) ?? {};
      const policy: Policy = {
        connectTimeoutMs: link.connect_timeout,
        isolateTimeoutMs: link.isolate_timeout,
        leaseTimeoutMs: link.lease_timeout,
        commissioningMs: COMMISSIONING_MS,
        evidenceMaxAgeMs: link.evidence_max_age,
      };
      return [
        name,
        {
          contacts,
          witnesses,
          policy,
          budgetMs: link.exposure_budget,
          longestSessionMs: link.attended.longest,
          proofMaxAgeMs: link.proof_test_max_age,
          heartbeats: link.permissives.map(({ heartbeat, max_age: maxAgeMs, latch }) => ({
            heartbeat,
            maxAgeMs,
            latch,
          })),
          sees: mirrorsOf(link),
          ratings: rateAll(ratedContacts(link, profiles)),
          grade: gradeOf(config, name, profiles),
        },
      ];
    }),
  );
}

/** A mirror contact shows one contact; every other witness sees the whole path. */
function mirrorsOf({ witnesses }: LinkSettings): NonNullable<LinkParts['sees']> {
  return Object.fromEntries(
    witnesses.flatMap((witness) =>
      'mirrors' in witness && witness.mirrors !== undefined ? [[witness.name, [witness.mirrors]]] : [],
    ),
  );
}

/** The mode is set on the directory's side first: nobody connects between listen and chmod. */
async function listenOnSockets(
  interlock: Interlock,
  runtime: string,
  desk: SourceDesk,
): Promise<{ close(): Promise<unknown> }[]> {
  await mkdir(runtime, { recursive: true, mode: 0o750 });
  const before = process.umask(0o177);
  try {
    const servers = [];
    for (const [socket, presence, mode] of [
      [INTERLOCK_SOCKET, false, 0o660],
      [PRESENCE_SOCKET, true, 0o600],
    ] as const) {
      const path = join(runtime, socket);
      // Left behind by a process that died; a living one holds the journal, and we would not have come this far.
      await rm(path, { force: true });
      const server = createSocketServer(interlock, presence, desk);
      await server.listen({ path });
      await chmod(path, mode);
      servers.push(server);
    }
    return servers;
  } finally {
    process.umask(before);
  }
}
