import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../src/journal/file.ts';
import { isHeld, LOCK_NAME, lockDirectory, LockHeldError } from '../../src/journal/lock.ts';
import { verifyJournal } from '../../src/journal/reading.ts';
import { tailJournal } from '../../src/journal/tail.ts';
import { chainOf, note, realOptions, temporaryDirectory } from './rig.ts';

const appender = join(import.meta.dirname, 'appender.ts');

/** Starts a writer in another process; `acknowledged` grows with what it was told is on disk. */
async function startWriter(directory: string, rotateAtBytes = 20_000) {
  const child: ChildProcess = spawn(process.execPath, [appender, directory, String(rotateAtBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const acknowledged = new Map<number, string>();
  const opened = Promise.withResolvers<number>();
  if (child.stdout === null) throw new Error('no stdout');
  const lines = createInterface({ input: child.stdout });
  const reached: { seq: number; resolve: () => void }[] = [];
  const drained = once(lines, 'close');
  let last = 0;
  lines.on('line', (line) => {
    const [first = '', second = ''] = line.split(' ');
    if (first === 'open') return opened.resolve(Number(second));
    last = Number(first);
    acknowledged.set(last, second);
    for (const waiting of reached) if (last >= waiting.seq) waiting.resolve();
  });
  const exited = once(child, 'exit');
  return {
    child,
    acknowledged,
    opened: opened.promise,
    /** Resolves once so many entries were acknowledged. */
    reach: (seq: number) => new Promise<void>((resolve) => reached.push({ seq, resolve })),
    async kill() {
      child.kill('SIGKILL');
      await exited;
      await drained;
    },
  };
}

describe('a writer killed with SIGKILL', () => {
  test(
    'again and again leaves a journal with everything that was acknowledged',
    { timeout: 60_000 },
    async () => {
      const directory = await temporaryDirectory();
      const known = new Map<number, string>();
      let size = 0;
      for (let round = 1; round <= 6; round++) {
        const writer = await startWriter(directory);
        expect(await writer.opened).toBeGreaterThanOrEqual(size);
        await writer.reach(size + 37 * round);
        await writer.kill();
        for (const [seq, prev] of writer.acknowledged) known.set(seq, prev);
        size = Math.max(...known.keys());
      }
      const journal = await openJournal(realOptions(directory));
      expect(journal.writable()).toEqual({ ok: true });
      await journal.append(note('after'));
      await journal.close();
      const heads = [...known].map(([seq, hash]) => ({ size: seq - 1, hash, label: `before ${seq}` }));
      const found = await verifyJournal(directory, { heads });
      expect(found).toMatchObject({ ok: true, problems: [], contradictedHeads: [] });
      expect(found.confirmedHeads).toHaveLength(heads.length);
      expect(found.entries).toBeGreaterThan(size);
      expect(found.files.length).toBeGreaterThan(1);
      expect((await readdir(directory)).filter((name) => name.includes('lock'))).toEqual([]);
    },
  );
});

describe('a second writer', () => {
  test(
    'is refused while the first one lives, in another process or in this one, and let in when it died',
    { timeout: 30_000 },
    async () => {
      const directory = await temporaryDirectory();
      const writer = await startWriter(directory);
      await writer.opened;
      await expect(openJournal(realOptions(directory))).rejects.toThrow(LockHeldError);
      await expect(openJournal(realOptions(directory))).rejects.toThrow(
        new RegExp(`held by process ${writer.child.pid}`),
      );
      expect(await isHeld(directory)).toBe(true);
      await writer.kill();
      expect(await isHeld(directory)).toBe(false);
      const journal = await openJournal(realOptions(directory));
      expect(journal.writable().ok).toBe(true);
      await expect(openJournal(realOptions(directory))).rejects.toThrow(LockHeldError);
      await journal.close();
      await (await openJournal(realOptions(directory))).close();
    },
  );

  test('one of many gets a stale lock, and one alone', { timeout: 30_000 }, async () => {
    const directory = await temporaryDirectory();
    for (let round = 0; round < 20; round++) {
      await writeFile(join(directory, LOCK_NAME), `${process.pid}\nanother-boot\n1\n`);
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(directory)));
      const won = results.filter((result) => result.status === 'fulfilled');
      expect(won).toHaveLength(1);
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LockHeldError);
      await won[0]?.value.release();
      expect(await readdir(directory)).toEqual([]);
    }
  });

  test.each([
    ['of another boot', async () => `${process.pid}\nanother-boot\n${await startTime()}\n`],
    ['of a process whose number was given to another', async () => `${process.pid}\n${await bootId()}\n1\n`],
    ['of no process', async () => `4194304\n${await bootId()}\n1\n`],
    ['torn by a power cut', async () => '\0\0\0'],
    ['empty', async () => ''],
  ])('takes over a lock %s', async (_what, content) => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, LOCK_NAME), await content());
    expect(await isHeld(directory)).toBe(false);
    const lock = await lockDirectory(directory);
    expect(await readFile(join(directory, LOCK_NAME), 'utf8')).toMatch(new RegExp(`^${process.pid}\n`));
    await lock.release();
  });

  test('also takes over from one that died while taking over', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, LOCK_NAME), '');
    await writeFile(join(directory, `${LOCK_NAME}.takeover`), '');
    await (await lockDirectory(directory)).release();
    expect(await readdir(directory)).toEqual([]);
  });

  /** Of this process, as in the lock of a living holder. */
  const startTime = async (): Promise<string> =>
    (await readFile('/proc/self/stat', 'utf8')).split(') ')[1]?.split(' ')[19] ?? '';
  test('knows a living holder by its number, boot and start', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, LOCK_NAME), `${process.pid}\n${await bootId()}\n${await startTime()}\n`);
    await expect(lockDirectory(directory)).rejects.toThrow(LockHeldError);
  });

  const bootId = async (): Promise<string> =>
    (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
});

test('the newest entries are found however long their lines are', async () => {
  const directory = await temporaryDirectory();
  const words = Array.from({ length: 12 }, (_, index) =>
    'x'.repeat([60_000, 3, 30_000, 65_000][index % 4] ?? 0),
  );
  await writeFile(join(directory, 'journal-000001.jsonl'), `${chainOf(words).join('\n')}\n`);
  for (let count = 0; count <= 13; count++) {
    const { lines } = await tailJournal(directory, count);
    expect(lines.map(({ entry }) => entry?.seq)).toEqual(
      words.map((_word, index) => index + 1).slice(words.length - Math.min(count, 12)),
    );
  }
});

test('the newest entries are found across files', async () => {
  const directory = await temporaryDirectory();
  const journal = await openJournal(realOptions(directory, 2_000));
  for (let index = 0; index < 60; index++) await journal.append(note(`n${index}`));
  await journal.close();
  const { size } = journal.head();
  for (const count of [0, 1, 2, 7, 8, 9, 30, size, size + 10]) {
    const { lines } = await tailJournal(directory, count);
    expect(lines.map(({ entry }) => entry?.seq)).toEqual(
      Array.from({ length: Math.min(count, size) }, (_, index) => size - Math.min(count, size) + index + 1),
    );
  }
  await appendFile(join(directory, (await readdir(directory)).toSorted().at(-1) ?? ''), '{"half');
  expect((await tailJournal(directory, 1)).lines[0]?.entry?.seq).toBe(size);
});
