import { describe, expect, test } from 'vitest';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openJournal } from '../../src/journal/file.ts';
import { fileName } from '../../src/journal/names.ts';
import { JournalPages, type Page } from '../../src/journal/page.ts';
import { note, NO_ROTATION, realOptions, temporaryDirectory } from './rig.ts';

/** A journal with this many notes, and a reader of its own. */
async function written(count: number, rotateAtBytes = NO_ROTATION) {
  const directory = await temporaryDirectory();
  const journal = await openJournal(realOptions(directory, rotateAtBytes));
  const write = async (more: number): Promise<void> => {
    for (let i = 0; i < more; i++) await journal.append(note(`n${journal.head().size}`));
  };
  await write(count);
  const pages = new JournalPages(directory, () => journal.head().size);
  return { directory, journal, pages, write, path: (number: number) => join(directory, fileName(number)) };
}

const seqs = ({ entries }: Page): number[] => entries.map(({ seq }) => seq);
const upTo = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Every page from the beginning, as a reader asks for them who trusts what he is told. */
async function readAll(pages: JournalPages, limit: number): Promise<Page[]> {
  const all: Page[] = [];
  for (let after = 0; ;) {
    const page = await pages.page(after, limit);
    expect(page.nextAfter).toBeGreaterThanOrEqual(after);
    all.push(page);
    after = page.nextAfter;
    if (after >= page.size) return all;
    if (all.length > 1_000) throw new Error('pages do not end');
  }
}

describe('pages', () => {
  test('give every entry once, in order, over files, whatever their length', async () => {
    const { directory, pages, journal } = await written(60, 2_000);
    const { size } = journal.head();
    for (const limit of [1, 7, 500]) {
      const all = await readAll(pages, limit);
      expect(all.flatMap(seqs)).toEqual(upTo(1, size));
      expect(all.every(({ missing }) => missing === null)).toBe(true);
    }
    // A reader of whom nothing is remembered finds the same.
    for (const after of [0, 1, 17, 33, size - 1]) {
      const fresh = new JournalPages(directory, () => size);
      expect(seqs(await fresh.page(after, 3))).toEqual(upTo(after + 1, Math.min(size, after + 3)));
    }
    expect(await pages.page(size, 5)).toEqual({ entries: [], nextAfter: size, size, missing: null });
    expect(await pages.page(size + 9, 5)).toEqual({ entries: [], nextAfter: size, size, missing: null });
  });

  test('go on with what is written later, and never give what is not acknowledged', async () => {
    const { directory, journal, pages, path, write } = await written(5);
    expect(seqs(await pages.page(0, 500))).toEqual(upTo(1, 5));
    await write(3);
    expect(seqs(await pages.page(5, 500))).toEqual([6, 7, 8]);
    expect(seqs(await new JournalPages(directory, () => 7).page(5, 500))).toEqual([6, 7]);
    const whole = await readFile(path(1), 'utf8');
    const text = (await pages.page(7, 1)).entries.map((entry) => JSON.stringify(entry));
    expect(whole).toContain(`${text[0]}\n`);
    await journal.close();
  });

  test('are bounded in bytes', async () => {
    const { journal, pages } = await written(0);
    for (let i = 0; i < 12; i++) await journal.append(note('x'.repeat(60_000)));
    const first = await pages.page(0, 500);
    expect(first.entries.length).toBeLessThan(12);
    expect((await readAll(pages, 500)).flatMap(seqs)).toEqual(upTo(1, 12));
  });

  test('say what was taken away, and go on behind it', async () => {
    const { journal, pages, path } = await written(60, 2_000);
    const { size } = journal.head();
    const firstOf = async (number: number): Promise<number> =>
      (JSON.parse((await readFile(path(number), 'utf8')).split('\n', 1)[0] ?? '') as { seq: number }).seq;
    const [second, third, fourth] = [await firstOf(2), await firstOf(3), await firstOf(4)];
    await rm(path(3));
    const gap = await readAll(pages, 500);
    expect(gap.flatMap(seqs)).toEqual([...upTo(1, third - 1), ...upTo(fourth, size)]);
    expect(gap.flatMap(({ missing }) => missing ?? [])).toMatchObject([{ from: third, to: fourth - 1 }]);
    await rm(path(1));
    await rm(path(2));
    const { missing, entries } = await pages.page(second, 1);
    expect(missing).toMatchObject({ from: second + 1, to: fourth - 1 });
    expect(entries[0]?.seq).toBe(fourth);
  });

  test('say which line cannot be read, and go on behind it', async () => {
    const { pages, path } = await written(9);
    const lines = (await readFile(path(1), 'utf8')).split('\n');
    lines[3] = lines[3]?.replace('"n3"', '"n3" ') ?? '';
    lines[4] = '{}';
    await writeFile(path(1), lines.join('\n'));
    const all = await readAll(pages, 500);
    expect(all.flatMap(seqs)).toEqual([1, 2, 3, 6, 7, 8, 9]);
    expect(all.flatMap(({ missing }) => missing ?? [])).toMatchObject([{ from: 4, to: 5 }]);
  });

  test('say that the end is gone', async () => {
    const { pages, path } = await written(9);
    const lines = (await readFile(path(1), 'utf8')).split('\n');
    await writeFile(path(1), `${lines.slice(0, 6).join('\n')}\n`);
    const all = await readAll(pages, 500);
    expect(all.flatMap(seqs)).toEqual(upTo(1, 6));
    expect(all.at(-1)).toMatchObject({ missing: { from: 7, to: 9 }, nextAfter: 9 });
  });
});
