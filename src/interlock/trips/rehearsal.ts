/**
 * Rehearses the kill path after a start. Code is compiled when it runs for the first time: without this, that would be
 * when the first alarm comes.
 *
 * The code is that of the interlock at work, and nothing else is: link, board, disk, journal and sender are made up here,
 * and forgotten afterwards. Nothing of it reaches a wire, a file, a socket or a person. It begins when everything is
 * isolated and trips are received; a real trip that comes meanwhile waits for one round of it at most.
 *
 * What remains: TLS, signatures, formats other than `generic` and boards that speak something else than Modbus TCP are
 * compiled by their first use; it is the smaller part.
 */
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BoardContact, type RelayBoard } from '../../contacts/board-contact.ts';
import { Bus } from '../../contacts/bus.ts';
import { cut } from '../../contacts/cut.ts';
import { ModbusExchange, ModbusWire } from '../../contacts/modbus/exchange.ts';
import { processTimers } from '../../contacts/timers.ts';
import type { Transport } from '../../contacts/transport.ts';
import { type Journal, openJournal } from '../../journal/file.ts';
import type { Listener } from '../../listener/listener.ts';
import type { Clock } from '../clock.ts';
import { Interlock } from '../interlock.ts';
import { LatchFile } from '../records/latch-file.ts';
import { Ledger } from '../records/ledger.ts';
import { ProofRecord } from '../records/proof-record.ts';
import { RefusalTally } from './refusal-tally.ts';
import { createTripListener } from './trip-listener.ts';
import { WindowClock } from '../windows/window-clock.ts';

/** Trips that are rehearsed. More would optimise more, and cost more memory: 100 further ones 2 MB. */
export const ROUNDS = 40;
/** No round begins later than this, ms after the beginning: the box has better things to do. */
const WITHIN_MS = 300;
const NOWHERE = 'nowhere';
const A_SECOND_MS = 1_000;

const BODY = JSON.stringify({ status: 'firing', severity: 'critical', reason: 'rehearsal' });
const REQUEST = [
  `POST /trip/${NOWHERE} HTTP/1.1`,
  `authorization: Bearer ${NOWHERE}`,
  'content-type: application/json',
  'connection: close',
  `content-length: ${BODY.length}`,
  `\r\n${BODY}`,
].join('\r\n');
const TRIPPED = 'HTTP/1.1 200';

/** Trips a link that leads nowhere, again and again; resolves with how many trips were answered 200. */
export async function rehearse(clock: Clock): Promise<number> {
  const endsAt = clock.now() + WITHIN_MS;
  const journal = await journalNowhere(clock);
  const contact = contactNowhere();
  const interlock = interlockNowhere(clock, journal, contact);
  const tally = new RefusalTally(clock, (entry) => interlock.note(entry));
  const listener = await createTripListener(
    interlock,
    {
      [NOWHERE]: {
        verify: { type: 'bearer' },
        secrets: [Buffer.from(NOWHERE)],
        trips: 'all',
        on_unrecognised: 'trip',
      },
    },
    tally,
  );
  let tripped = 0;
  for (let round = 0; round < ROUNDS && clock.now() < endsAt; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one at a time: whoever sends a real trip is heard in between
    if ((await answerOf(listener)).startsWith(TRIPPED)) tripped += 1;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await nextTurn();
  }
  await listener.close();
  tally.close();
  await Promise.all([contact.close(), journal.close()]);
  return tripped;
}

/** What a sender is answered who comes and trips. */
function answerOf(listener: Listener): Promise<string> {
  const [sender, receiver] = duplexPair();
  listener.take(Object.assign(receiver, { remoteAddress: '127.0.0.1', setTimeout: () => receiver }));
  sender.write(REQUEST);
  return text(sender);
}

/** Says that it has written everything, and keeps nothing. */
const diskNowhere = {
  read: async () => null,
  list: async () => [],
  makeDirectory: async () => undefined,
  openAppend: async () => ({
    append: async () => undefined,
    sync: async () => undefined,
    truncate: async () => undefined,
    close: async () => undefined,
  }),
  replace: async () => undefined,
  remove: async () => undefined,
  syncDirectory: async () => undefined,
};

const journalNowhere = (clock: Clock): Promise<Journal> =>
  openJournal({
    directory: NOWHERE,
    disk: diskNowhere,
    bootId: NOWHERE,
    now: () => clock.now(),
    calendar: () => new Date(clock.calendarMs()),
    clockQuality: () => 'assumed',
    rotateAtBytes: Infinity,
    acquireLock: async () => ({ release: async () => undefined }),
  });

/** Says every frame back, as a board does that obeyed. */
const wireNowhere: Transport = {
  where: NOWHERE,
  byteMs: 0,
  quietMs: 0,
  open: async ({ onBytes }) => ({
    write: (bytes) => {
      const echo = Buffer.from(bytes);
      setImmediate(() => onBytes(echo));
      return true;
    },
    drain: () => 0,
    discard: () => undefined,
  }),
};

function contactNowhere(): BoardContact {
  const wire = new ModbusWire('modbus-tcp');
  const board: RelayBoard = {
    label: NOWHERE,
    kind: 'fail-safe',
    reports: 'commanded',
    replyTimeoutMs: A_SECOND_MS,
    gapMs: 0,
    worstReplyDelayMs: A_SECOND_MS,
    isolateAll: null,
    checks: [],
    channel: (name) => {
      const coil = { function: 5, address: 0, value: 0 } as const;
      const isolate = new ModbusExchange({ board, wire, unit: 1 }, coil, () => null);
      // Even nowhere there is nothing that connects.
      return { name, board, connect: isolate, isolate, probe: null };
    },
    reading: () => null,
  };
  const bus = new Bus({ transport: wireNowhere, timers: processTimers, framesHaveIds: true });
  return new BoardContact({
    name: NOWHERE,
    bus,
    board,
    channel: 1,
    hardwareLeaseMs: null,
    timers: processTimers,
  });
}

/** It is never started: it looks at nothing, and its link stays unproven, so that every trip is a new one. */
function interlockNowhere(clock: Clock, journal: Journal, contact: BoardContact): Interlock {
  const policy = {
    connectTimeoutMs: A_SECOND_MS,
    isolateTimeoutMs: A_SECOND_MS,
    leaseTimeoutMs: A_SECOND_MS,
    commissioningMs: A_SECOND_MS,
    evidenceMaxAgeMs: A_SECOND_MS,
  };
  const link = { contacts: [contact], witnesses: [], policy, budgetMs: 0, proofMaxAgeMs: 0 };
  return new Interlock({
    clock,
    bootId: NOWHERE,
    build: NOWHERE,
    trust: () => ({ synchronised: false, quality: 'assumed', detail: NOWHERE }),
    journal,
    latchFile: new LatchFile(diskNowhere, NOWHERE),
    latches: {},
    latchesSaved: true,
    ledger: new Ledger(diskNowhere, NOWHERE),
    proofs: new ProofRecord(diskNowhere, NOWHERE),
    commissionings: {
      plan: () => null,
      record: () => ({ kind: 'missing' }),
      refusal: () => null,
      save: () => Promise.reject(new Error('nothing is kept of a rehearsal')),
      unsigned: null,
    },
    windows: new WindowClock({}, {}),
    signedHead: () => null,
    links: { [NOWHERE]: { ...link, grade: 'simulated' } },
    cut,
  });
}
