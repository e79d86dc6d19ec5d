/** The rules by themselves: from where on each speaks, and what it must not speak of. */
import { describe, expect, test } from 'vitest';
import { anomalies as anomalySchema } from '../../src/config/schema/guards.ts';
import { judgeEnded } from '../../src/controller/anomalies/after-rules.ts';
import type { Difference } from '../../src/controller/anomalies/after-rules.ts';
import {
  expectedFrom,
  medianOf,
  NO_PAST,
  withReleased,
  withRun,
} from '../../src/controller/anomalies/past.ts';
import type { Expected, Past, PastRun, TypeWord } from '../../src/controller/anomalies/past.ts';
import { StreamRules } from '../../src/controller/anomalies/stream-rules.ts';
import type { StreamFigures } from '../../src/controller/anomalies/stream-rules.ts';
import { extensionOf, stemOf } from '../../src/controller/guards/file-types.ts';
import type { FileSeen } from '../../src/controller/restic/lines.ts';

const SETTINGS = anomalySchema.parse({});
const LEARNT: Expected = {
  runs: 20,
  files: 10_000,
  bytes: 1_000_000_000,
  snapshot: 'a'.repeat(64),
  changed: 30,
  ratio: 0.35,
  packed: 1_000_000,
  dense: 0.01,
  outOfType: 0,
  types: new Map<string, TypeWord>([
    ['txt', 'compressible'],
    ['bin', 'known'],
    ['dat', 'dense'],
  ]),
};
const FEW: Expected = { ...LEARNT, runs: 1, changed: null, ratio: null, packed: null, dense: null };

const file = (path: string, ratio: number, change: Partial<FileSeen> = {}): FileSeen => ({
  action: 'modified',
  path,
  dataBytes: 10_000,
  dataBytesInRepository: Math.round(10_000 * ratio),
  ...change,
});

/** Feeds files; where each rule spoke first: `rule grade@number`. */
function feed(expected: Expected, files: readonly FileSeen[], settings = SETTINGS): readonly string[] {
  const rules = new StreamRules(expected, settings, new Set(['/srv/canary.txt']));
  return files.flatMap((each, index) =>
    rules.file(each).map(({ rule, grade }) => `${rule} ${grade}@${index + 1}`),
  );
}
const many = (count: number, one: (index: number) => FileSeen): FileSeen[] =>
  Array.from({ length: count }, (_, index) => one(index));

describe('while it runs', () => {
  test.each([
    [
      'all random, of a type that is known',
      LEARNT,
      many(120, (i) => file(`/srv/${i}.bin`, 1)),
      [
        'random-data cut@50',
        'less-compressible hold@100',
        'more-random-data hold@100',
        'less-compressible cut@101',
        'more-random-data cut@101',
      ],
    ],
    [
      'all random, on the second backup ever',
      FEW,
      many(120, (i) => file(`/srv/${i}.bin`, 1)),
      ['random-data cut@50'],
    ],
    ['49 of them', LEARNT, many(49, (i) => file(`/srv/${i}.bin`, 1)), []],
    [
      'the first backup',
      { ...FEW, runs: 0, types: new Map() },
      many(500, (i) => file(`/srv/${i}.bin`, 1, { action: 'new' })),
      [],
    ],
    ['photos', LEARNT, many(500, (i) => file(`/srv/${i}.JPG`, 1, { action: 'new' })), []],
    [
      'a type that was always dense',
      LEARNT,
      many(99, (i) => file(`/srv/${i}.dat`, 1, { action: 'new' })),
      [],
    ],
    ['text', LEARNT, many(99, (i) => file(`/srv/${i}.txt`, 0.4)), []],
    ['text that turns random', LEARNT, many(30, (i) => file(`/srv/${i}.txt`, 1)), ['out-of-type cut@30']],
    [
      'text that turns random and gets a suffix',
      LEARNT,
      many(30, (i) => file(`/srv/${i}.txt.zzz`, 1, { action: 'new' })),
      ['renamed cut@20', 'out-of-type cut@30'],
    ],
    [
      'a suffix alone, without data',
      LEARNT,
      many(20, (i) => file(`/srv/${i}.txt.zzz`, 0, { action: 'new', dataBytes: 0 })),
      ['renamed cut@20'],
    ],
    [
      'a suffix that everybody uses',
      LEARNT,
      many(99, (i) => file(`/srv/${i}.txt.bak`, 0.4, { action: 'new' })),
      [],
    ],
    ['rotated logs', LEARNT, many(99, (i) => file(`/srv/${i}.txt.${i % 9}`, 0.4, { action: 'new' })), []],
    [
      'a new type with names of its own',
      LEARNT,
      many(99, (i) => file(`/srv/${i}.zzz`, 0.4, { action: 'new' })),
      [],
    ],
    ['short files', LEARNT, many(200, (i) => file(`/srv/${i}.txt`, 1, { dataBytes: 1_000 })), []],
    [
      'directories, and files whose rights changed',
      LEARNT,
      many(2_000, (i) => file(`/srv/${i}${i % 2 ? '/' : ''}`, 0, { dataBytes: 0 })),
      [],
    ],
    [
      'the first 4 KiB',
      LEARNT,
      many(101, (i) => file(`/srv/${i}.bin`, 0.62)),
      ['less-compressible hold@100', 'less-compressible cut@101'],
    ],
    [
      'a quarter of them',
      LEARNT,
      many(101, (i) => file(`/srv/${i}.bin`, i % 4 === 0 ? 0.92 : 0.35)),
      ['more-random-data hold@100', 'more-random-data cut@101'],
    ],
    ['nearly a quarter', LEARNT, many(104, (i) => file(`/srv/${i}.bin`, i % 5 === 0 ? 0.92 : 0.35)), []],
    ['the canary', LEARNT, [file('/srv/canary.txt', 0.4)], ['canary cut@1']],
    [
      'the canary, new or with other rights',
      LEARNT,
      [file('/srv/canary.txt', 0.4, { action: 'new' }), file('/srv/canary.txt', 0, { dataBytes: 0 })],
      [],
    ],
  ] as const)('%s', (_name, expected, files, found) => {
    expect(feed(expected, files)).toEqual(found);
  });

  test('what cannot be is not learnt: a few files each night would make it usual', () => {
    const rules = new StreamRules(LEARNT, SETTINGS, new Set());
    for (const each of many(10, (i) => file(`/srv/${i}.txt`, i < 5 ? 1 : 0.4))) rules.file(each);
    expect(rules.figures()).toMatchObject({ outOfType: 5, dense: 5 });
    expect(rules.figures().types.get('txt')).toEqual({ seen: 5, dense: 0 });
  });

  test('directories are no files', () => {
    const rules = new StreamRules(LEARNT, SETTINGS, new Set());
    for (const each of many(9, (i) => file(`/srv/${i}/`, 0.4, { action: 'new' }))) rules.file(each);
    rules.file(file('/srv/one.txt', 0.4));
    expect(rules.figures()).toMatchObject({ files: 1, fresh: 0, changed: 1, packed: 4_000, measured: 1 });
  });

  test('many changed files are held, from a share and from a multiple of the median', () => {
    const edited = many(1_200, (i) => file(`/srv/${i}.txt`, 0.35));
    expect(feed(LEARNT, edited)).toEqual(['many-changed hold@1001']);
    expect(feed({ ...LEARNT, files: 400 }, edited)).toEqual(['many-changed hold@121']);
    expect(feed({ ...LEARNT, changed: 200 }, edited)).toEqual([]);
  });

  test.each([
    [10_000, 1_000_000_000, undefined],
    [9_500, 1_000_000_000, undefined],
    [9_499, 1_000_000_000, 'hold'],
    [8_000, 1_000_000_000, 'hold'],
    [7_999, 1_000_000_000, 'cut'],
    [10_000, 700_000_000, undefined],
    [10_000, 699_000_000, 'cut'],
  ])('%i files with %i bytes are there', (files, bytes, grade) => {
    const rules = new StreamRules(LEARNT, SETTINGS, new Set());
    expect(rules.scanned({ files, bytes })[0]?.grade).toBe(grade);
    expect(rules.scanned({ files, bytes })).toEqual([]);
    for (const unknown of [
      { ...LEARNT, runs: 0 },
      { ...LEARNT, files: 49 },
    ])
      expect(new StreamRules(unknown, SETTINGS, new Set()).scanned({ files: 1, bytes: 1 })).toEqual([]);
  });
});

describe('when it has ended', () => {
  const FIGURES: StreamFigures = {
    files: 40,
    fresh: 5,
    changed: 30,
    packed: 1_000_000,
    measured: 35,
    dense: 0,
    ratio: 0.35,
    outOfType: 0,
    outOfTypes: new Map(),
    types: new Map(),
  };
  const judge = (figures: Partial<StreamFigures>, difference: Difference | null = null, expected = LEARNT) =>
    judgeEnded(
      { figures: { ...FIGURES, ...figures }, files: 10_000, bytes: 1_000_000_000, difference },
      expected,
      SETTINGS,
    ).map(({ rule, grade }) => `${rule} ${grade}`);
  const gone = (removed: number, added = 0): Difference => ({ removed, added, modified: 0 });

  test.each([
    ['an ordinary day', {}, gone(20, 60), []],
    ['removed', {}, gone(501), ['removed hold']],
    ['not so many', {}, gone(500), []],
    ['moved', { packed: 1_000 }, gone(1_000, 1_000), ['moved warn']],
    ['much moved', { packed: 1_000 }, gone(5_001, 5_001), ['moved hold']],
    ['replaced', { packed: 100_000_000 }, gone(1_000, 1_000), ['removed hold']],
    ['rewritten', { measured: 500, ratio: 0.75 }, null, ['rewritten hold']],
    ['a little rewritten', { measured: 499, ratio: 0.9 }, null, []],
    ['many changed', { changed: 3_001, ratio: 0.35 }, null, ['many-changed hold']],
    ['denser', { changed: 60, measured: 65, ratio: 0.6 }, null, ['less-compressible warn']],
    ['much denser', { changed: 5_000, ratio: 0.5 }, null, ['many-changed hold', 'less-compressible hold']],
    ['out of type', { outOfType: 10 }, null, ['out-of-type hold']],
    ['a few out of type', { outOfType: 9 }, null, []],
    ['growth', { packed: 2 ** 30 + 1 }, null, ['growth warn']],
  ] as const)('%s', (_name, figures, difference, found) => {
    expect(judge(figures, difference)).toEqual(found);
    expect(judge(figures, difference, { ...LEARNT, runs: 0 })).toEqual([]);
  });

  test('a few a night add up', () => {
    expect(judge({ outOfType: 1 }, null, { ...LEARNT, outOfType: 18 })).toEqual([]);
    expect(judge({ outOfType: 1 }, null, { ...LEARNT, outOfType: 19 })).toEqual(['out-of-type hold']);
    expect(judge({ outOfType: 0 }, null, { ...LEARNT, outOfType: 40 })).toEqual([]);
  });
});

describe('what is learnt', () => {
  const run = (change: Partial<PastRun> = {}): PastRun => ({
    at: '2026-11-21T00:00:00Z',
    snapshot: 'a'.repeat(64),
    files: 100,
    bytes: 1_000,
    changed: 10,
    fresh: 0,
    packed: 500,
    measured: 10,
    dense: 1,
    ratio: 0.4,
    out_of_type: 0,
    out_of_types: [],
    removed: 0,
    suspect: null,
    ...change,
  });
  const types = (name: string, seen: number, dense: number) => new Map([[name, { seen, dense }]]);
  const after = (runs: readonly PastRun[], seen = types('txt', 10, 0)): Past =>
    runs.reduce<Past>((past, one) => withRun(past, one, seen), NO_PAST);

  test('medians from enough good ones; from suspect ones nothing', () => {
    const six = after(Array.from({ length: 6 }, () => run()));
    expect(expectedFrom(six, 7)).toMatchObject({
      runs: 6,
      files: 100,
      changed: null,
      ratio: null,
      dense: null,
    });
    const eight = [1, 2, 3].reduce(
      (past, n) =>
        withRun(past, run({ changed: n * 100, suspect: n === 3 ? 'x' : null, files: n }), new Map()),
      six,
    );
    expect(expectedFrom(eight, 7)).toMatchObject({ runs: 8, files: 2, changed: 10, ratio: 0.4 });
    expect(eight.learnt).toBe(8);
    expect(expectedFrom(withReleased(eight, 'x', true), 7)).toMatchObject({ runs: 9, files: 3 });
    expect(expectedFrom(withReleased(eight, 'x', false), 7)).toMatchObject({ runs: 8 });
    expect(expectedFrom(after(Array.from({ length: 80 }, () => run())), 7).runs).toBe(60);
  });

  test('types: known from the beginning, or after two weeks; compressible, dense, or neither', () => {
    expect(expectedFrom(after([run()]), 7).types.get('txt')).toBe('known');
    expect(expectedFrom(after([run(), run()]), 7).types.get('txt')).toBe('compressible');
    expect(expectedFrom(after([run()], types('raw', 40, 30)), 7).types.get('raw')).toBe('dense');
    expect(expectedFrom(after([run()], types('x', 40, 5)), 7).types.get('x')).toBe('known');
    const late = withRun(after([run()]), run(), types('new', 50, 0));
    expect(expectedFrom(late, 7).types.has('new')).toBe(false);
    const settled = Array.from({ length: 13 }).reduce<Past>((past) => withRun(past, run(), new Map()), late);
    expect(expectedFrom(settled, 7).types.get('new')).toBe('compressible');
  });

  test('an expected release of what cannot be compressed takes the type out; any release ends the count', () => {
    const slow = Array.from({ length: 4 }, () => run({ out_of_type: 5, out_of_types: ['txt'] }));
    const held = withRun(
      after([run(), run(), ...slow]),
      run({ out_of_type: 5, out_of_types: ['txt'], suspect: 'x' }),
      new Map(),
    );
    expect(expectedFrom(held, 7)).toMatchObject({ outOfType: 25 });
    expect(expectedFrom(held, 7).types.get('txt')).toBe('compressible');
    const looked = expectedFrom(withReleased(held, 'x', false), 7);
    expect([looked.outOfType, looked.types.get('txt')]).toEqual([0, 'compressible']);
    const meant = expectedFrom(withReleased(held, 'x', true), 7);
    expect([meant.outOfType, meant.types.get('txt')]).toEqual([0, 'known']);
    expect(withReleased(held, 'another', true)).toBe(held);
  });

  test('the middle', () => {
    expect([medianOf([]), medianOf([3]), medianOf([4, 1]), medianOf([9, 1, 5])]).toEqual([null, 3, 2.5, 5]);
  });

  test.each([
    ['/srv/a.TXT', 'txt', 'a'],
    ['/srv/a.tar.gz', 'gz', 'a.tar'],
    ['/srv/app.log.1', 'log', 'app.log'],
    ['/srv/.profile', '', '.profile'],
    ['/srv.d/none', '', 'none'],
    ['/srv/a.this-is-no-extension-at-all', '', 'a'],
    ['/srv/2026.11', '', '2026'],
  ])('%s is of type %s', (path, extension, stem) => {
    expect([extensionOf(path), stemOf(path)]).toEqual([extension, stem]);
  });
});
