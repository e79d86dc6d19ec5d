/** The button at the real interlock: what it cuts, what it keeps from being connected, and what its hold gives. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ButtonInput, ButtonReading } from '../../src/contacts/button-input.ts';
import { Approvers } from '../../src/interlock/rights/approvers.ts';
import { Button } from '../../src/interlock/button/button.ts';
import type { LinkAtWork } from '../../src/interlock/link-at-work.ts';
import type { ResetAsked } from '../../src/interlock/rights/reset.ts';
import { askSession } from '../../src/interlock/rights/session-asking.ts';
import { statusOf } from '../../src/interlock/socket/status.ts';
import { type Box, box, HandClock, HandDisk, opened } from '../interlock/review-box.ts';
import { causeNow } from './cause.ts';

const RELEASED = 1;
const HOLD_MS = 3_000;

/** An input that reads what a test says. */
class HandInput implements ButtonInput {
  readonly pollMs = 100;
  reading: ButtonReading | Promise<ButtonReading> = { kind: 'level', level: RELEASED };
  #edge: (level: 0 | 1) => void = () => undefined;

  async read(): Promise<ButtonReading> {
    return this.reading;
  }

  listen(edge: (level: 0 | 1) => void): void {
    this.#edge = edge;
  }

  /** Moves to a level, with the edge that tells it. */
  move(level: 0 | 1): void {
    this.reading = { kind: 'level', level };
    this.#edge(level);
  }

  async close(): Promise<void> {}
}

let clock: HandClock;
let input: HandInput;
let rig: Box<HandClock>;

async function begin(
  trips: 'all' | readonly string[] = 'all',
  holdGives: 'presence' | 'reset' | 'nothing' = 'presence',
): Promise<void> {
  clock = new HandClock();
  input = new HandInput();
  const policy = {
    debounceMs: 100,
    deadMs: 2_000,
    holdMs: HOLD_MS,
    longestHoldMs: 20_000,
    presenceMs: 60_000,
  };
  const button = new Button({ clock, input, policy, releasedWhen: RELEASED, trips, holdGives });
  const approvers = new Approvers(new HandDisk(), '/state', new Map(), clock);
  rig = await box(clock, { links: ['vault', 'attic'], beside: { button, approvers } });
}

beforeEach(() => begin());
afterEach(async () => {
  const stopped = rig.interlock.stop();
  await clock.pass(20_000);
  await stopped;
});

const linkOf = (name: string): LinkAtWork => {
  const link = rig.interlock.links.get(name);
  if (link === undefined) throw new TypeError(`no link ${name}`);
  return link;
};
const at = (name: string): string => linkOf(name).shell.state.at;
const latchOf = (name: string): unknown => linkOf(name).latch?.by ?? null;

async function connected(name: string): Promise<string> {
  const answer = rig.interlock.askLease(opened(rig, name), { tell: () => undefined });
  await clock.pass(1_500);
  const lease = await answer;
  if ('refusals' in lease) throw new Error(lease.refusals.map(({ code }) => code).join());
  expect(at(name)).toBe('connected');
  return lease.id;
}

const ask = async (name: string): Promise<readonly string[]> => {
  const answer = rig.interlock.askLease(opened(rig, name), { tell: () => undefined });
  await clock.pass(500);
  const lease = await answer;
  return 'refusals' in lease ? lease.refusals.map(({ code }) => code) : [];
};

const reset = async (name: string, more: Partial<ResetAsked> = {}): Promise<readonly string[]> => {
  const link = linkOf(name);
  const asked = { by: 'person:ops', reason: 'why', presence: true, cause: causeNow(link), ...more };
  const answer = rig.interlock.reset(link, asked);
  await clock.pass(500);
  return (await answer).map(({ code }) => code);
};

async function held(ms: number): Promise<void> {
  input.move(0);
  await clock.pass(ms);
  input.move(RELEASED);
  await clock.pass(500);
}

describe('a press', () => {
  test.each([0, 1] as const)('cuts in the tick of its first edge, told as level %i', async (level) => {
    rig.interlock.start();
    await clock.pass(3_000);
    await connected('vault');
    const before = rig.contacts['vault']?.frames.length ?? 0;
    input.move(level);
    // Nothing was awaited.
    expect(rig.contacts['vault']?.frames.slice(before)).toEqual(['isolate']);
    expect([at('vault'), at('attic')]).toEqual(['tripped', 'tripped']);
    await clock.pass(1_000);
    expect(latchOf('vault')).toBe('button');
    expect(rig.journal.entries.find(({ type }) => type === 'link.tripped')?.actor).toBe('button');
  });

  test('between two looks, without an edge, is seen by the next look', async () => {
    rig.interlock.start();
    await clock.pass(3_000);
    input.reading = { kind: 'level', level: 0 };
    await clock.pass(150);
    expect(at('vault')).toBe('tripped');
  });

  test('trips the links that it is there for, and keeps no others', async () => {
    await begin(['attic']);
    rig.interlock.start();
    await clock.pass(3_000);
    input.move(0);
    await clock.pass(500);
    expect([at('vault'), at('attic')]).toEqual(['isolated', 'tripped']);
    expect(await ask('vault')).toEqual([]);
  });

  test('that lasts from before the start trips', async () => {
    input.reading = { kind: 'level', level: 0 };
    rig.interlock.start();
    await clock.pass(300);
    expect([latchOf('vault'), latchOf('attic')]).toEqual(['button', 'button']);
  });
});

describe('a wire that makes and breaks', () => {
  const linesOf = (type: string): number => rig.journal.types().filter((each) => each === type).length;

  test('cuts every time, and costs the journal a few lines', async () => {
    rig.interlock.start();
    await clock.pass(3_000);
    const presses = 100;
    const contact = rig.contacts['vault'];
    let cuts = 0;
    for (let press = 0; press < presses; press += 1) {
      const before = contact?.frames.length ?? 0;
      input.move(0);
      // In the tick of the edge, whatever was told before.
      if (contact?.frames[before] === 'isolate') cuts += 1;
      await clock.pass(200);
      input.move(RELEASED);
      await clock.pass(300);
    }
    expect(cuts).toBe(presses);
    await clock.pass(400_000);
    // One for each of the two links.
    expect(linesOf('link.tripped')).toBe(2);
    for (const type of ['trip.repeated', 'button.pressed']) expect(linesOf(type)).toBe(1);
    expect(rig.journal.entries.length).toBeLessThan(20);
    const more = rig.journal.entries.filter(({ type }) => type === 'trip.repeated-more');
    const counted = more.reduce((sum, { data }) => sum + Number(data['more']), 0);
    expect(counted).toBe(presses - 2);
  });

  test('after a reset the next press is told in full, and a press keeps a reset that is under way from lifting it', async () => {
    rig.interlock.start();
    await clock.pass(3_000);
    await held(200);
    await held(200);
    await clock.pass(1_000);
    const under = rig.interlock.reset(linkOf('vault'), {
      by: 'person:ops',
      reason: 'why',
      presence: true,
      cause: causeNow(linkOf('vault')),
    });
    await held(200);
    expect((await under).length + Number(at('vault') === 'tripped')).toBeGreaterThan(0);
    expect(await reset('vault')).toEqual([]);
    expect(at('vault')).toBe('isolated');
    const before = linesOf('link.tripped');
    input.move(0);
    await clock.pass(500);
    expect(at('vault')).toBe('tripped');
    expect(linesOf('link.tripped')).toBeGreaterThan(before);
  });
});

describe('an input that says nothing', () => {
  test.each<[string, ButtonReading | Promise<ButtonReading>]>([
    ['cannot be read', { kind: 'unknown', why: 'the line is gone' }],
    ['never answers', new Promise(() => undefined)],
  ])('and %s connects nothing at once, and trips within the bound', async (_how, reading) => {
    rig.interlock.start();
    await clock.pass(3_000);
    input.reading = reading;
    await clock.pass(1_000);
    expect(at('vault')).toBe('isolated');
    if (!(reading instanceof Promise)) expect(await ask('vault')).toContain('button-unknown');
    await clock.pass(1_500);
    expect(latchOf('vault')).toBe('button');
    expect(linkOf('vault').latch?.reason).toContain('no valid reading');
    expect(await reset('vault')).toEqual(['button-unknown']);
    expect(statusOf(rig.interlock).button?.state).toBe('dead');
  });

  test('from the start trips as well', async () => {
    input.reading = { kind: 'unknown', why: 'no such chip' };
    rig.interlock.start();
    await clock.pass(2_500);
    expect(linkOf('vault').latch?.reason).toContain('no such chip');
  });

  test('while connected isolates before it trips', async () => {
    rig.interlock.start();
    await clock.pass(3_000);
    await connected('vault');
    input.reading = { kind: 'unknown', why: 'the line is gone' };
    await clock.pass(1_000);
    expect(at('vault')).not.toBe('connected');
  });
});

describe('a reset', () => {
  beforeEach(async () => {
    rig.interlock.start();
    await clock.pass(3_000);
    input.move(0);
    await clock.pass(500);
  });

  test('is refused while a latching mushroom is in, and done once it is released', async () => {
    expect(await reset('vault')).toEqual(['button-pressed']);
    expect(await ask('vault')).toEqual(expect.arrayContaining(['tripped', 'button-pressed']));
    input.move(RELEASED);
    await clock.pass(500);
    expect(await reset('vault')).toEqual([]);
    expect([at('vault'), at('attic')]).toEqual(['isolated', 'tripped']);
  });

  test('needs the cause, the whole cause, and says which it is', async () => {
    input.move(RELEASED);
    await clock.pass(500);
    expect(await reset('vault', { cause: undefined })).toEqual(['cause-unacknowledged']);
    expect(await reset('vault', { cause: '00000000' })).toEqual(['cause-unacknowledged']);
    const { cause } = statusOf(rig.interlock).links[0]?.latch ?? {};
    const refused = rig.journal.entries.findLast(({ type }) => type === 'link.reset-refused');
    expect(JSON.stringify(refused?.data)).toContain(`--cause ${cause}`);
    expect(await reset('vault', { cause })).toEqual([]);
  });

  test('by somebody who is not at the box needs more', async () => {
    input.move(RELEASED);
    await clock.pass(500);
    expect(await reset('vault', { presence: false })).toEqual(['presence-missing']);
    const approvals = [
      { name: 'alice', code: '123456' },
      { name: 'bob', code: '123456' },
    ];
    expect(await reset('vault', { presence: false, approvals })).toEqual([
      'approver-unknown',
      'approver-unknown',
    ]);
    expect(at('vault')).toBe('tripped');
  });

  test('is allowed after a hold, and not after the press that raised the alarm', async () => {
    await clock.pass(HOLD_MS);
    input.move(RELEASED);
    await clock.pass(500);
    expect(await reset('vault', { presence: false })).toEqual(['presence-missing']);
    await held(HOLD_MS + 100);
    expect(statusOf(rig.interlock).button?.present).toBe(true);
    expect(await reset('vault', { presence: false })).toEqual([]);
    const asked = rig.journal.entries.findLast(({ type }) => type === 'link.reset-asked');
    expect(asked?.data).toMatchObject({ authority: 'button', presence: true });
    await clock.pass(60_000);
    expect(await reset('attic', { presence: false })).toEqual(['presence-missing']);
  });

  test('is not allowed after a hold that is too short, or when a hold gives nothing', async () => {
    input.move(RELEASED);
    await clock.pass(500);
    await held(HOLD_MS - 200);
    expect(await reset('vault', { presence: false })).toEqual(['presence-missing']);
  });
});

test.each([
  ['presence', [], null],
  ['reset', [], 'presence-missing'],
  ['nothing', ['presence-missing'], 'presence-missing'],
] as const)('a hold that gives %s', async (gives, forReset, forSession) => {
  await begin('all', gives);
  rig.interlock.start();
  await clock.pass(3_000);
  await held(500);
  await held(HOLD_MS + 100);
  expect(await reset('vault', { presence: false })).toEqual(forReset);
  const wish = { by: 'person:ops', reason: 'restore', presence: false, forMs: 60_000 };
  const asked = askSession(rig.interlock, linkOf('vault'), wish);
  await clock.pass(500);
  const answer = await asked;
  expect('refusals' in answer ? answer.refusals[0]?.code : null).toBe(forSession);
  if (forSession !== null) return;
  expect(answer).toMatchObject({ authority: 'button' });
  expect(linkOf('vault').attended.session?.endsAt).toBe(clock.now() - 500 + 60_000);
  // The next press ends it, as it ends everything.
  input.move(0);
  await clock.pass(100);
  expect(linkOf('vault').attended.session).toBeNull();
});

test('a hold that is configured to give nothing gives nothing', async () => {
  await begin('all', 'nothing');
  rig.interlock.start();
  await clock.pass(3_000);
  await held(500);
  await held(HOLD_MS + 100);
  expect(await reset('vault', { presence: false })).toEqual(['presence-missing']);
});

test('a process that was stopped for a while does not take its own silence for that of the button', async () => {
  rig.interlock.start();
  await clock.pass(3_000);
  // Stopped for ten seconds: every timer is late, and the answer that was under way comes after them.
  const late = Promise.withResolvers<ButtonReading>();
  input.reading = late.promise;
  await clock.pass(200);
  clock.ms += 10_000;
  await clock.pass(50);
  late.resolve({ kind: 'level', level: RELEASED });
  input.reading = { kind: 'level', level: RELEASED };
  await clock.pass(2_000);
  expect(latchOf('vault')).toBeNull();
});
