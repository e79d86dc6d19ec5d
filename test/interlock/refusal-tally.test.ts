/** A flood of refused requests costs the journal a handful of lines, and none of them is lost from the count. */
import { beforeEach, expect, test } from 'vitest';
import { RefusalTally } from '../../src/interlock/trips/refusal-tally.ts';
import type { EntryInput } from '../../src/journal/entry.ts';
import { ProcessClock, VirtualTime } from '../simulation/virtual-time.ts';

let time: VirtualTime;
let notes: EntryInput[];
let tally: RefusalTally;
let described: number;

beforeEach(() => {
  time = new VirtualTime();
  notes = [];
  described = 0;
  tally = new RefusalTally(new ProcessClock(time, { offsetMs: 0 }, 0), (entry) => void notes.push(entry));
});

const refuse = (source: string, status: number): void =>
  tally.refused('trip.refused', `source:${source}`, { status }, () => {
    described += 1;
    return { why: 'wrong token' };
  });
const pass = async (ms: number): Promise<void> => {
  const until = time.now + ms;
  while (await time.step(until));
};
/** Every refusal that the notes account for. */
const accounted = (): number =>
  notes.reduce((sum, { data }) => sum + (typeof data['more'] === 'number' ? data['more'] : 1), 0);

test('one refusal is one line, told in full', async () => {
  refuse('alarm', 401);
  await pass(3_600_000);
  expect(notes).toEqual([
    { type: 'trip.refused', actor: 'source:alarm', data: { status: 401, why: 'wrong token' } },
  ]);
});

test('of a burst the first is told, the rest are counted', async () => {
  for (let i = 0; i < 500; i += 1) refuse('alarm', 401);
  expect(notes).toHaveLength(1);
  expect(described).toBe(1);
  await pass(60_000);
  expect(notes).toHaveLength(2);
  expect(notes[1]).toMatchObject({
    type: 'trip.refused-more',
    actor: 'source:alarm',
    data: { status: 401, more: 499 },
  });
});

test('sources and statuses are told apart', () => {
  refuse('alarm', 401);
  refuse('alarm', 413);
  refuse('other', 401);
  refuse('other', 401);
  expect(notes).toHaveLength(3);
});

test('a flood of a day is a few hundred lines, and none of it is uncounted', async () => {
  let sent = 0;
  for (let second = 0; second < 86_400; second += 10) {
    refuse('alarm', 401);
    refuse('alarm', 401);
    sent += 2;
    await pass(10_000);
  }
  await pass(2 * 3_600_000);
  expect(accounted()).toBe(sent);
  expect(notes.length).toBeLessThan(300);
});

test('a sender with a wrong secret who tries again and again is a few lines an hour, however slowly he tries', async () => {
  for (const everyMs of [11_000, 15_000, 60_000, 300_000]) {
    notes = [];
    let sent = 0;
    for (let ms = 0; ms < 86_400_000; ms += everyMs) {
      refuse('watchdog', 401);
      sent += 1;
      await pass(everyMs);
    }
    expect(notes.length).toBeLessThanOrEqual(24 * 6 + 10);
    await pass(2 * 3_600_000);
    expect(accounted()).toBe(sent);
  }
});

test('once it is over the next one is told in full again', async () => {
  refuse('alarm', 401);
  refuse('alarm', 401);
  await pass(2 * 3_600_000);
  notes = [];
  refuse('alarm', 401);
  expect(notes).toMatchObject([{ type: 'trip.refused', data: { why: 'wrong token' } }]);
});

test('at the end what was counted is written, and nothing waits any more', async () => {
  refuse('alarm', 401);
  refuse('alarm', 401);
  refuse('alarm', 401);
  refuse('other', 401);
  tally.close();
  expect(accounted()).toBe(4);
  expect(notes.at(-1)).toMatchObject({ type: 'trip.refused-more', data: { more: 2 } });
  expect(await time.step(time.now + 3_600_000)).toBe(false);
  refuse('alarm', 401);
  expect(accounted()).toBe(5);
  expect(await time.step(time.now + 3_600_000)).toBe(false);
});
