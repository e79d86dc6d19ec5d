import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { lineHash } from '../../src/journal/chain.ts';
import { openJournal } from '../../src/journal/file.ts';
import { MAX_TORN_BYTES } from '../../src/journal/opening.ts';
import { MemoryDisk } from './memory-disk.ts';
import { chainOf, entriesOn, memoryOptions, note, texts } from './rig.ts';

const FIRST = 'journal-000001.jsonl';
const lines = chainOf(['one', 'two', 'three', 'four']);
const whole = `${lines.join('\n')}\n`;
const digestOf = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function opened(content: string | Uint8Array, others: Record<string, string> = {}) {
  const disk = new MemoryDisk();
  disk.put(FIRST, content);
  for (const [name, text] of Object.entries(others)) disk.put(name, text);
  const before = new Map(
    [...disk.files].map(([path, { content: bytes }]) => [path, bytes.toString('latin1')]),
  );
  const journal = await openJournal(memoryOptions(disk));
  const unchanged = (): boolean =>
    disk.files.size === before.size &&
    [...disk.files].every(([path, { content: bytes }]) => before.get(path) === bytes.toString('latin1'));
  return { disk, journal, unchanged };
}

describe('a torn tail', () => {
  test.each<[string, Uint8Array]>([
    ['half an entry', Buffer.from('{"actor":"per')],
    ['one byte', Buffer.from('{')],
    [
      'an entry without its newline',
      Buffer.from(chainOf(['one', 'two', 'three', 'four', 'five']).at(-1) ?? ''),
    ],
    ['zeros', Buffer.alloc(4096)],
    ['zeros with a newline', Buffer.concat([Buffer.alloc(100), Buffer.from('\n')])],
    ['garbage over several lines', Buffer.from('a\nb\n\n{}\nnull\nc')],
    ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x0a, 0xc3])],
    ['an empty line', Buffer.from('\n')],
  ])('of %s is cut off, kept aside, and put on record first', async (_what, tail) => {
    const { disk, journal } = await opened(Buffer.concat([Buffer.from(whole), tail]));
    expect(journal.writable()).toEqual({ ok: true });
    expect(disk.text(FIRST).startsWith(whole)).toBe(true);
    const kept = disk.files.get('/journal/journal-000001.torn')?.content;
    expect(kept?.equals(tail)).toBe(true);
    await journal.append(note('five'));
    const entries = entriesOn(disk);
    expect(entries[4]).toMatchObject({
      seq: 5,
      type: 'journal.repaired',
      prev: lineHash(lines[3] ?? ''),
      data: {
        file: FIRST,
        dropped_bytes: tail.length,
        sha256: digestOf(tail),
        saved_as: 'journal-000001.torn',
      },
    });
    expect(texts(entries)).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test('at any byte of the last entry loses that entry only', async () => {
    const end = Buffer.byteLength(whole);
    const begin = end - Buffer.byteLength(lines[3] ?? '') - 1;
    for (let size = begin; size < end; size++) {
      const { disk, journal } = await opened(Buffer.from(whole).subarray(0, size));
      expect(journal.writable()).toEqual({ ok: true });
      expect(texts(entriesOn(disk))).toEqual(['one', 'two', 'three']);
      expect(entriesOn(disk).filter(({ type }) => type === 'journal.repaired')).toHaveLength(
        size === begin ? 0 : 1,
      );
    }
  });

  test('that comes again is kept beside the first, and each is recorded once', async () => {
    const { disk, journal } = await opened(`${whole}x`);
    await journal.close();
    disk.put(FIRST, `${disk.text(FIRST)}yy`);
    const second = await openJournal(memoryOptions(disk));
    await second.close();
    const third = await openJournal(memoryOptions(disk));
    expect(third.head().size).toBe(6);
    expect(disk.names()).toEqual(['journal-000001.2.torn', FIRST, 'journal-000001.torn']);
    expect(
      entriesOn(disk)
        .slice(4)
        .map(({ data }) => data['saved_as']),
    ).toEqual(['journal-000001.torn', 'journal-000001.2.torn']);
  });

  test('mended by a process that died before saying so is put on record by the next', async () => {
    const { disk } = await opened(whole, { 'journal-000001.torn': 'lost' });
    expect(entriesOn(disk).at(-1)).toMatchObject({
      type: 'journal.repaired',
      data: { sha256: digestOf('lost') },
    });
  });

  test('in a file that had only begun leaves the carried head to be written again', async () => {
    const { disk, journal } = await opened(whole, { 'journal-000002.jsonl': '{"actor":"jour' });
    expect(journal.writable()).toEqual({ ok: true });
    expect(
      entriesOn(disk)
        .map(({ type }) => type)
        .slice(4),
    ).toEqual(['journal.rotated', 'journal.repaired']);
    expect(disk.text(FIRST)).toBe(whole);
  });

  test('that cannot be kept aside is not cut off', async () => {
    const disk = new MemoryDisk();
    disk.put(FIRST, `${whole}torn`);
    const replace = disk.replace.bind(disk);
    disk.replace = () => Promise.reject(new Error('ENOSPC: no space left on device'));
    const journal = await openJournal(memoryOptions(disk));
    expect(journal.writable()).toMatchObject({ ok: false, why: expect.stringContaining('ENOSPC') });
    expect(disk.text(FIRST)).toBe(`${whole}torn`);
    disk.replace = replace;
    await journal.retry();
    expect(
      entriesOn(disk)
        .map(({ type }) => type)
        .slice(4),
    ).toEqual(['journal.repaired', 'journal.write-failed', 'journal.resumed']);
  });
});

describe('a broken chain', () => {
  const [a = '', b = '', c = '', d = ''] = lines;
  const other = chainOf(['x', 'y', 'z', 'w', 'v']);
  test.each<[string, string, RegExp]>([
    [
      'a changed entry',
      whole.replace('"two"', '"TWO"'),
      /journal-000001\.jsonl line 3: prev is not the hash of entry 2/,
    ],
    ['a line that is no entry', `${a}\nnonsense\n${c}\n${d}\n`, /line 2: not JSON, and whole entries follow/],
    ['a missing entry', `${a}\n${c}\n${d}\n`, /line 2: seq is 3 where 2 must follow/],
    ['swapped entries', `${a}\n${c}\n${b}\n${d}\n`, /line 2: seq is 3/],
    ['an entry twice', `${a}\n${b}\n${b}\n${c}\n${d}\n`, /line 3: seq is 2/],
    ['a foreign last entry', `${a}\n${b}\n${c}\n${other[3]}\n`, /line 4: prev is not the hash/],
    ['a foreign last entry without newline', `${whole}${other[4]}`, /line 5: prev is not the hash/],
    ['a missing beginning', `${b}\n${c}\n${d}\n`, /line 1: seq is 2 where 1 must follow/],
    [
      'garbage, then a whole entry without newline',
      `${a}\n${b}\nxx\n${d}`,
      /line 3: not JSON, and whole entries follow/,
    ],
    ['an endless tail', whole + 'x'.repeat(MAX_TORN_BYTES + 1), /bytes that are no entries/],
  ])('with %s is reported and left alone', async (_what, content, why) => {
    const { journal, unchanged } = await opened(content);
    const state = journal.writable();
    expect(state).toMatchObject({ ok: false, why: expect.stringMatching(why) });
    await expect(journal.append(note('more'))).rejects.toThrow(/broken/);
    await journal.retry();
    expect(journal.writable().ok).toBe(false);
    await journal.close();
    expect(unchanged()).toBe(true);
  });

  test('between files is reported and left alone', async () => {
    const { disk, journal } = await opened(whole, { 'journal-000002.jsonl': '' });
    await journal.append(note('five'));
    await journal.close();
    const second = disk.text('journal-000002.jsonl');
    const cases: [Record<string, string>, string, RegExp][] = [
      [
        { 'journal-000002.jsonl': second },
        whole.replace('"four"', '"FOUR"'),
        /journal-000002\.jsonl line 1: prev is not the hash of entry 4/,
      ],
      [
        { 'journal-000002.jsonl': second },
        `${a}\n${b}\n${c}\n`,
        /journal-000002\.jsonl line 1: seq is 5 where 4/,
      ],
      [{ 'journal-000002.jsonl': second }, `${whole}torn`, /journal-000001\.jsonl is not the last file/],
      [{ 'journal-000002.jsonl': second }, '', /journal-000001\.jsonl is not the last file/],
      [{ 'journal-000003.jsonl': second }, whole, /journal-000002\.jsonl is missing between/],
      [
        { 'journal-000002.jsonl': second.split('\n').slice(1).join('\n') },
        whole,
        /journal-000002\.jsonl line 1: seq is 6/,
      ],
    ];
    for (const [others, first, why] of cases) {
      const broken = await opened(first, others);
      expect(broken.journal.writable()).toMatchObject({ ok: false, why: expect.stringMatching(why) });
      expect(broken.unchanged()).toBe(true);
    }
  });

  test('whose files were run together or cut elsewhere is reported and left alone', async () => {
    const { disk, journal } = await opened(whole, { 'journal-000002.jsonl': '' });
    await journal.append(note('five'));
    await journal.close();
    const second = disk.text('journal-000002.jsonl');
    const [carry = ''] = second.split('\n');
    const cases: [string, Record<string, string>, RegExp][] = [
      [`${whole}${second}`, {}, /journal-000001\.jsonl line 5: journal\.rotated is not at the beginning/],
      [
        `${a}\n${b}\n${c}\n`,
        { 'journal-000002.jsonl': `${d}\n${second}` },
        /journal-000002\.jsonl line 1: the file does not begin/,
      ],
      [
        `${whole}${carry}\n`,
        { 'journal-000002.jsonl': second.slice(carry.length + 1) },
        /journal-000002\.jsonl line 1: the file does not/,
      ],
    ];
    for (const [first, others, why] of cases) {
      const broken = await opened(first, others);
      expect(broken.journal.writable()).toMatchObject({ ok: false, why: expect.stringMatching(why) });
      expect(broken.unchanged()).toBe(true);
    }
  });

  test('tells its verified head', async () => {
    const { journal } = await opened(whole.replace('"three"', '"THREE"'));
    expect(journal.head().size).toBe(3);
  });
});
