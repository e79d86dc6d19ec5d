/** Heartbeats as permissives, on the real interlock in virtual time; then the same with faults planted, each of which must be seen. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { HeartbeatPermissive } from '../../src/interlock/trips/heartbeats.ts';
import { type Mutation, mutatedProgram, type Program, realProgram } from '../simulation/program.ts';
import { WiredBox } from './wired-box.ts';

const MAX_AGE_MS = 10_000;
const watchdog: HeartbeatPermissive = { heartbeat: 'watchdog', maxAgeMs: MAX_AGE_MS, latch: false };
const boxWith = (program: Program, ...heartbeats: HeartbeatPermissive[]): WiredBox =>
  new WiredBox({ heartbeats, Interlock: program.Interlock });

const beat = (box: WiredBox, source = 'watchdog'): void =>
  void box.interlock.heartbeats.hear(source, { receivedAt: box.clock.now(), signed: null });
/** `unixMs` is what the calendar says at the start of the box. */
const signedBeat = (box: WiredBox, signedMs: number): boolean =>
  box.interlock.heartbeats.hear('watchdog', {
    receivedAt: box.clock.now(),
    signed: { at: Math.floor(signedMs / 1_000), ageMs: box.clock.calendarMs() - signedMs },
  }).counts;

/** Beats every second for `ms`. */
async function beating(box: WiredBox, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    beat(box);
    await box.pass(1_000);
  }
}

const refusals = (box: WiredBox): readonly string[] =>
  box.interlock.conditionsNow(box.vault).failing.map(({ code }) => code);
const entries = (box: WiredBox, type: string): number => box.entries(type).length;

const stories: Readonly<Record<string, (program: Program) => Promise<void>>> = {
  'nothing is connected before the first beat, and the first permits': async (program) => {
    const box = boxWith(program, watchdog);
    expect(await box.lease()).toEqual(['heartbeat-stale']);
    beat(box);
    expect(refusals(box)).toEqual([]);
    expect(await box.lease()).toBeTypeOf('string');
    expect(entries(box, 'heartbeat.lost')).toBe(0);
  },

  'a beat of another source permits nothing': async (program) => {
    const box = boxWith(program, watchdog);
    beat(box, 'other');
    expect(await box.lease()).toEqual(['heartbeat-stale']);
  },

  'while it beats the link stays connected; silence isolates without a latch': async (program) => {
    const box = boxWith(program, watchdog);
    beat(box);
    const id = String(await box.lease());
    const renewing = async (ms: number, each: () => void): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 500) {
        each();
        void box.interlock.renewLease(id);
        await box.pass(500);
      }
    };
    await renewing(3 * MAX_AGE_MS, () => beat(box));
    expect(box.at).toBe('connected');
    await renewing(MAX_AGE_MS - 1_000, () => undefined);
    expect(box.at).toBe('connected');
    await renewing(2_000, () => undefined);
    await box.until('isolated', () => box.at === 'isolated');
    expect(box.told).toContain('permissive-failed');
    expect(box.vault.latch).toBeNull();
    expect(refusals(box)).toContain('heartbeat-stale');
    const { why } = box.interlock.heartbeats.refusals(box.vault)[0] ?? {};
    expect(why).toMatch(/^heartbeat watchdog was last heard 1\d s ago; 10 s may pass$/);
  },

  'with `latch` silence under a lease trips': async (program) => {
    const box = boxWith(program, { ...watchdog, latch: true });
    beat(box);
    const id = String(await box.lease());
    for (let passed = 0; passed < MAX_AGE_MS + 1_000; passed += 500) {
      void box.interlock.renewLease(id);
      await box.pass(500);
    }
    expect(box.at).toBe('tripped');
    expect(box.vault.latch).toMatchObject({ by: 'fault:heartbeat-lost' });
    expect(box.vault.latch?.reason).toContain('watchdog');
    expect(box.told).toContain('tripped');
  },

  'with `latch` silence at rest latches nothing': async (program) => {
    const box = boxWith(program, { ...watchdog, latch: true });
    await beating(box, 3_000);
    await box.pass(2 * MAX_AGE_MS);
    expect(box.at).toBe('isolated');
    expect(entries(box, 'heartbeat.lost')).toBe(1);
  },

  'journal and status tell what came and went, not every beat': async (program) => {
    const box = boxWith(program, watchdog);
    const state = () => box.interlock.heartbeats.status(box.vault)[0]?.state;
    expect(state()).toBe('awaited');
    await box.pass(2 * MAX_AGE_MS);
    expect(state()).toBe('stale');
    expect(entries(box, 'heartbeat.lost')).toBe(1);
    await beating(box, 5_000);
    expect(state()).toBe('fresh');
    expect(entries(box, 'heartbeat.back')).toBe(1);
    await box.pass(5 * MAX_AGE_MS);
    await beating(box, 5_000);
    expect([entries(box, 'heartbeat.lost'), entries(box, 'heartbeat.back')]).toEqual([2, 2]);
    expect(box.entries('heartbeat.lost')[1]).toMatchObject({ link: 'vault', heartbeat: 'watchdog' });
  },

  'an alarm is told with every loss': async (program) => {
    const box = boxWith(program, watchdog);
    const alarms: string[] = [];
    box.interlock.announcer.listen((line) => {
      if (line.event === 'alarm') alarms.push(line.code);
    });
    await box.pass(2 * MAX_AGE_MS);
    expect(alarms).toEqual(['heartbeat-lost']);
  },

  'what was signed before the start, or was heard before, keeps nothing connected': async (program) => {
    const box = boxWith(program, watchdog);
    const start = box.clock.calendarMs();
    expect(signedBeat(box, start - 5_000)).toBe(false);
    expect(refusals(box)).toEqual(['heartbeat-stale']);
    await box.pass(3_000);
    expect(signedBeat(box, start + 2_000)).toBe(true);
    expect(refusals(box)).toEqual([]);
    for (let passed = 0; passed < 2 * MAX_AGE_MS; passed += 1_000) {
      expect(signedBeat(box, start + 2_000)).toBe(false);
      await box.pass(1_000);
    }
    expect(refusals(box)).toEqual(['heartbeat-stale']);
  },

  'a message that was held back counts for as old as it is': async (program) => {
    const box = boxWith(program, watchdog);
    const start = box.clock.calendarMs();
    await box.pass(2 * MAX_AGE_MS);
    expect(signedBeat(box, start + MAX_AGE_MS - 1_000)).toBe(true);
    expect(refusals(box)).toEqual(['heartbeat-stale']);
  },

  'one of two that is silent is enough': async (program) => {
    const box = boxWith(program, watchdog, { ...watchdog, heartbeat: 'cron' });
    beat(box);
    expect(await box.lease()).toEqual(['heartbeat-stale']);
    beat(box, 'cron');
    expect(await box.lease()).toBeTypeOf('string');
  },

  'a calendar that jumps lengthens nothing': async (program) => {
    const box = boxWith(program, watchdog);
    beat(box);
    box.calendar.offsetMs -= 3_600_000;
    await box.pass(MAX_AGE_MS + 1);
    expect(refusals(box)).toEqual(['heartbeat-stale']);
  },
};

const core = 'core/heartbeat.ts';
const shell = 'interlock/trips/heartbeats.ts';
const interlock = 'interlock/interlock.ts';
const mutants: readonly (Mutation & { readonly name: string })[] = [
  {
    name: 'stale counts as fresh',
    file: core,
    find: "return now - last.at <= maxAgeMs ? 'fresh' : 'stale';",
    replace: "return now - last.at <= maxAgeMs ? 'fresh' : 'fresh';",
  },
  {
    name: 'what is awaited counts as fresh',
    file: core,
    find: "? 'awaited' : 'stale'",
    replace: "? 'fresh' : 'stale'",
  },
  {
    name: 'what never came is awaited for ever',
    file: core,
    find: "? 'awaited' : 'stale'",
    replace: "? 'awaited' : 'awaited'",
  },
  {
    name: 'beats from before the start count',
    file: core,
    find: 'if (!(at >= startedAt))',
    replace: 'if (Number.isNaN(at - startedAt))',
  },
  {
    name: 'repeated beats count',
    file: core,
    find: 'signed.at <= newest',
    replace: 'signed.at < newest',
  },
  {
    name: 'a message that was held back counts as new',
    file: core,
    find: '-Math.max(0, signed.ageMs)',
    replace: '-Math.min(0, Math.max(0, signed.ageMs))',
  },
  {
    name: 'any beat is a beat of every source',
    file: shell,
    find: 'const last = this.#last.get(heartbeat) ?? null;',
    replace: 'const last = this.#last.get(heartbeat) ?? [...this.#last.values()][0] ?? null;',
  },
  {
    name: 'only the first heartbeat of a link counts',
    file: shell,
    find: '(parts.heartbeats ?? []).map',
    replace: '(parts.heartbeats ?? []).slice(0, 1).map',
  },
  {
    name: 'only what was lost refuses',
    file: shell,
    find: ".filter(({ state }) => state !== 'fresh')",
    replace: ".filter(({ state }) => state === 'stale')",
  },
  {
    name: 'every loss latches',
    file: shell,
    find: 'if (status.latch && leaseOf(link.shell.state) !== null)',
    replace: 'if (leaseOf(link.shell.state) !== null)',
  },
  {
    name: 'a loss at rest latches',
    file: shell,
    find: 'if (status.latch && leaseOf(link.shell.state) !== null)',
    replace: 'if (status.latch)',
  },
  {
    name: 'no loss latches',
    file: shell,
    find: 'if (status.latch && leaseOf(link.shell.state) !== null)',
    replace: 'if (status.latch && leaseOf(link.shell.state) === undefined)',
  },
  {
    name: 'what is sampled has not tripped yet',
    file: interlock,
    find: 'this.heartbeats.look(link); return this.conditionsNow(link);',
    replace: 'return this.conditionsNow(link);',
  },
  {
    name: 'heartbeats are no condition',
    file: interlock,
    find: 'claim, this.heartbeats.refusals(link)',
    replace: 'claim, []',
  },
  {
    name: 'every look is told',
    file: shell,
    find: 'this.#told.set(key, fresh);',
    replace: '',
  },
  {
    name: 'what is lost is not told',
    file: shell,
    find: "type: fresh ? 'heartbeat.back' : 'heartbeat.lost',",
    replace: "type: 'heartbeat.back',",
  },
  {
    name: 'nobody is alarmed',
    file: shell,
    find: 'if (fresh) return;',
    replace: 'if (fresh || !fresh) return;',
  },
];

describe('a heartbeat', () => {
  for (const [name, story] of Object.entries(stories)) test(name, () => story(realProgram));
});

describe('a planted fault shows', { timeout: 60_000 }, () => {
  const directories: string[] = [];
  afterAll(() => {
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });
  test.each(mutants)('$name', async (mutant) => {
    const directory = mkdtempSync(join(tmpdir(), 'portcullis-heartbeats-'));
    directories.push(directory);
    const program = await mutatedProgram(directory, mutant);
    const caught = Object.values(stories).map((story) =>
      story(program).then(
        () => Promise.reject(new Error('not seen')),
        () => 'seen',
      ),
    );
    expect(await Promise.any(caught)).toBe('seen');
  });
});
