/** Who is told that the interlock lives, when, and what stops it. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { EdgeOutput } from '../../src/contacts/edge-output.ts';
import { CHECKED_WITHIN_MS, HUNG_AFTER_MS, type Checked } from '../../src/core/pulse.ts';
import { millis } from '../../src/core/time.ts';
import { LifeSigns, type Looked, type Supervisor } from '../../src/interlock/last-resort/life-signs.ts';
import { ProcessClock, settled, VirtualTime } from '../simulation/virtual-time.ts';

const EDGE_PAUSE_MS = 50;

let time: VirtualTime;
let clock: ProcessClock;
let told: string[];
let edges: number[];
let links: { at: number | null; askingSince: number | null }[];
let mayBeConnected: boolean;
let signs: LifeSigns;

const supervisor: Supervisor = {
  watchdogMs: 10_000,
  ready: (status) => void told.push(`ready ${status}`),
  alive: () => void told.push('alive'),
  stopping: () => void told.push('stopping'),
};
const deadMan: EdgeOutput = {
  edgePauseMs: EDGE_PAUSE_MS,
  problem: null,
  edge: () => void edges.push(clock.now()),
  close: () => undefined,
};
const looked: Looked = {
  checked: () =>
    links.map(({ at, askingSince }, i): Checked => ({
      link: `link-${i}`,
      at: at === null ? null : millis(at),
      askingSince: askingSince === null ? null : millis(askingSince),
    })),
  mayBeConnected: () => mayBeConnected,
  words: () => 'vault: isolated',
};

beforeEach(() => {
  time = new VirtualTime();
  clock = new ProcessClock(time, { offsetMs: 0 }, 0);
  told = [];
  edges = [];
  links = [{ at: null, askingSince: null }];
  mayBeConnected = true;
  signs = new LifeSigns(clock, supervisor, deadMan);
  signs.start(looked);
});

const pass = async (ms: number): Promise<void> => {
  await settled();
  const until = time.now + ms;
  while (await time.step(until));
};
/** A round of the first link ends now. */
const round = (): void => {
  links[0] = { at: clock.now(), askingSince: links[0]?.askingSince ?? null };
  signs.roundOver();
};

describe('the supervisor', () => {
  test('hears nothing before trips are received, then that we are ready, once', async () => {
    round();
    expect(told).toEqual([]);
    signs.listening();
    round();
    await pass(1_000);
    round();
    expect(told).toEqual(['ready vault: isolated', 'alive']);
  });

  test('hears nothing while a link was never looked at', () => {
    signs.listening();
    links = [
      { at: null, askingSince: null },
      { at: null, askingSince: null },
    ];
    round();
    expect(told).toEqual([]);
  });

  test('is told at the end of rounds only: time that passes tells nothing', async () => {
    signs.listening();
    round();
    await pass(60_000);
    expect(told).toEqual(['ready vault: isolated']);
  });

  test('is not told by one link whose loop turns while that of another stopped', async () => {
    signs.listening();
    links.push({ at: clock.now(), askingSince: null });
    round();
    for (let passed = 0; passed < 4 * CHECKED_WITHIN_MS; passed += 1_000) {
      // oxlint-disable-next-line no-await-in-loop -- time passes
      await pass(1_000);
      round();
    }
    expect(told.length).toBe(1 + CHECKED_WITHIN_MS / 1_000);
  });

  test('is not told by a loop that turns past a driver that hangs', async () => {
    signs.listening();
    round();
    links[0] = { at: clock.now(), askingSince: clock.now() };
    for (let passed = 0; passed < 2 * HUNG_AFTER_MS; passed += 1_000) {
      // oxlint-disable-next-line no-await-in-loop -- time passes
      await pass(1_000);
      round();
    }
    expect(told.length).toBe(1 + HUNG_AFTER_MS / 1_000);
  });

  test('is not written to for each of hundreds of rounds a second', async () => {
    signs.listening();
    for (let i = 0; i < 100; i += 1) {
      round();
      // oxlint-disable-next-line no-await-in-loop -- time passes
      await pass(10);
    }
    expect(told).toEqual(['ready vault: isolated', 'alive']);
  });

  test('hears of the end', () => {
    signs.stopping();
    expect(told).toEqual(['stopping']);
  });
});

describe('the dead-man circuit', () => {
  test('gets no edge before every link was looked at', async () => {
    await pass(1_000);
    expect(edges).toEqual([]);
  });

  test('gets an edge each half period while a link may be connected, and none while none may', async () => {
    round();
    await pass(1_000);
    expect(edges.length).toBe(1_000 / EDGE_PAUSE_MS);
    mayBeConnected = false;
    await pass(1_000);
    expect(edges.length).toBe(1_000 / EDGE_PAUSE_MS);
  });

  test('gets none from a loop that stopped, however fast its own beat goes on', async () => {
    round();
    await pass(10 * CHECKED_WITHIN_MS);
    expect(edges.at(-1)).toBe(CHECKED_WITHIN_MS);
  });

  test('gets none past a driver that hangs', async () => {
    links[0] = { at: null, askingSince: clock.now() };
    for (let passed = 0; passed < 2 * HUNG_AFTER_MS; passed += 1_000) {
      round();
      // oxlint-disable-next-line no-await-in-loop -- time passes
      await pass(1_000);
    }
    expect(edges.at(-1)).toBe(HUNG_AFTER_MS);
  });

  test('gets none once the end was asked for', async () => {
    round();
    signs.stopping();
    await pass(1_000);
    expect(edges).toEqual([]);
  });
});
