/** What a GPIO profile and a place on GPIO lines may not say. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { edgeSeen, firstSeen, looked, restMs, settled } from '../../src/contacts/gpio/debounce.ts';
import { gpioFindings } from '../../src/contacts/gpio/findings.ts';
import { GpioWorker, gpioDeathNote } from '../../src/contacts/gpio/hardware.ts';
import type { Level } from '../../src/contacts/gpio/lines.ts';
import { lineClashes, lineProblems, mirrorWireProblem } from '../../src/contacts/gpio/place.ts';
import { gpioProfile, type GpioProfile } from '../../src/contacts/gpio/profile.ts';
import { ACCEPT_RESET_PULL } from '../../src/contacts/gpio/pulls.ts';
import { gpioRows } from '../../src/contacts/gpio/text.ts';
import type { BusWitnessSettings, GpioBus, HardwareSettings } from '../../src/contacts/hardware-settings.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import { millis } from '../../src/core/time.ts';

const profile = (changes: Partial<GpioProfile> = {}): GpioProfile =>
  gpioProfile.parse({
    id: 'test/relay',
    driver: 'gpio',
    maker: 'test',
    model: 'relay',
    contact: 'fail-safe',
    without_power: 'isolated',
    power_on: { position: 'isolated', certainty: 'unproven' },
    active: 'high',
    input_pull: 'down',
    input_supply: 'none',
    coil_supply: { volts: 5, from: 'either' },
    settle_ms: 20,
    dangers: [],
    evidence: { grade: 'paper', source: 'test', checked_on: '2026-11-21' },
    examples: [
      { ask: 'connect', level: 1 },
      { ask: 'isolate', level: 0 },
      { ask: 'read', level: 1, means: 'connected' },
      { ask: 'read', level: 0, means: 'isolated' },
    ],
    ...changes,
  });
const low = {
  active: 'low',
  input_pull: 'up',
  examples: profile().examples.map((each) => ({ ...each, level: each.level === 1 ? 0 : 1 })),
} as Partial<GpioProfile>;
const whats = (changes: Partial<GpioProfile>): readonly string[] =>
  gpioFindings(profile(changes)).map(({ what }) => what);

describe('findings', () => {
  test('a sound profile has none', () => {
    expect(gpioFindings(profile())).toEqual([]);
    expect(gpioFindings(profile({ ...low, input_supply: 'controller', input_pull: 'up' }))).toEqual([]);
  });

  test.for(['none', 'coil', 'unknown'] as const)(
    'an active-low input fed by %s is not fail-safe',
    (input_supply) => {
      expect(whats({ ...low, input_supply })).toEqual([expect.stringContaining('energises the relay when')]);
      expect(whats({ ...low, input_supply, contact: 'holding' })).toEqual([]);
    },
  );

  test('a pull that energises is not fail-safe', () => {
    expect(whats({ input_pull: 'up' })).toEqual([expect.stringContaining('pulls its input up')]);
    expect(whats({ ...low, input_supply: 'controller', input_pull: 'down' })).toHaveLength(1);
  });

  test('each example that the polarity contradicts is found, in its place', () => {
    expect(gpioFindings(profile({ active: 'low', contact: 'holding' })).map(({ path }) => path)).toEqual([
      ['examples', 0, 'level'],
      ['examples', 1, 'level'],
      ['examples', 2, 'level'],
      ['examples', 3, 'level'],
    ]);
  });

  test('examples must cover connect, isolate and both readings', () => {
    expect(whats({ examples: [{ ask: 'connect', level: 1 }] })).toHaveLength(3);
  });

  test('a line that is named twice is found', () => {
    expect(gpioFindings(profile({ lines: [5, 6, 5] }))).toEqual([
      expect.objectContaining({ path: ['lines', 2] }),
    ]);
  });
});

describe('the profiles that come with it', async () => {
  const { profiles } = await loadProfiles();
  const ours = [...profiles.values()].flatMap((each) => (each.driver === 'gpio' ? [each] : []));

  test('are there, and none claims what nobody has seen', () => {
    expect(ours.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'generic/gpio-active-high',
        'generic/gpio-active-low-opto',
        'generic/gpio-active-low-split',
        'waveshare/rpi-relay-board',
        'pimoroni/automation-hat',
      ]),
    );
    for (const { evidence, power_on: powerOn } of ours) {
      expect(['paper', 'simulated']).toContain(evidence.grade);
      expect(powerOn.certainty).toBe('unproven');
    }
  });

  test('have words for people', () => {
    for (const each of ours)
      expect(gpioRows(each).map(([name]) => name)).toEqual(expect.arrayContaining(['pin', 'coil']));
  });
});

const pins: GpioBus = { transport: 'gpio', chip: 'pinctrl-bcm2711', access: 'character-device' };

describe('places', () => {
  const keys = (line: number, said?: string, changes: Partial<GpioProfile> = {}): readonly string[] =>
    lineProblems(said === undefined ? {} : { accept_reset_pull: said }, line, profile(changes), pins).map(
      ({ key }) => key,
    );

  test('a pin whose pull at reset energises the relay needs the sentence, to the letter', () => {
    expect(keys(17)).toEqual([]);
    expect(keys(4)).toEqual(['line']);
    expect(keys(4, 'yes')).toEqual(['accept_reset_pull']);
    expect(keys(4, ACCEPT_RESET_PULL)).toEqual([]);
    expect(keys(17, ACCEPT_RESET_PULL)).toEqual(['accept_reset_pull']);
    expect(keys(17, undefined, { ...low, contact: 'holding' })).toEqual(['line']);
    expect(keys(5, undefined, { ...low, contact: 'holding' })).toEqual([]);
  });

  test('a board with lines of its own has no others', () => {
    expect(keys(17, undefined, { lines: [13, 19, 16] })).toEqual(['line']);
    expect(keys(19, undefined, { lines: [13, 19, 16] })).toEqual([]);
  });

  const mirror = (name: string, line: number): BusWitnessSettings => ({
    name,
    type: 'gpio',
    bus: 'pins',
    line,
    isolated_when: 0,
    bias: 'none',
    debounce: 20,
  });
  const settings = (...witnesses: readonly BusWitnessSettings[]): HardwareSettings => ({
    buses: { pins },
    links: {
      vault: { contacts: [{ name: 'relay', profile: 'test/relay', bus: 'pins', line: 17 }], witnesses },
    },
  });

  test('no witness listens on a line that is a contact or another witness', () => {
    expect(lineClashes(settings(mirror('a', 22), mirror('b', 23)))).toEqual([]);
    const what = 'line 17 of chip pinctrl-bcm2711 is already contact relay of link vault';
    expect(lineClashes(settings(mirror('a', 17)))).toEqual([{ link: 'vault', witness: 'a', what }]);
    expect(lineClashes(settings(mirror('a', 22), mirror('b', 22)))).toHaveLength(1);
  });
});

test.for([
  ['pull-up', 1, true],
  ['pull-up', 0, false],
  ['pull-down', 0, true],
  ['pull-down', 1, false],
  ['none', 0, false],
  ['none', 1, false],
] as const)(
  'a mirror with %s, isolated when %i: a broken wire would prove it: %s',
  ([bias, level, problem]) => {
    expect(mirrorWireProblem(bias, level) !== null).toBe(problem);
  },
);

test('the worker makes contacts and witnesses that open nothing, and read unknown without the chip', async () => {
  const worker = new GpioWorker({ ...pins, chip: 'no-such-chip' }, processTimers);
  const contact = worker.contact({
    name: 'relay',
    profile: profile(),
    place: { driver: 'gpio', line: 17 },
    hardwareLeaseMs: null,
  });
  expect(contact.kind).toBe('fail-safe');
  expect(await contact.read()).toMatchObject({
    position: 'unknown',
    detail: expect.stringContaining('no-such-chip'),
  });
  expect(await contact.isolate().acknowledged).toMatchObject({ kind: 'unknown' });
  await contact.close();
  const witness = worker.witness({
    name: 'mirror',
    type: 'gpio',
    bus: 'pins',
    line: 22,
    isolated_when: 0,
    bias: 'pull-up',
    debounce: 0,
  });
  expect(await witness.read()).toMatchObject({ position: 'unknown' });
  await witness.close();
  expect(() => worker.witness({ name: 'w', type: 'snmp', bus: 'pins', port: '1' })).toThrow(TypeError);
});

test('the note on death is a sentence that says what to reckon with', () => {
  expect(gpioDeathNote(pins)).toContain('process dies');
  expect(gpioDeathNote({ ...pins, chip: 'gpio_ich' })).toContain('stays connected');
});

describe('debounce', () => {
  test('a level is settled exactly when nothing has moved for the time', () => {
    const moves = fc.array(
      fc.record({ afterMs: fc.integer({ min: 0, max: 50 }), level: fc.constantFrom<Level>(0, 1) }),
    );
    fc.assert(
      fc.property(moves, fc.integer({ min: 0, max: 40 }), fc.nat(100), (edges, debounceMs, waitMs) => {
        let now = 0;
        let last: Level = 0;
        let state = firstSeen(0, millis(0));
        for (const { afterMs, level } of edges) {
          now += afterMs;
          last = level;
          state = edgeSeen(state, last, millis(now));
        }
        const then = millis(now + waitMs);
        expect(settled(state, then, debounceMs)).toBe(waitMs >= debounceMs ? last : null);
        expect(restMs(state, then, debounceMs)).toBe(Math.max(0, debounceMs - waitMs));
      }),
    );
  });

  test('an edge of the same level starts the time anew, a look at the same level does not', () => {
    const state = firstSeen(1, millis(0));
    expect(settled(edgeSeen(state, 1, millis(15)), millis(20), 20)).toBeNull();
    expect(settled(looked(state, 1, millis(15)), millis(20), 20)).toBe(1);
    expect(settled(looked(state, 0, millis(15)), millis(20), 20)).toBeNull();
  });

  test('an edge that is told late does not turn the clock back', () => {
    const state = edgeSeen(edgeSeen(firstSeen(0, millis(0)), 1, millis(30)), 0, millis(10));
    expect(state).toEqual({ level: 0, since: 30 });
  });
});
