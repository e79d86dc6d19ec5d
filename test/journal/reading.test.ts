import { describe, expect, test } from 'vitest';
import { createVerifier, GENESIS, lineHash } from '../../src/journal/chain.ts';
import { parseEntry, printEntry, type Entry } from '../../src/journal/entry.ts';
import { openJournal } from '../../src/journal/file.ts';
import { exportJournal } from '../../src/journal/export.ts';
import { verifyJournal, type KnownHead, type Verification } from '../../src/journal/reading.ts';
import { MemoryDisk } from './memory-disk.ts';
import {
  chainOf,
  directoryWith,
  entriesOn,
  memoryOptions,
  note,
  realOptions,
  temporaryDirectory,
} from './rig.ts';
import { open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

type Files = Record<string, Buffer>;

/** A journal of three files, made by the journal itself. */
async function sample(
  count = 14,
  rotateAtBytes = 900,
): Promise<{ files: Files; head: KnownHead; heads: KnownHead[] }> {
  const disk = new MemoryDisk();
  const journal = await openJournal(memoryOptions(disk, rotateAtBytes));
  const heads: KnownHead[] = [];
  for (let index = 0; index < count; index++) {
    await journal.append(note(`n${index}`));
    heads.push({ ...journal.head(), label: `after n${index}` });
  }
  const files: Files = {};
  for (const name of disk.names()) files[name] = Buffer.from(disk.text(name));
  return { files, head: { ...journal.head(), label: 'end' }, heads };
}

/** Writes over the files of one directory again and again: thousands of variants without thousands of directories. */
async function bench() {
  const directory = await temporaryDirectory();
  let there: string[] = [];
  const verify = async (files: Files, heads: readonly KnownHead[]): Promise<Verification> => {
    for (const name of there) if (!(name in files)) await rm(join(directory, name));
    there = Object.keys(files);
    for (const name of there) await writeFile(join(directory, name), files[name] ?? '');
    return verifyJournal(directory, { heads });
  };
  return Object.assign(verify, { directory });
}

const SMALL = { count: 4, rotateAtBytes: 250 };

describe('a sound journal', () => {
  test('verifies, with every head it ever had', async () => {
    const { files, head, heads } = await sample();
    const found = await verifyJournal(await directoryWith(files), { heads });
    expect(found).toMatchObject({
      ok: true,
      firstSeq: 1,
      head: { size: head.size, hash: head.hash },
      problems: [],
      contradictedHeads: [],
    });
    expect(found.entries).toBe(head.size);
    expect(found.confirmedHeads).toHaveLength(heads.length);
    expect(found.files.map(({ name }) => name)).toEqual(Object.keys(files));
    expect(found.files.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(
      Object.values(files).reduce((sum, { length }) => sum + length, 0),
    );
  });

  test('whose older files were pruned verifies from where it begins, and says so', async () => {
    const { files, heads } = await sample();
    const [oldest = '', ...rest] = Object.keys(files);
    const directory = await directoryWith(
      Object.fromEntries(rest.map((name) => [name, files[name] ?? Buffer.alloc(0)])),
    );
    const pruned = (files[oldest]?.toString('utf8') ?? '').trimEnd().split('\n').length;
    const found = await verifyJournal(directory, { heads });
    expect(found).toMatchObject({ ok: true, firstSeq: pruned + 1, contradictedHeads: [] });
    // The head just before the beginning is still carried, the older ones cannot be checked.
    expect(found.uncheckedHeads).toHaveLength(pruned - 1);
    expect(found.confirmedHeads).toHaveLength(heads.length - pruned + 1);
  });

  test('with an empty newest file, as a power cut during rotation leaves it, verifies', async () => {
    const { files, head } = await sample(3, 1_000_000);
    const found = await verifyJournal(await directoryWith({ ...files, 'journal-000002.jsonl': '' }), {
      heads: [head],
    });
    expect(found).toMatchObject({ ok: true, entries: head.size });
  });

  test('of long lines across many chunks verifies', async () => {
    const lines = chainOf(
      Array.from({ length: 60 }, (_, index) => String(index % 10).repeat(60_000 + index)),
    );
    const found = await verifyJournal(
      await directoryWith({ 'journal-000001.jsonl': `${lines.join('\n')}\n` }),
    );
    expect(found).toMatchObject({ ok: true, entries: 60, head: { hash: lineHash(lines.at(-1) ?? '') } });
  });
});

describe('a journal that is not there', () => {
  test('does not verify', async () => {
    const { head } = await sample(2);
    const found = await verifyJournal(await temporaryDirectory(), { heads: [head] });
    expect(found).toMatchObject({
      ok: false,
      entries: 0,
      firstSeq: null,
      contradictedHeads: [{ label: 'end' }],
    });
  });
});

describe('every change of a sample journal', () => {
  const caught = (found: Verification): boolean =>
    !found.ok && (found.problems.length > 0 || found.contradictedHeads.length > 0);

  test('of a single byte is found', async () => {
    const { files, head } = await sample(SMALL.count, SMALL.rotateAtBytes);
    const verify = await bench();
    const names = Object.keys(files);
    expect(names.length).toBeGreaterThan(2);
    const missed: string[] = [];
    let tried = 0;
    let byHeadAlone = 0;
    await verify(files, [head]);
    for (const name of names) {
      const bytes = files[name] ?? Buffer.alloc(0);
      const handle = await open(join(verify.directory, name), 'r+');
      for (let at = 0; at < bytes.length; at++) {
        const before = bytes[at] ?? 0;
        // One bit (a digit stays a digit, a letter a letter); another case; a line feed; in turn a quote, a digit, no UTF-8.
        const likely = new Set([before ^ 1, before ^ 0x20, 0x0a, [0x22, 0x30, 0xff][at % 3] ?? 0]);
        likely.delete(before);
        for (const value of likely) {
          await handle.write(Buffer.of(value), 0, 1, at);
          const found = await verifyJournal(verify.directory, { heads: [head] });
          tried += 1;
          if (!caught(found)) missed.push(`${name} byte ${at}: ${before} -> ${value}`);
          if (found.problems.length === 0) byHeadAlone += 1;
        }
        await handle.write(Buffer.of(before), 0, 1, at);
      }
      await handle.close();
    }
    expect(await verifyJournal(verify.directory, { heads: [head] })).toMatchObject({ ok: true });
    expect(missed).toEqual([]);
    expect(tried).toBeGreaterThan(3_000);
    // In the last line alone a change can leave a sound chain: that is what heads kept elsewhere are for.
    expect(byHeadAlone).toBeGreaterThan(0);
  }, 120_000);

  test('by truncation at any byte is found, by the head where the rest is sound', async () => {
    const { files, head } = await sample(SMALL.count, SMALL.rotateAtBytes);
    const verify = await bench();
    const names = Object.keys(files);
    let sound = 0;
    for (const [index, name] of names.entries()) {
      const bytes = files[name] ?? Buffer.alloc(0);
      for (let size = 0; size < bytes.length; size++) {
        // Cut there, with the younger files gone too; and cut in the middle, with them still there.
        const kept = Object.fromEntries(
          names.slice(0, index).map((older) => [older, files[older] ?? Buffer.alloc(0)]),
        );
        const found = await verify({ ...kept, [name]: bytes.subarray(0, size) }, [head]);
        expect(caught(found), `${name} cut to ${size}`).toBe(true);
        expect(found.contradictedHeads).toHaveLength(1);
        if (found.problems.length === 0) sound += 1;
        if (index < names.length - 1) {
          const hole = await verify({ ...files, [name]: bytes.subarray(0, size) }, [head]);
          expect(hole.problems.length, `${name} cut to ${size} in the middle`).toBeGreaterThan(0);
        }
      }
    }
    // Cuts between lines leave a sound, shorter journal.
    expect(sound).toBeGreaterThan(5);
  }, 60_000);

  test('by deleting, doubling or swapping lines is found', async () => {
    const { files, head } = await sample();
    const verify = await bench();
    const lines = Object.entries(files).flatMap(([name, bytes]) =>
      bytes
        .toString('utf8')
        .trimEnd()
        .split('\n')
        .map((line) => ({ name, line })),
    );
    const variants: { what: string; changed: typeof lines }[] = [];
    for (let a = 0; a < lines.length; a++) {
      variants.push({ what: `without ${a}`, changed: lines.toSpliced(a, 1) });
      for (let b = 0; b < lines.length; b++) {
        const [one, two] = [lines[a], lines[b]];
        if (one === undefined || two === undefined) continue;
        variants.push({
          what: `${a} again before ${b}`,
          changed: lines.toSpliced(b, 0, { name: two.name, line: one.line }),
        });
        if (a < b) {
          const swapped = lines
            .with(a, { name: one.name, line: two.line })
            .with(b, { name: two.name, line: one.line });
          variants.push({ what: `${a} and ${b} swapped`, changed: swapped });
          variants.push({ what: `without ${a} to ${b}`, changed: lines.toSpliced(a, b - a + 1) });
        }
      }
    }
    expect(variants.length).toBeGreaterThan(300);
    for (const { what, changed } of variants) {
      const variant: Files = {};
      for (const { name, line } of changed)
        variant[name] = Buffer.concat([variant[name] ?? Buffer.alloc(0), Buffer.from(`${line}\n`)]);
      const found = await verify(variant, [head]);
      // Without exactly its oldest files it is a pruned journal: sound, and its beginning is reported.
      const begins = lines.length - changed.length;
      const pruned =
        begins > 0 &&
        changed.every((item, index) => item === lines[begins + index]) &&
        lines[begins - 1]?.name !== lines[begins]?.name;
      if (pruned && changed.length > 0) expect(found, what).toMatchObject({ ok: true, firstSeq: begins + 1 });
      else expect(caught(found), what).toBe(true);
    }
  }, 60_000);

  test('by removing, swapping or renaming files is found', async () => {
    const { files, head, heads } = await sample();
    const names = Object.keys(files);
    const at = (index: number): string => names[index] ?? '';
    const some = (kept: readonly string[]) =>
      Object.fromEntries(kept.map((name) => [name, files[name] ?? Buffer.alloc(0)]));
    const verify = await bench();
    expect(names.length).toBeGreaterThanOrEqual(4);
    expect(await verify(some(names.toSpliced(1, 1)), [])).toMatchObject({
      ok: false,
      problems: [{ file: at(1) }],
    });
    expect(await verify(some(names.slice(0, -1)), [head])).toMatchObject({
      ok: false,
      contradictedHeads: [{ label: 'end' }],
    });
    expect(
      await verify(
        { ...files, [at(1)]: files[at(2)] ?? Buffer.alloc(0), [at(2)]: files[at(1)] ?? Buffer.alloc(0) },
        [],
      ),
    ).toMatchObject({ ok: false });
    // A later file posing as the first one.
    expect(await verify({ [at(0)]: files[at(1)] ?? Buffer.alloc(0) }, [])).toMatchObject({
      ok: false,
      problems: [{ line: 1 }],
    });
    // An empty file slipped in between.
    const shifted = {
      [at(0)]: files[at(0)] ?? Buffer.alloc(0),
      [at(1)]: Buffer.alloc(0),
      [at(2)]: files[at(1)] ?? Buffer.alloc(0),
    };
    expect(await verify(shifted, [])).toMatchObject({
      ok: false,
      problems: [{ file: at(1), why: expect.stringMatching(/empty/) }],
    });
    // Two files run together: every line is there, yet not as they were written.
    expect(
      await verify(
        { [at(0)]: Buffer.concat([files[at(0)] ?? Buffer.alloc(0), files[at(1)] ?? Buffer.alloc(0)]) },
        [],
      ),
    ).toMatchObject({ ok: false });
    expect(heads.length).toBeGreaterThan(0);
  });

  test('by writing a whole new, sound history is found by a head', async () => {
    const { files, head, heads } = await sample();
    let prev = GENESIS.hash;
    const rewritten: Files = {};
    for (const [name, bytes] of Object.entries(files)) {
      const lines = bytes
        .toString('utf8')
        .trimEnd()
        .split('\n')
        .map((line) => {
          const entry = parseEntry(line);
          const data = entry.type === 'journal.rotated' ? { ...entry.data, hash: prev } : entry.data;
          const forged = printEntry({
            ...entry,
            actor: entry.seq === 3 ? 'nobody' : entry.actor,
            data,
            prev,
          });
          prev = lineHash(forged);
          return `${forged}\n`;
        });
      rewritten[name] = Buffer.from(lines.join(''));
    }
    const directory = await directoryWith(rewritten);
    expect(await verifyJournal(directory)).toMatchObject({ ok: true });
    const found = await verifyJournal(directory, { heads });
    expect(found.ok).toBe(false);
    expect(found.confirmedHeads.every(({ size }) => size < 3)).toBe(true);
    expect(found.contradictedHeads.some(({ size }) => size === head.size)).toBe(true);
  });
});

describe('what is reported', () => {
  test('names the file and the line, and the verified beginning', async () => {
    const { files } = await sample();
    const name = 'journal-000002.jsonl';
    const text = files[name]?.toString('utf8') ?? '';
    const line = text.split('\n').findIndex((candidate) => candidate.includes('"n4"'));
    const found = await verifyJournal(
      await directoryWith({ ...files, [name]: text.replace('"n4"', '"N4"') }),
    );
    expect(found.problems).toEqual([
      { file: name, line: line + 2, why: expect.stringMatching(/prev is not the hash of entry/) },
    ]);
    expect(found.head.size).toBe(found.entries);
  });

  test('never quotes what stands in a bad line', async () => {
    const found = await verifyJournal(await directoryWith({ 'journal-000001.jsonl': '\u001b[2Jsecret\n' }));
    expect(found.problems).toEqual([{ file: 'journal-000001.jsonl', line: 1, why: 'not JSON' }]);
  });

  test('is bounded for a line without end', async () => {
    const found = await verifyJournal(
      await directoryWith({ 'journal-000001.jsonl': Buffer.alloc(5_000_000, 'x') }),
    );
    expect(found.problems).toEqual([
      { file: 'journal-000001.jsonl', line: 1, why: expect.stringMatching(/longer than/) },
    ]);
  });
});

describe('the verifier', () => {
  test('gives the first break for ever after', () => {
    const lines = chainOf(['a', 'b', 'c']);
    const verifier = createVerifier(GENESIS);
    expect(verifier.feed(lines[0] ?? '').entry?.seq).toBe(1);
    const { broken } = verifier.feed(lines[2] ?? '');
    expect(broken).toMatchObject({ line: 2, seq: 2, isEntry: true });
    expect(verifier.feed(lines[1] ?? '').broken).toBe(broken);
    expect(verifier.head()).toEqual({ size: 1, hash: lineHash(lines[0] ?? '') });
  });

  test('tells bytes that are no UTF-8 from the character that stands for them', () => {
    const [line = ''] = chainOf(['x\ufffdy']);
    expect(createVerifier(GENESIS).feed(Buffer.from(line)).broken).toBeUndefined();
    const bytes = Buffer.from(line);
    const at = bytes.indexOf(Buffer.from('\ufffd'));
    const bad = Buffer.concat([bytes.subarray(0, at), Buffer.of(0xc3), bytes.subarray(at + 3)]);
    expect(bad.toString('utf8')).toBe(line);
    expect(createVerifier(GENESIS).feed(bad).broken?.why).toBe('not UTF-8');
  });
});

describe('an export', () => {
  test('as JSON lines is the very journal', async () => {
    const { files } = await sample();
    let text = '';
    const found = await exportJournal(await directoryWith(files), 'jsonl', (part) => void (text += part));
    expect(found.ok).toBe(true);
    expect(text).toBe(Buffer.concat(Object.values(files)).toString('utf8'));
  });

  test('as CSV has one row an entry and no formulas', async () => {
    const disk = new MemoryDisk();
    const journal = await openJournal(memoryOptions(disk));
    await journal.append({
      type: 'test.note',
      actor: '=HYPERLINK("http://x")',
      data: { text: 'a "quoted", thing\nhere' },
    });
    const [entry] = entriesOn(disk) as [Entry];
    let text = '';
    await exportJournal(
      await directoryWith({ 'journal-000001.jsonl': disk.text('journal-000001.jsonl') }),
      'csv',
      (part) => void (text += part),
    );
    const [header, row, rest] = text.split('\r\n');
    expect(header).toBe('seq,at,clock,mono_ms,boot,type,actor,data,prev,hash');
    const data = '"{""text"":""a \\""quoted\\"", thing\\nhere""}"';
    expect(row).toBe(
      `1,${entry.at},synchronised,${entry.mono},boot-1,test.note,"'=HYPERLINK(""http://x"")",${data},${entry.prev},${journal.head().hash}`,
    );
    expect(rest).toBe('');
  });

  test('gives a range, and stops where the proof stops', async () => {
    const { files } = await sample();
    let text = '';
    const write = (part: string): void => void (text += part);
    const directory = await directoryWith(files);
    await exportJournal(directory, 'jsonl', write, { fromSeq: 2, toSeq: 4 });
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => parseEntry(line).seq),
    ).toEqual([2, 3, 4]);
    const name = join(directory, 'journal-000002.jsonl');
    await writeFile(name, (await readFile(name, 'utf8')).replace('"n4"', '"N4"'));
    text = '';
    const found = await exportJournal(directory, 'jsonl', write);
    expect(found.ok).toBe(false);
    expect(parseEntry(text.trimEnd().split('\n').at(-1) ?? '').seq).toBe(found.head.size);
  });
});

test('reading while a living writer is in the middle of a line waits for the rest', async () => {
  const directory = await temporaryDirectory();
  const journal = await openJournal(realOptions(directory));
  await journal.append(note('one'));
  const file = join(directory, 'journal-000001.jsonl');
  const whole = await readFile(file);
  await journal.append(note('two'));
  const longer = await readFile(file);
  await truncate(file, whole.length + 10);
  const verification = verifyJournal(directory);
  // The "writer" goes on by putting the whole content into place, in the same file.
  await writeFile(file, longer, { flag: 'r+' });
  expect(await verification).toMatchObject({ ok: true, entries: 2 });
  await journal.close();
  await truncate(file, whole.length + 10);
  // Now nobody writes: the same state is a torn line.
  expect(await verifyJournal(directory)).toMatchObject({ ok: false, entries: 1, problems: [{ line: 2 }] });
  await rename(file, join(directory, 'elsewhere'));
});
