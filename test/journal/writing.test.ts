import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { GENESIS, lineHash } from '../../src/journal/chain.ts';
import { EntryError, MAX_LINE_BYTES, type Entry } from '../../src/journal/entry.ts';
import { JournalUnwritableError, openJournal, STALL_MS, type Journal } from '../../src/journal/file.ts';
import { MAX_LISTED_REFUSALS } from '../../src/journal/outage.ts';
import { MemoryDisk, type FailureMode } from './memory-disk.ts';
import { chainOf, entriesOn, memoryOptions, NO_ROTATION, note, texts, tickingClock } from './rig.ts';

const FIRST = 'journal-000001.jsonl';

async function appendAll(
  journal: Journal,
  words: readonly string[],
): Promise<{ done: string[]; refused: string[] }> {
  const results = await Promise.allSettled(words.map((word) => journal.append(note(word))));
  const done = words.filter((_word, index) => results[index]?.status === 'fulfilled');
  return { done, refused: words.filter((word) => !done.includes(word)) };
}

describe('an append', () => {
  test('carries order, time, chain, and is on disk when it resolves', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    const first = await journal.append(note('one'));
    const second = await journal.append(note('two'));
    expect(first).toMatchObject({
      seq: 1,
      boot: 'boot-1',
      clock: 'synchronised',
      prev: GENESIS.hash,
      data: { text: 'one' },
    });
    const lines = disk.text(FIRST).split('\n');
    expect(second.prev).toBe(
      createHash('sha256')
        .update(lines[0] ?? '')
        .digest('hex'),
    );
    expect(journal.head()).toEqual({
      size: 2,
      hash: createHash('sha256')
        .update(lines[1] ?? '')
        .digest('hex'),
    });
    expect(entriesOn(disk)).toEqual([first, second]);
    disk.losePower(0);
    expect(entriesOn(disk)).toHaveLength(2);
    expect(second.mono).toBeGreaterThan(first.mono);
  });

  test('shares its fsync with those that wait with it, in order', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    const before = disk.syncs;
    const words = Array.from({ length: 500 }, (_, index) => `entry ${index}`);
    await appendAll(journal, words);
    expect(texts(entriesOn(disk))).toEqual(words);
    expect(disk.syncs - before).toBe(1);
  });

  test('takes what was true at the call, not at the write', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    const data = { text: 'said' };
    const promise = journal.append({ type: 'test.note', actor: 'me', data });
    data.text = 'changed';
    expect((await promise).data).toEqual({ text: 'said' });
    expect(texts(entriesOn(disk))).toEqual(['said']);
  });

  test.each<[string, unknown]>([
    ['half a surrogate pair', { x: '\ud83d' }],
    ['NaN', { x: Number.NaN }],
    ['undefined', { x: undefined }],
    ['too much', { x: 'a'.repeat(MAX_LINE_BYTES) }],
  ])('of %s is refused and harms nothing', async (_what, data) => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    const [bad, good] = await Promise.allSettled([
      journal.append({ type: 'test.note', actor: 'me', data: data as Entry['data'] }),
      journal.append(note('good')),
    ]);
    expect(bad).toMatchObject({ status: 'rejected', reason: expect.any(EntryError) });
    expect(good.status).toBe('fulfilled');
    expect(journal.writable()).toEqual({ ok: true });
    expect(texts(entriesOn(disk))).toEqual(['good']);
  });

  test('of a type that is the journal’s own is refused', async () => {
    const journal = await openJournal(memoryOptions(new MemoryDisk()));
    await expect(journal.append({ type: 'journal.rotated', actor: 'me', data: {} })).rejects.toThrow(
      /journal alone/,
    );
  });

  test('after closing is refused', async () => {
    const journal = await openJournal(memoryOptions(new MemoryDisk()));
    await journal.close();
    await expect(journal.append(note('late'))).rejects.toThrow(JournalUnwritableError);
    expect(journal.writable().ok).toBe(false);
  });

  test('with an unusable boot id is a mistake of the caller, found at opening', async () => {
    await expect(openJournal({ ...memoryOptions(new MemoryDisk()), bootId: 'two words' })).rejects.toThrow(
      EntryError,
    );
    await expect(openJournal(memoryOptions(new MemoryDisk(), 0))).rejects.toThrow(RangeError);
  });
});

describe('rotation', () => {
  test('begins a file with the carried head and goes on with the same chain', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk, 1_000));
    for (let index = 0; index < 20; index++) await journal.append(note(`entry ${index}`));
    expect(disk.names().length).toBeGreaterThan(3);
    const entries = entriesOn(disk);
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_entry, index) => index + 1));
    const carried = entries.filter(({ type }) => type === 'journal.rotated');
    expect(carried).toHaveLength(disk.names().length - 1);
    for (const { seq, prev, data } of carried) expect(data).toMatchObject({ size: seq - 1, hash: prev });
    expect(texts(entries)).toEqual(Array.from({ length: 20 }, (_, index) => `entry ${index}`));
  });

  test('leaves a journal that opens when older files were pruned', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk, 1_000));
    for (let index = 0; index < 20; index++) await journal.append(note(`entry ${index}`));
    const head = journal.head();
    await journal.close();
    const kept = disk.names().at(-1) ?? '';
    for (const path of disk.files.keys()) if (!path.endsWith(kept)) disk.files.delete(path);
    const again = await openJournal(memoryOptions(disk, 1_000));
    expect(again.writable()).toEqual({ ok: true });
    expect(again.head()).toEqual(head);
    expect((await again.append(note('more'))).seq).toBeGreaterThan(head.size);
  });

  test('does not write into a file that somebody else put there', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk, 100));
    await journal.append(note('one'));
    disk.put('journal-000002.jsonl', 'not ours\n');
    await expect(journal.append(note('two'))).rejects.toThrow(/not ours/);
    expect(disk.text('journal-000002.jsonl')).toBe('not ours\n');
  });
});

describe('when the disk fails', () => {
  test('nothing is recorded until a retry, which says what happened', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    const changes: boolean[] = [];
    journal.onWritableChange(({ ok }) => changes.push(ok));
    await journal.append(note('before'));
    disk.failFrom = disk.calls + 1;
    await expect(journal.append(note('lost'))).rejects.toThrow(/ENOSPC/);
    const state = journal.writable();
    expect(state).toMatchObject({
      ok: false,
      why: expect.stringMatching(/journal-000001\.jsonl cannot be written: ENOSPC/),
    });
    disk.heal();
    await expect(journal.append(note('also lost'))).rejects.toThrow(JournalUnwritableError);
    await journal.retry();
    expect(journal.writable()).toEqual({ ok: true });
    expect(changes).toEqual([false, true]);
    await journal.append(note('after'));
    const entries = entriesOn(disk);
    expect(entries.map(({ type }) => type)).toEqual([
      'test.note',
      'journal.write-failed',
      'journal.resumed',
      'test.note',
    ]);
    expect(entries[1]?.data['why']).toMatch(/ENOSPC/);
    expect(entries[2]?.data).toMatchObject({
      refused: 2,
      refused_entries: [{ type: 'test.note' }, { type: 'test.note' }],
    });
    expect(entries[1]?.mono).toBeLessThan(entries[2]?.mono ?? 0);
    expect(texts(entries)).toEqual(['before', 'after']);
  });

  test('a retry on a disk that still fails changes nothing', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    await journal.append(note('before'));
    disk.failFrom = disk.calls + 1;
    await expect(journal.append(note('lost'))).rejects.toThrow();
    for (let attempt = 0; attempt < 3; attempt++) await journal.retry();
    expect(journal.writable().ok).toBe(false);
    disk.heal();
    await Promise.all([journal.retry(), journal.retry()]);
    expect(journal.writable().ok).toBe(true);
    expect(entriesOn(disk).map(({ type }) => type)).toEqual([
      'test.note',
      'journal.write-failed',
      'journal.resumed',
    ]);
  });

  test('however much was refused, the record of it fits into a line', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    disk.failFrom = disk.calls + 1;
    const worst = { type: 't'.repeat(100), actor: '\u0001'.repeat(200), data: {} };
    for (let index = 0; index < 100; index++) await expect(journal.append(worst)).rejects.toThrow();
    disk.heal();
    await journal.retry();
    expect(journal.writable()).toEqual({ ok: true });
    const resumed = entriesOn(disk).at(-1);
    expect(resumed?.data['refused']).toBe(100);
    expect(resumed?.data['refused_entries']).toHaveLength(MAX_LISTED_REFUSALS);
  });

  test('what is refused while the retry writes is put on record too', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    disk.failFrom = disk.calls + 1;
    await expect(journal.append(note('one'))).rejects.toThrow();
    disk.heal();
    const retry = journal.retry();
    // Refused at every moment of the retry, whatever it is doing just then.
    let tried = 0;
    const end = { reached: false };
    void retry.then(() => {
      end.reached = true;
    });
    while (!end.reached) {
      const outcome = journal.append(note(`during ${tried}`)).then(
        () => 'done',
        () => 'refused',
      );
      if ((await outcome) === 'refused') tried += 1;
    }
    await journal.append(note('end'));
    const counted = entriesOn(disk)
      .filter(({ type }) => type === 'journal.resumed')
      .reduce((sum, { data }) => sum + Number(data['refused']), 0);
    expect(tried).toBeGreaterThan(3);
    expect(counted).toBe(1 + tried);
  });

  test('what was refused is on record however often the retry fails on the way', async () => {
    for (let nth = 1; ; nth++) {
      const disk = new MemoryDisk();
      const journal = await openJournal(memoryOptions(disk));
      disk.failFrom = disk.calls + 1;
      await expect(journal.append(note('lost'))).rejects.toThrow();
      disk.failFrom = disk.calls + nth;
      disk.failUntil = disk.failFrom;
      const failed = disk.failed;
      await journal.retry();
      const missed = disk.failed === failed;
      expect(journal.writable().ok).toBe(missed);
      disk.heal();
      await journal.retry();
      expect(entriesOn(disk).at(-1)?.data['refused'], `call ${nth} of the retry fails`).toBe(1);
      if (missed) break;
    }
  });

  test('everything that waits behind a failed write is refused, for nothing may follow half a line', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    // The next write fails, and only that one: a later batch would find a working disk.
    disk.failFrom = disk.calls + 1;
    disk.failUntil = disk.failFrom;
    const long = 'x'.repeat(60_000);
    const { done } = await appendAll(
      journal,
      Array.from({ length: 60 }, (_, index) => `${index} ${long}`),
    );
    expect(done).toEqual([]);
    expect(journal.writable().ok).toBe(false);
    await journal.retry();
    await journal.append(note('after'));
    expect(texts(entriesOn(disk))).toEqual(['after']);
  });

  test('an opening that fails can be retried', async () => {
    const disk = new MemoryDisk();
    disk.failFrom = 1;
    const journal = await openJournal(memoryOptions(disk));
    expect(journal.writable()).toMatchObject({ ok: false, why: expect.stringContaining('ENOSPC') });
    disk.heal();
    await journal.retry();
    expect(journal.writable()).toEqual({ ok: true });
    expect(entriesOn(disk).map(({ type }) => type)).toEqual(['journal.write-failed', 'journal.resumed']);
  });

  test('a file that was changed under the writer is not continued', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    await journal.append(note('one'));
    await journal.append(note('two'));
    disk.failFrom = disk.calls + 1;
    await expect(journal.append(note('lost'))).rejects.toThrow();
    disk.heal();
    const whole = disk.text(FIRST).slice(0, disk.text(FIRST).lastIndexOf('\n') + 1);
    disk.put(FIRST, whole.replace('two', 'TWO'));
    await journal.retry();
    expect(journal.writable()).toMatchObject({
      ok: false,
      why: expect.stringMatching(/no longer ends with entry 2/),
    });
    disk.put(FIRST, whole.slice(0, -20));
    await journal.retry();
    expect(journal.writable()).toMatchObject({
      ok: false,
      why: expect.stringMatching(/shorter than what was acknowledged/),
    });
    disk.put(FIRST, whole);
    await journal.retry();
    expect(journal.writable()).toEqual({ ok: true });
  });

  test('a disk that does not answer shows as not writable', async () => {
    const disk = new MemoryDisk();
    const clock = tickingClock();
    const journal = await openJournal({ ...memoryOptions(disk), now: clock.now });
    const { promise, resolve } = Promise.withResolvers<void>();
    const open = disk.openAppend.bind(disk);
    disk.openAppend = async (path) => ({ ...(await open(path)), append: () => promise });
    await openJournal(memoryOptions(disk));
    const stuck = await openJournal({ ...memoryOptions(disk), now: clock.now });
    const append = stuck.append(note('waits'));
    await Promise.resolve();
    expect(stuck.writable()).toEqual({ ok: true });
    clock.pass(STALL_MS);
    expect(stuck.writable()).toMatchObject({
      ok: false,
      why: expect.stringMatching(/has not answered for \d+ ms/),
    });
    resolve();
    await append;
    expect(stuck.writable()).toEqual({ ok: true });
    await journal.close();
  });
});

describe('the n-th call fails, for every n', () => {
  const words = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
  const tornFile = `${chainOf(['old one', 'old two']).join('\n')}\n{"torn":`;
  const modes: FailureMode[] = ['before', 'half', 'after'];
  const situations = [false, true].flatMap((torn) =>
    [NO_ROTATION, 500].flatMap((rotateAtBytes) =>
      modes.flatMap((mode) => [1, 2, 7].map((length) => ({ torn, rotateAtBytes, mode, length }))),
    ),
  );

  test.each(situations)(
    'torn $torn, rotation at $rotateAtBytes, $mode, $length calls in a row',
    async (situation) => {
      let nth = 1;
      for (; ; nth++) {
        const disk = new MemoryDisk();
        if (situation.torn) disk.put(FIRST, tornFile);
        disk.failFrom = nth;
        disk.failUntil = nth + situation.length - 1;
        disk.mode = situation.mode;
        const journal = await openJournal(memoryOptions(disk, situation.rotateAtBytes));
        const acknowledged: string[] = [];
        for (let index = 0; index < words.length; index += 2) {
          const { done, refused } = await appendAll(journal, words.slice(index, index + 2));
          acknowledged.push(...done);
          expect(journal.writable().ok || refused.length > 0 || disk.failed > 0).toBe(true);
          if (!journal.writable().ok) await journal.retry();
        }
        const where = `call ${nth} (${disk.trace[nth - 1]})`;
        for (let attempt = 0; attempt < 10 && !journal.writable().ok; attempt++) await journal.retry();
        expect(journal.writable(), where).toEqual({ ok: true });
        const head = journal.head();
        const entries = entriesOn(disk);
        expect({ size: entries.length, hash: lineHash(lastLine(disk)) }, where).toEqual(head);
        // Refused entries are not written, acknowledged ones are, once and in order.
        expect(texts(entries), where).toEqual([
          ...(situation.torn ? ['old one', 'old two'] : []),
          ...acknowledged,
        ]);
        if (situation.torn) {
          expect(
            entries.filter(({ type }) => type === 'journal.repaired'),
            where,
          ).toHaveLength(1);
          expect(disk.text('journal-000001.torn'), where).toBe('{"torn":');
        }
        await reopenAfterPowerLoss(disk, situation.rotateAtBytes, where, [...acknowledged]);
        if (disk.failed === 0) break;
      }
      expect(nth).toBeGreaterThan(10);
    },
  );

  test.each(modes)('then the power fails: %s', async (mode) => {
    for (const share of [0, 0.3, 0.7, 1]) {
      for (let nth = 1; ; nth++) {
        const disk = new MemoryDisk();
        disk.put(FIRST, tornFile);
        disk.failFrom = nth;
        disk.mode = mode;
        const journal = await openJournal(memoryOptions(disk, 500));
        const { done } = await appendAll(journal, words.slice(0, 3));
        const { done: more } = await appendAll(journal, words.slice(3));
        const failed = disk.failed;
        disk.heal();
        disk.losePower(share);
        await reopenAfterPowerLoss(
          disk,
          500,
          `call ${nth}, ${share} of the rest kept`,
          [...done, ...more],
          true,
        );
        if (failed === 0) break;
      }
    }
  });

  function lastLine(disk: MemoryDisk): string {
    const last = disk.names().findLast((name) => name.endsWith('.jsonl') && disk.text(name) !== '') ?? '';
    return disk.text(last).trimEnd().split('\n').at(-1) ?? '';
  }

  async function reopenAfterPowerLoss(
    disk: MemoryDisk,
    rotateAtBytes: number,
    where: string,
    acknowledged: string[],
    torn = false,
  ) {
    disk.heal();
    const again = await openJournal(memoryOptions(disk, rotateAtBytes));
    expect(again.writable(), where).toEqual({ ok: true });
    await again.append(note('reopened'));
    const entries = entriesOn(disk);
    const found = texts(entries).filter((text) => !String(text).startsWith('old'));
    // What was acknowledged is there, in order; what was not may be, for nobody said it was not.
    expect(
      found.filter((text) => acknowledged.includes(String(text))),
      where,
    ).toEqual(acknowledged);
    expect(new Set(found).size, where).toBe(found.length);
    expect(found.at(-1)).toBe('reopened');
    const repaired = entries.filter(({ type }) => type === 'journal.repaired');
    if (torn) {
      const kept = disk.names().filter((name) => name.endsWith('.torn'));
      expect(repaired.map(({ data }) => data['saved_as']).toSorted(), where).toEqual(kept);
    }
  }
});
