/** What a trip leaves behind on disk survives whatever the disk does, or is not acknowledged. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LatchFile, type Latches, readLatches } from '../../src/interlock/records/latch-file.ts';
import { latchesFound } from '../../src/interlock/records/latches-found.ts';
import { LOSSES, sweep, SyscallDisk } from './syscall-disk.ts';

const STATE = '/state';
const PATH = join(STATE, 'latch.json');
const LINKS = ['vault', 'attic'];
const clock = { calendarMs: () => Date.UTC(2026, 10, 21, 3) };
const at = '2026-11-21T03:00:00.000Z';
const vault: Latches = { vault: { by: 'source:alarm', reason: 'mass deletion', at } };
const both: Latches = { ...vault, attic: { by: 'button', reason: 'pressed', at } };

/** A journal that holds so many entries, or cannot be read at all. */
const journalOf = (size: number, ok = true): Parameters<typeof latchesFound>[2] => ({
  head: () => ({ size, hash: '' }),
  writable: () => (ok ? { ok: true } : { ok: false, why: 'EROFS' }),
});

const diskWith = async (latches: Latches | null): Promise<SyscallDisk> => {
  const disk = new SyscallDisk();
  if (latches !== null) await new LatchFile(disk, STATE).save(latches);
  return disk;
};

/** The links latched after power was lost and came back, for every way in which it may be lost. */
async function latchedAfterwards(
  disk: SyscallDisk,
  entries: number,
): Promise<readonly (readonly string[])[]> {
  const found = LOSSES.map((loss) =>
    latchesFound(disk.afterPowerLoss(loss), STATE, journalOf(entries), LINKS, clock),
  );
  return (await Promise.all(found)).map(({ latches }) => Object.keys(latches));
}

const saved = (disk: SyscallDisk, latches: Latches): Promise<boolean> =>
  new LatchFile(disk, STATE).save(latches).then(
    () => true,
    () => false,
  );

describe('a trip that was acknowledged survives the loss of power, whichever call fails', () => {
  test.each([
    ['the first trip', {}, vault, 5],
    ['the first trip, with an empty journal', {}, vault, 0],
    ['a trip before there is any file', null, vault, 0],
    ['a second link', vault, both, 5],
  ] as const)('%s', async (_what, before, after, entries) => {
    let acknowledged = 0;
    const runs = await sweep(
      async (disk, how) => {
        if (!(await saved(disk, after))) return;
        acknowledged += 1;
        for (const latched of await latchedAfterwards(disk, entries))
          expect(latched, how).toEqual(expect.arrayContaining(Object.keys(after)));
      },
      () => diskWith(before),
    );
    expect(runs).toBeGreaterThan(20);
    expect(acknowledged).toBeGreaterThan(6);
  });

  test('and one that was not acknowledged leaves what was there, or latches', async () => {
    await sweep(
      async (disk, how) => {
        await saved(disk, both);
        for (const latched of await latchedAfterwards(disk, 5)) expect(latched, how).toContain('vault');
      },
      () => diskWith(vault),
    );
  });

  test('a reset of one link lifts no other, whichever call fails', async () => {
    await sweep(
      async (disk, how) => {
        await saved(disk, { vault: both['vault'] ?? { by: '', reason: '', at } });
        for (const latched of await latchedAfterwards(disk, 5)) expect(latched, how).toContain('vault');
      },
      () => diskWith(both),
    );
  });

  test('saves go to disk in the order in which they were asked for, however long the first takes', async () => {
    const disk = new SyscallDisk();
    const first = Promise.withResolvers<void>();
    let replaces = 0;
    const slow: SyscallDisk = Object.assign(Object.create(disk) as SyscallDisk, {
      replace: async (path: string, bytes: Uint8Array) => {
        replaces += 1;
        if (replaces === 1) await first.promise;
        await disk.replace(path, bytes);
      },
    });
    const file = new LatchFile(slow, STATE);
    const saves = [file.save(vault), file.save(both)];
    for (let i = 0; i < 100; i += 1) await Promise.resolve();
    first.resolve();
    await Promise.all(saves);
    expect(await readLatches(disk, STATE)).toEqual({ kind: 'read', latches: both });
  });

  test('on a disk without space the file is emptied, as often as it takes', async () => {
    const disk = await diskWith({});
    const full: SyscallDisk = Object.assign(Object.create(disk) as SyscallDisk, {
      replace: () => Promise.reject(new Error('ENOSPC')),
      openAppend: (path: string) => disk.openAppend(path),
      syncDirectory: (path: string) => disk.syncDirectory(path),
    });
    expect(await saved(full, vault)).toBe(true);
    expect(await saved(full, both)).toBe(true);
    for (const latched of await latchedAfterwards(disk, 0)) expect(latched).toEqual(LINKS);
    // A reset must not be able to do the same: there is nothing to fall back to that says clear.
    expect(await saved(full, {})).toBe(false);
  });
});

describe('reading never says clear, nor anything else, of what is not whole', () => {
  const file = async (latches: Latches): Promise<Buffer> =>
    Buffer.from((await (await diskWith(latches)).read(PATH)) ?? []);
  const read = async (bytes: Uint8Array): Promise<Awaited<ReturnType<typeof readLatches>>> => {
    const disk = new SyscallDisk();
    disk.put(PATH, bytes);
    return readLatches(disk, STATE);
  };

  test.each([
    ['two links', both],
    ['clear', {}],
  ])('every single byte changed to every other: %s', async (_what, latches) => {
    const bytes = await file(latches);
    let same = 0;
    for (let index = 0; index < bytes.length; index += 1) {
      const garbled = Buffer.from(bytes);
      for (let value = 0; value < 256; value += 1) {
        garbled[index] = value;
        const found = await read(garbled);
        if (found.kind === 'unreadable') continue;
        expect(found, `byte ${index} is ${value}`).toEqual({ kind: 'read', latches });
        same += 1;
      }
    }
    // The file itself, once per byte, and other white space at its end.
    expect(same).toBe(bytes.length + 3);
  });

  test('every truncation, and anything after the end', async () => {
    const bytes = await file(both);
    for (let length = 0; length < bytes.length - 1; length += 1)
      expect((await read(bytes.subarray(0, length))).kind, `${length} bytes`).toBe('unreadable');
    expect(await read(bytes.subarray(0, -1))).toEqual({ kind: 'read', latches: both });
    expect((await read(Buffer.concat([bytes, Buffer.from('{}')]))).kind).toBe('unreadable');
    expect((await read(Buffer.concat([bytes, bytes]))).kind).toBe('unreadable');
  });

  test.each([
    '',
    'null',
    '{}',
    '[]',
    '{"latches":{}}',
    '{"digest":"","latches":{}}',
    '{"digest":1,"latches":{}}',
  ])('%j', async (text) => {
    expect((await read(Buffer.from(text))).kind).toBe('unreadable');
  });

  test('a disk that cannot be read', async () => {
    const disk = await diskWith({});
    disk.calls = 0;
    disk.failFrom = 1;
    expect(await readLatches(disk, STATE)).toMatchObject({ kind: 'unreadable' });
  });
});

describe('what a start makes of it', () => {
  const found = async (
    latches: Latches | null,
    journal: Parameters<typeof latchesFound>[2],
  ): Promise<Awaited<ReturnType<typeof latchesFound>>> =>
    latchesFound(await diskWith(latches), STATE, journal, LINKS, clock);

  test('a file that can be read is believed', async () => {
    expect(await found(both, journalOf(5))).toEqual({ latches: both, saved: true, note: 'read' });
    expect(await found({}, journalOf(0, false))).toMatchObject({ latches: {}, saved: true });
  });

  test.each([
    ['beside a journal', journalOf(1)],
    ['beside a journal that cannot be read', journalOf(0, false)],
  ])('a missing file %s latches every link, and that is not saved yet', async (_what, journal) => {
    const { latches, saved: isSaved } = await found(null, journal);
    expect(Object.keys(latches)).toEqual(LINKS);
    expect(latches['vault']?.by).toBe('fault:latch-missing');
    expect(isSaved).toBe(false);
  });

  test('a missing file beside an empty journal is a first start, once', async () => {
    const disk = new SyscallDisk();
    expect(await latchesFound(disk, STATE, journalOf(0), LINKS, clock)).toMatchObject({ latches: {} });
    expect(await readLatches(disk, STATE)).toEqual({ kind: 'read', latches: {} });
  });

  test('what cannot be read latches every link', async () => {
    const disk = new SyscallDisk();
    disk.put(PATH, Buffer.from('{"digest":"'));
    const { latches, saved: isSaved, note } = await latchesFound(disk, STATE, journalOf(0), LINKS, clock);
    expect(Object.values(latches).map(({ by }) => by)).toEqual(LINKS.map(() => 'fault:latch-unreadable'));
    expect(isSaved).toBe(false);
    expect(note).toContain('cannot be read');
  });
});
