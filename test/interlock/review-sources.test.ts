/** Defects that a reviewer of sources found: each test failed before its fix. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, machineClock } from '../../src/interlock/clock.ts';
import { RefusalTally } from '../../src/interlock/trips/refusal-tally.ts';
import { SourceDesk } from '../../src/interlock/trips/source-desk.ts';
import { ask } from '../faults/http.ts';
import { createTripListener } from '../../src/interlock/trips/trip-listener.ts';
import type { TripSource } from '../../src/interlock/trips/trip-sources.ts';
import type { EventLine } from '../../src/protocol/messages.ts';
import { type Box, box } from './review-box.ts';

const SECRET = Buffer.from('4f8b6a7e8a3c4a0e9c628e2c4b1d2a10');
const common = { secrets: [SECRET], on_unrecognised: 'trip', reading: { format: 'generic' } } as const;
const sources: Readonly<Record<string, TripSource>> = {
  traps: { ...common, verify: { type: 'path-secret' }, trips: ['vault'] },
  monitor: { ...common, verify: { type: 'bearer' }, trips: 'all' },
  alive: { ...common, verify: { type: 'bearer' }, trips: [], reading: null, heartbeat: true },
};

let rig: Box<Clock>;
let desk: SourceDesk;
let tally: RefusalTally;
const alarms: Extract<EventLine, { event: 'alarm' }>[] = [];

beforeEach(async () => {
  rig = await box(machineClock, { links: ['vault', 'attic'] });
  rig.interlock.start();
  tally = new RefusalTally(machineClock, (entry) => rig.interlock.note(entry));
  desk = new SourceDesk(rig.interlock, sources, tally);
  alarms.length = 0;
  rig.interlock.announcer.listen((line) => {
    if (line.event === 'alarm') alarms.push(line);
  });
});
afterEach(() => rig.interlock.stop());

const hear = (source: string, body: string, token = SECRET.toString()) =>
  desk.hear(
    source,
    { headers: { authorization: `Bearer ${token}` }, rawBody: Buffer.from(body), pathSecret: null },
    '127.0.0.1',
    machineClock.now(),
  );
const journal = (): string => JSON.stringify(rig.journal.entries);

test('a secret that stands where the name of its source should is in no journal', async () => {
  const app = await createTripListener(rig.interlock, sources, tally, desk);
  const [{ port } = { port: 0 }] = await app.listen([{ host: '127.0.0.1', port: 0, secure: false }]);
  const secret = SECRET.toString();
  const sent = (method: string, path: string) =>
    ask({ host: '127.0.0.1', port, path, method }, method === 'POST' ? '{}' : undefined);
  for (const path of [`/trip/${secret}`, `/trip/${secret}/traps`, `/trip/${secret}?x`])
    expect((await sent('POST', path)).status).toBe(401);
  expect((await sent('GET', `/trip/${secret}`)).status).toBe(404);
  await app.close();
  expect(journal()).toContain('there is no such source');
  expect(journal()).not.toContain(SECRET.toString());
});

describe('what does not verify', () => {
  test('in the name of a source is an alarm of every link that it cuts: nobody hears that source any more', async () => {
    for (let i = 0; i < 50; i += 1) expect((await hear('monitor', '{}', 'another')).status).toBe(401);
    expect(alarms.map(({ link, code }) => [link, code])).toEqual([
      ['vault', 'source-unverified'],
      ['attic', 'source-unverified'],
    ]);
    expect(alarms[0]?.hint).toContain('monitor');
    await hear('nobody', '{}');
    expect(alarms).toHaveLength(2);
  });

  test('of a heartbeat is none: its silence is', async () => {
    await hear('alive', '', 'another');
    expect(alarms).toEqual([]);
  });
});

test('a test message that comes again and again neither fills the journal nor keeps the boards busy', async () => {
  let reads = 0;
  for (const contact of Object.values(rig.contacts)) {
    const read = contact.read.bind(contact);
    contact.read = () => {
      reads += 1;
      return read();
    };
  }
  const readsBefore = reads;
  for (let i = 0; i < 200; i += 1)
    expect(await hear('monitor', '{"status":"test"}')).toMatchObject({
      status: 200,
      answer: { status: 'drill' },
    });
  expect(rig.journal.types().filter((type) => type === 'trip.drill').length).toBeLessThan(10);
  expect(journal()).toContain('trip.drill-repeated');
  // Those of the watch, which looks on, and those of a few drills.
  expect(reads - readsBefore).toBeLessThan(150);
});
