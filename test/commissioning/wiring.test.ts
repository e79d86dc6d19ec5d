/** Every wrong wiring of a link is recognised, named, and left isolated. */
import { expect, test } from 'vitest';
import { type Outcome, runProcedure } from '../../src/interlock/commissioning/procedure.ts';
import { type Scene, VirtualWorld } from './virtual-world.ts';

const commissioned = async (scene: Scene): Promise<{ outcome: Outcome; world: VirtualWorld }> => {
  const world = new VirtualWorld(scene);
  const outcome = await world.run(runProcedure(world.facts(), world, world));
  return { outcome, world };
};

const ONE: Scene = { relays: { A: {} }, contacts: { A: {} }, witnesses: { carrier: {} } };
const TWO: Scene = {
  relays: { A: {}, B: {} },
  contacts: { A: {}, B: { supply: 'the other board' } },
  witnesses: { carrier: {} },
};
const LEASE = 3_000;
const leased = (fault?: Scene['contacts'][string]['leaseFault']): Scene => ({
  ...ONE,
  contacts: { A: { leaseMs: LEASE, ...(fault === undefined ? {} : { leaseFault: fault }) } },
});

test.each([
  ['one contact, one witness', ONE],
  ['two contacts in series', TWO],
  ['no witness', { ...TWO, witnesses: {} }],
  ['a slow witness', { ...TWO, witnesses: { carrier: { lagMs: 2_500 } } }],
  ['a TCP probe only', { ...ONE, witnesses: { probe: { showsIsolation: false } } }],
  ['mirror contacts', { ...TWO, witnesses: { a: { sees: ['A'] }, b: { sees: ['B'] }, carrier: {} } }],
  ['a hardware lease', leased()],
  ['two hardware leases', { ...TWO, contacts: { A: { leaseMs: LEASE }, B: { leaseMs: 5_000 } } }],
  [
    'a holding contact in series',
    {
      ...TWO,
      relays: { A: {}, B: { latching: true } },
      contacts: { A: {}, B: { kind: 'holding', supply: 'the switch' } },
    },
  ],
] satisfies [string, Scene][])('%s, wired right, passes', async (_, scene) => {
  const { outcome, world } = await commissioned(scene);
  expect(outcome.reasons).toEqual([]);
  expect(outcome.verdict).toBe('passed');
  expect(world.isPath()).toBe(false);
  expect(outcome.contacts.map(({ isolates_alone }) => isolates_alone)).toEqual(
    outcome.contacts.map(() => 'proven'),
  );
  for (const { connect, isolate } of outcome.contacts) {
    expect(connect.read_back?.count).toBe(10);
    expect(isolate.written?.count).toBe(10);
  }
  // What is recorded as exposure is at least what really was.
  expect(outcome.connectedMs).toBeGreaterThanOrEqual(world.connectedMs - 1);
});

test.each([
  ['settings', 'board-settings', { ...ONE, settings: ['mode of unit 1: 2, must be 0'] }],
  ['at-rest', 'connected-at-rest', { ...ONE, relays: { A: { welded: true } } }],
  ['at-rest', 'inverted', { ...ONE, relays: { A: { normallyClosed: true } } }],
  ['at-rest', 'inverted', { ...ONE, witnesses: { carrier: { inverted: true } } }],
  [
    'at-rest',
    'normally-closed',
    { ...ONE, relays: { A: { normallyClosed: true } }, witnesses: { carrier: {}, disk: {} } },
  ],
  ['at-rest', 'witness-inverted', { ...TWO, witnesses: { carrier: {}, disk: { inverted: true } } }],
  ['at-rest', 'silent', { ...ONE, witnesses: { carrier: { frozen: 'unknown' } } }],
  ['at-rest', 'read-back-lies', { ...ONE, contacts: { A: { saysAlways: 'connected' } } }],
  ['together', 'witness-never-moves', { ...ONE, witnesses: { carrier: {}, disk: { frozen: 'isolated' } } }],
  ['together', 'never-connected', { ...ONE, relays: { A: { broken: true } } }],
  ['together', 'normally-closed', { ...TWO, relays: { A: {}, B: { normallyClosed: true } } }],
  ['together', 'refused-by-board', { ...ONE, contacts: { A: { refuses: true } } }],
  [
    'together',
    'not-obeyed',
    { ...ONE, relays: { A: { broken: true } }, contacts: { A: { saysAlways: 'isolated' } } },
  ],
  ['together', 'read-back-lies', { ...ONE, contacts: { A: { saysAlways: 'isolated' } } }],
  ['alone-isolates', 'read-back-lies', { ...TWO, relays: { A: {}, B: { welded: true } } }],
  [
    'alone-isolates',
    'contacts-swapped',
    { ...TWO, contacts: { A: { drives: 'B', reads: 'A' }, B: { drives: 'A', reads: 'B' } } },
  ],
  [
    'alone-isolates',
    'contacts-swapped',
    {
      ...TWO,
      contacts: { A: { drives: 'B' }, B: { drives: 'A' } },
      witnesses: { a: { sees: ['A'] }, b: { sees: ['B'] } },
    },
  ],
  [
    'alone-isolates',
    'contacts-coupled',
    { relays: { A: {} }, contacts: { A: {}, B: { drives: 'A' } }, witnesses: { carrier: {} } },
  ],
  ['alone-isolates', 'nothing-tells', { ...ONE, contacts: { A: { mute: true } }, witnesses: {} }],
  [
    'alone-connects',
    'not-in-series',
    { ...TWO, relays: { A: {}, B: { backfedAfterMs: 700 } }, witnesses: { carrier: { lagMs: 1_000 } } },
  ],
  ['alone-isolates', 'lease-not-cancelled', leased('isolate-ignored')],
  ['hardware-lease', 'lease-never-ends', leased('never-ends')],
  ['hardware-lease', 'lease-not-renewed', leased('not-renewable')],
  ['hardware-lease', 'lease-too-short', { ...ONE, contacts: { A: { leaseMs: 500 } }, lookTakesMs: 700 }],
  ['hardware-lease', 'read-back-lies', leased('unnoticed')],
  ['lease-cancelled', 'lease-comes-back', leased('comes-back')],
  ['without-power', 'connected-without-power', { ...ONE, relays: { A: { latching: true } } }],
] satisfies [string, string, Scene][])(
  '%s: %s is named, and the link is left isolated',
  async (step, code, scene) => {
    const { outcome, world } = await commissioned(scene);
    expect(outcome.verdict).toBe('failed');
    const failed = outcome.steps.filter(({ verdict }) => verdict === 'failed');
    expect(failed.map((each) => [each.step, each.code])).toEqual([[step, code]]);
    expect(outcome.reasons).toEqual([failed[0]?.says]);
    // Isolated first, then reported; nothing is driven after that.
    expect(world.energisedAtFailure).toEqual([]);
    const isolates = world.commands.slice(-outcome.contacts.length).map(({ what }) => what);
    if (world.commands.length > 0) expect(isolates.every((what) => what.startsWith('isolate'))).toBe(true);
    const after = outcome.steps.slice(outcome.steps.findIndex(({ verdict }) => verdict === 'failed') + 1);
    expect(after.every(({ not_tried }) => not_tried === 'earlier-failure')).toBe(true);
  },
);

test('a contact whose own word a witness contradicted has that in its figures', async () => {
  const { outcome } = await commissioned({ ...TWO, relays: { A: {}, B: { welded: true } } });
  const [first, second] = outcome.contacts;
  expect(first?.read_back).toMatchObject({ contradicted: 0 });
  expect(second?.read_back.contradicted).toBeGreaterThan(0);
  expect([first?.isolates_alone, second?.isolates_alone]).toEqual(['proven', 'refuted']);
});

test('a board that never answers passes by what the witness shows', async () => {
  const { outcome, world } = await commissioned({ ...ONE, contacts: { A: { mute: true } } });
  expect(outcome.reasons).toEqual([]);
  expect(outcome.contacts[0]).toMatchObject({
    isolates_alone: 'proven',
    isolates_alone_by: 'witness',
    without_power: 'isolated',
    connect: { read_back: null, acknowledged: null, witness: { count: 10 } },
    read_back: { compared: 0 },
  });
  expect(world.isPath()).toBe(false);
});
