/** The manifest: a million files must neither eat the box nor be mistaken for one another. */
import { lstatSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { adoptDraft, ManifestDraft, readManifest } from '../../src/controller/guards/manifest.ts';

const directory = mkdtempSync(join(tmpdir(), 'portcullis-manifest-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const FILES = process.env['PORTCULLIS_LONG'] === undefined ? 50_000 : 1_000_000;
if (FILES < 1_000_000) console.info(`short form: ${FILES} files; PORTCULLIS_LONG=1 takes a million`);

test(`${FILES} files: 24 bytes each on disk, told apart, and found again`, { timeout: 120_000 }, async () => {
  const path = join(directory, 'manifest.bin');
  const one = join(directory, 'one');
  writeFileSync(one, 'x');
  const real = lstatSync(one);
  const stats = (size: number, mtimeMs: number): Stats =>
    Object.assign(Object.create(real) as Stats, { size, mtimeMs });
  const name = (index: number): string =>
    `/srv/data/${index % 1_000}/some-longer-name-of-a-file-${index}.txt`;
  const draft = await ManifestDraft.begin(path);
  for (let index = 0; index < FILES; index += 1)
    draft.add(name(index), stats(index, 1_700_000_000_000 + index));
  await draft.finish();
  await adoptDraft(path);
  expect(statSync(path).size).toBe(16 + 24 * FILES);

  const before = process.memoryUsage().arrayBuffers;
  const manifest = await readManifest(path);
  expect(manifest?.count).toBe(FILES);
  // File, index of at most 16 bytes a file, one byte of marks.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(FILES * 48 + 4_000_000);
  const counts = { new: 0, same: 0, changed: 0, touched: 0 };
  for (let index = 0; index < FILES; index += 1) {
    // Every hundredth has another size, every hundred-first another time, one in a thousand is gone.
    if (index % 1_000 === 7) continue;
    const size = index % 100 === 0 ? index + 1 : index;
    const time = 1_700_000_000_000 + index + (index % 101 === 1 ? 5 : 0);
    counts[manifest?.compare(name(index), stats(size, time)) ?? 'new'] += 1;
  }
  expect(manifest?.unseen).toBe(FILES / 1_000);
  expect(counts.new).toBe(0);
  expect(counts.changed).toBeGreaterThan(FILES * 0.018);
  expect(counts.changed).toBeLessThan(FILES * 0.021);
  for (let index = FILES; index < FILES * 1.2; index += 1)
    expect(manifest?.compare(name(index), stats(index, 0))).toBe('new');
});
