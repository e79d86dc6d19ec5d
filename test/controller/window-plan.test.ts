import { describe, expect, test } from 'vitest';
import { worstOf } from '../../src/controller/outcome.ts';
import type { StepOutcome } from '../../src/controller/outcome.ts';
import { subsetPart } from '../../src/controller/steps/check.ts';
import { markAfter, nextOf, recoveryFor } from '../../src/controller/windows/plan.ts';
import type { PlannedStep, Standing } from '../../src/controller/windows/plan.ts';

const steps: readonly PlannedStep[] = [
  { kind: 'backup', repository: 'a' },
  { kind: 'forget', repository: 'a' },
  { kind: 'backup', repository: 'b' },
  { kind: 'check', repository: 'a' },
];
const done: StepOutcome = { kind: 'done' };
const failed: StepOutcome = { kind: 'failed', code: 'x', why: 'w', hint: 'h' };
const cut: StepOutcome = { kind: 'cut-short', code: 'x', why: 'w' };
const usable = new Map<string, Standing>([
  ['a', { kind: 'usable' }],
  ['b', { kind: 'usable' }],
]);
const next = (
  outcomes: readonly StepOutcome[],
  standings = usable,
  halted: { code: string; why: string } | null = null,
) => nextOf({ steps, outcomes, standings, restraints: new Map(), halted });

describe('what comes next', () => {
  test('a repository is made ready before its first step', () =>
    expect(next([], new Map())).toEqual({ do: 'ready', repository: 'a' }));
  test('steps in order, then leave', () => {
    expect([0, 1, 2, 3].map((count) => next([done, done, done, done].slice(0, count)))).toEqual(
      [0, 1, 2, 3].map((index) => ({ do: 'step', index })),
    );
    expect(next([done, done, done, done])).toEqual({ do: 'leave' });
  });
  test.each<[StepOutcome]>([[failed], [cut], [{ kind: 'skipped', why: '' }]])(
    'no forget after a backup that is %o',
    (outcome) =>
      expect(next([outcome])).toMatchObject({ do: 'record', index: 1, outcome: { kind: 'skipped' } }),
  );
  test('forget after a backup that left something out: the snapshot is there', () =>
    expect(next([{ kind: 'partly-done', why: '' }])).toEqual({ do: 'step', index: 1 }));
  test('an unusable repository fails its first step and skips the others; other repositories go on', () => {
    const standings = new Map<string, Standing>([...usable, ['a', { kind: 'unusable', outcome: failed }]]);
    expect(next([], standings)).toEqual({ do: 'record', index: 0, outcome: failed });
    expect(next([failed], standings)).toMatchObject({ do: 'record', outcome: { kind: 'skipped' } });
    expect(next([failed, failed], standings)).toEqual({ do: 'step', index: 2 });
    expect(next([failed, failed, done], standings)).toMatchObject({
      do: 'record',
      outcome: { kind: 'skipped' },
    });
  });
  test('nothing is removed where something speaks against it; other steps are done', () => {
    const restraints = new Map([['a', 'a source was missing']]);
    const at = (kind: PlannedStep['kind']) =>
      nextOf({
        steps: [{ kind, repository: 'a' }],
        outcomes: [],
        standings: usable,
        restraints,
        halted: null,
      });
    expect(at('forget')).toMatchObject({ do: 'record', outcome: { kind: 'skipped' } });
    expect(at('prune')).toMatchObject({ do: 'record', outcome: { kind: 'skipped' } });
    expect(at('check')).toEqual({ do: 'step', index: 0 });
  });
  test('a copy needs both repositories, the one it reads first; a program needs none', () => {
    const copying: readonly PlannedStep[] = [
      { kind: 'command', repository: null },
      { kind: 'copy', repository: 'a', reads: ['b'] },
    ];
    const at = (outcomes: readonly StepOutcome[], standings: ReadonlyMap<string, Standing>) =>
      nextOf({ steps: copying, outcomes, standings, restraints: new Map(), halted: null });
    expect(at([], new Map())).toEqual({ do: 'step', index: 0 });
    expect(at([done], new Map())).toEqual({ do: 'ready', repository: 'b' });
    expect(at([done], new Map<string, Standing>([['b', { kind: 'usable' }]]))).toEqual({
      do: 'ready',
      repository: 'a',
    });
    expect(at([done], usable)).toEqual({ do: 'step', index: 1 });
    const without = new Map<string, Standing>([...usable, ['b', { kind: 'unusable', outcome: failed }]]);
    expect(at([done], without)).toEqual({ do: 'record', index: 1, outcome: failed });
  });
  test('nothing is begun once halted', () => {
    expect(next([done], usable, { code: 'tripped', why: 'tripped' })).toMatchObject({
      do: 'record',
      outcome: { kind: 'skipped' },
    });
    expect(next([], new Map(), { code: 'tripped', why: 'tripped' })).toMatchObject({ do: 'record' });
  });
});

test('recovery and marks', () => {
  expect([null, 'failed', 'cut'].map((kind) => recoveryFor(kind as 'cut'))).toEqual([
    'none',
    'unlock',
    'full',
  ]);
  expect([markAfter([done]), markAfter([done, failed]), markAfter([cut, failed])]).toEqual([
    null,
    'failed',
    'cut',
  ]);
});

test('rotating subsets come round', () => {
  expect([0, 1, 2, 3].map((count) => subsetPart('rotate/3', count))).toEqual(['1/3', '2/3', '3/3', '1/3']);
  expect(subsetPart('2.5%', 7)).toBe('2.5%');
});

test('a window is as good as its worst step', () => {
  expect(worstOf([])).toBe('skipped');
  expect(worstOf(['skipped', 'skipped'])).toBe('skipped');
  expect(worstOf(['done', 'partly-done'])).toBe('partly-done');
  // Neither done nor skipped: the vault was connected, and something of the work was not done.
  expect(worstOf(['done', 'skipped'])).toBe('partly-done');
  expect(worstOf(['skipped', 'failed', 'done'])).toBe('failed');
  expect(worstOf(['failed', 'cut-short', 'done'])).toBe('cut-short');
});
