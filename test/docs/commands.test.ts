/** Every command of README, docs and hardware is run: here, on a box with real processes, or by the test that its row names. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingTools } from '../faults/rig.ts';
import type { Got } from '../notify/parts.ts';
import { Box } from './box.ts';
import { keysOf, missingLine } from './loosely.ts';
import { blocksIn, type Command, commandsIn, pages } from './pages.ts';
import { disagreements, type Row, rowsOf, type RowsOfPage, typed } from './rows.ts';
import { FOLLOWED, NOT_ON_A_BOX, STORIES } from './stories.ts';
import { Tour, TOUR } from './tour.ts';
import { follow } from './walk.ts';

/** A machine that is busy with other things takes its time. */
const SLOW_MS = 240_000;
const TOP = join(import.meta.dirname, '../..');
const commands = [...pages].flatMap(([page, text]) => commandsIn(page, text));
const table: readonly { page: string; rows: readonly (Row<Box> | Row<Tour>)[] }[] = [
  { page: TOUR.page, rows: rowsOf(TOUR) },
  ...[...STORIES, ...NOT_ON_A_BOX].map((story) => ({ page: story.page, rows: rowsOf(story) })),
];
const rows = table.flatMap((each) => each.rows);
const missing = missingTools();

const isTripped = ({ body }: Got): boolean => body.includes('portcullis.link.tripped');

/** What a page shows in a block without commands. */
const shown = (page: string, language: string): string =>
  blocksIn(page, pages.get(page) ?? '').find((block) => block.language === language)?.text ?? '';

describe('the table', () => {
  test('has a row for every command of the pages, and no other', () => {
    expect(disagreements(commands, table, FOLLOWED)).toEqual([]);
    const kinds = rows.map(({ kind }) => kind);
    const here = kinds.filter((kind) => kind === 'typed' || kind === 'goes on').length;
    const not = kinds.filter((kind) => kind === 'not run').length;
    console.log(
      `${commands.length} commands: ${here} run here, ${commands.length - here - not} by other tests, ${not} not run`,
    );
  });

  test('names tests that are there and do it', () => {
    const named = [...FOLLOWED, ...rows.filter((row) => row.kind === 'elsewhere')];
    for (const { test: path, proof } of named) {
      expect(existsSync(join(TOP, path)), path).toBe(true);
      expect(readFileSync(join(TOP, path), 'utf8'), path).toContain(proof);
    }
  });

  test('notices a new command, a row that is too much, another order, and a page that lost its commands', () => {
    const at = (page: string, ...texts: string[]): Command[] =>
      texts.map((text) => ({ page, text, shows: [] }));
    const of = (page: string, ...begins: string[]): RowsOfPage => ({
      page,
      rows: begins.map((each) => ({ begins: each })),
    });
    expect(disagreements(at('a', 'one', 'two -x'), [of('a', 'one', 'two')], [])).toEqual([]);
    expect(disagreements(at('a', 'one', 'new', 'two'), [of('a', 'one', 'two')], [])).toEqual([
      'a: no row for: new',
    ]);
    expect(disagreements(at('a', 'one'), [of('a', 'zero', 'one', 'two')], [])).toEqual([
      'a: a row for no command: zero',
      'a: a row for no command: two',
    ]);
    expect(disagreements(at('a', 'two', 'one'), [of('a', 'one', 'two')], [])).not.toEqual([]);
    expect(disagreements(at('b', 'one'), [], [])).toEqual(['b: no row for: one']);
    const followed = [{ page: 'c', test: 'x', proof: 'y' }];
    expect(disagreements([], [], followed)).toEqual(['c: has no command']);
  });

  test('is of what the pages tell people to type', () => {
    const page = 'x\n```sh\n# a remark\none \\\n  two\n```\n- y\n  ```console\n  $ three\n  shown\n  ```\n';
    expect(commandsIn('p', page)).toEqual([
      { page: 'p', text: 'one two', shows: [] },
      { page: 'p', text: 'three', shows: ['shown'] },
    ]);
    expect(commandsIn('p', '```sh\nnpx vitest run test/docs\nnpx vitest run test/gone\n```\n')).toHaveLength(
      1,
    );
  });
});

describe.skipIf(missing !== null)('followed', { timeout: SLOW_MS }, () => {
  let box: Box;
  let tour: Tour;
  const begun = (): Tour => new Tour(commands.find(({ page }) => page === TOUR.page)?.text ?? '');
  beforeAll(async () => {
    box = await Box.begin();
    // The demo takes half a minute of its own, in which the other pages are followed.
    tour = begun();
  }, SLOW_MS);
  // Nothing is left running, also when the box did not come to be.
  afterAll(async () => {
    await Promise.all([(tour as Tour | undefined)?.end(), (box as Box | undefined)?.end()]);
  }, SLOW_MS);

  test.each(STORIES.map((story) => [story.page, story] as const))('%s', async (_, story) => {
    await box.reset();
    await follow(story, commands, box);
  });

  test('a command that is wrong is noticed', async () => {
    const says = async (text: string): Promise<number> =>
      follow(
        { page: 'p', steps: [typed<Box>('', { says: ['vault'] })] },
        [{ page: 'p', text, shows: [] }],
        box,
      );
    await expect(says('portcullis status --jsn')).rejects.toThrow('portcullis status --jsn');
    await expect(says('echo something else')).rejects.toThrow('echo something else');
    await expect(says('echo the vault')).resolves.toBe(1);
  });

  test('what the pages show is what the box says', () => {
    expect(missingLine(shown('docs/api.md', 'text'), box.announced)).toBeNull();
    expect(missingLine(shown('docs/when-it-is-tripped.md', 'text'), box.status)).toBeNull();
    expect(missingLine('vault: TRIPPED for ever', box.status)).toBe('vault: TRIPPED for ever');
  });

  test.each([
    ['docs/notifications.md', () => JSON.parse(box.told.got.find(isTripped)?.body ?? '{}') as unknown],
    ['docs/api.md', () => box.refused],
  ])('the document that %s shows has keys that are there', (page, said) => {
    const keys = keysOf(JSON.parse(shown(page, 'json')));
    expect(keys.length).toBeGreaterThan(2);
    expect(keysOf(said())).toEqual(expect.arrayContaining([...keys]));
  });

  // A disk that stalls for five seconds ends a commissioning or a window, by design: the demo is begun once more then.
  let tours = 0;
  test('README.md', { retry: 1 }, async () => {
    tours += 1;
    if (tours > 1) {
      console.warn(`AGAIN: the tour of the README came to nothing at first; ${tour.demo.words()}`);
      await tour.end();
      tour = begun();
    }
    await follow(TOUR, commands, tour);
    expect(missingLine(shown('README.md', 'text'), tour.demo.stdout)).toBeNull();
  });
});
