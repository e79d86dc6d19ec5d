/** `portcullis canary` and `portcullis anomaly`, as they are typed. */
import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AnomalyBook } from '../../src/controller/anomalies/book.ts';
import { nodeDisk } from '../../src/journal/disk.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
let directory: string;
let config: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'portcullis-commands-')));
  mkdirSync(join(directory, 'state'));
  mkdirSync(join(directory, 'home'));
  config = join(directory, 'portcullis.yaml');
  writeFileSync(config, `links: {}\ncontroller: { state_directory: ${join(directory, 'state')} }\n`);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const run = (
  ...args: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args, '--config', config], (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });

test('canaries are planted once, verified, and replaced only when asked', { timeout: 180_000 }, async () => {
  const home = join(directory, 'home');
  expect(await run('canary', 'verify')).toMatchObject({ code: 1 });
  expect(await run('canary', 'plant', home)).toMatchObject({ code: 0 });
  const names = readdirSync(home);
  expect(names).toHaveLength(2);
  expect((await run('canary', 'plant', home)).out).toContain('has its canaries');
  expect(readdirSync(home)).toEqual(names);
  expect(await run('canary', 'verify')).toMatchObject({
    code: 0,
    out: expect.stringContaining('intact') as string,
  });

  const one = join(home, names[0] ?? '');
  writeFileSync(one, readFileSync(one, 'utf8').toUpperCase());
  const verified = await run('canary', 'verify', '--json');
  expect(verified.code).toBe(1);
  expect(
    verified.out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown),
  ).toContainEqual({ path: one, kind: 'changed' });
  const refused = await run('canary', 'plant', home);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('--again') as string });
  expect(await run('canary', 'plant', '--again', home)).toMatchObject({ code: 0 });
  expect(await run('canary', 'verify')).toMatchObject({ code: 0 });
  expect(await run('canary', 'plant', join(directory, 'absent'))).toMatchObject({ code: 1 });
});

test('anomalies are listed until they are released, with a reason, once', { timeout: 180_000 }, async () => {
  expect(await run('anomaly', 'list')).toMatchObject({ code: 0, out: 'nothing is held\n' });
  const book = new AnomalyBook(nodeDisk, join(directory, 'state'));
  const found = {
    window: 'nightly',
    occurrence: 'one',
    link: 'vault',
    repository: 'main',
    rule: 'removed',
    action: 'hold' as const,
    why: 'half of it is gone\u001b[2J',
    numbers: { removed: 5 },
    snapshot: 'a'.repeat(64),
  };
  const { id } = await book.add(found, '2026-11-21T02:00:00Z');
  expect(await book.add({ ...found, why: 'more is gone' }, '2026-11-22T02:00:00Z')).toMatchObject({
    id,
    times: 2,
  });
  const listed = await run('anomaly', 'list');
  expect(listed).toMatchObject({ code: 1 });
  expect(listed.out).toContain(
    `${id}  2026-11-21T02:00:00Z  window nightly, repository main  removed: hold, 2 times`,
  );

  expect(await run('anomaly', 'release', id)).toMatchObject({ code: 2 });
  expect(await run('anomaly', 'release', 'a20261121-000000', '--reason', 'x')).toMatchObject({ code: 2 });
  expect(await run('anomaly', 'release', id, '--reason', 'moved to the new disk')).toMatchObject({ code: 0 });
  expect(await run('anomaly', 'release', id, '--reason', 'again')).toMatchObject({ code: 1 });
  expect(await run('anomaly', 'list')).toMatchObject({ code: 0 });
  expect((await run('anomaly', 'list', '--all')).out).toContain('moved to the new disk');
  const settled = await book.settle();
  expect(settled).toMatchObject([{ id, release: { reason: 'moved to the new disk', expected: false } }]);
  expect(await book.settle()).toEqual([]);
  // A new one of the same kind is a new finding.
  expect((await book.add(found, '2026-11-23T02:00:00Z')).id).not.toBe(id);
});
