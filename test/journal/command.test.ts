import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { journalExport, journalTail, journalVerify, printable } from '../../src/journal/command.ts';
import { parseEntry } from '../../src/journal/entry.ts';
import { openJournal, type Journal } from '../../src/journal/file.ts';
import { openHeadKey, signHead } from '../../src/journal/heads.ts';
import { followJournal, tailJournal } from '../../src/journal/tail.ts';
import { note, realOptions, temporaryDirectory } from './rig.ts';

function capture() {
  const output = { text: '', problems: '' };
  return {
    output,
    to: {
      result: (text: string): void => void (output.text += text),
      problem: (text: string): void => void (output.problems += `${text}\n`),
    },
  };
}

async function journalOf(count: number): Promise<{ directory: string; elsewhere: string; journal: Journal }> {
  const directory = await temporaryDirectory();
  const journal = await openJournal(realOptions(directory, 1_500));
  for (let index = 0; index < count; index++) await journal.append(note(`n${index}`));
  await journal.close();
  return { directory, elsewhere: await temporaryDirectory(), journal };
}

describe('journal verify', () => {
  test('confirms a head that was kept elsewhere, and says when there was none', async () => {
    const { directory, elsewhere, journal } = await journalOf(10);
    const key = await openHeadKey(directory);
    const kept = join(elsewhere, 'head.txt');
    await writeFile(kept, signHead(journal.head(), key));
    const alone = capture();
    expect(await journalVerify({ directory }, alone.to)).toBe(0);
    expect(alone.output.text).toMatch(
      /^verified: 1\d entries in \d files\nfrom entry 1 to entry 1\d\nhead 1\d [0-9a-f]{64}\nnote: no head/,
    );
    const compared = capture();
    expect(await journalVerify({ directory, heads: [kept], vkey: key.vkey }, compared.to)).toBe(0);
    expect(compared.output.text).toContain(`confirmed: head ${journal.head().size} from ${kept}`);
    expect(compared.output.problems).toBe('');
    const weak = capture();
    expect(await journalVerify({ directory, heads: [kept], json: true }, weak.to)).toBe(0);
    expect(weak.output.problems).toMatch(/taken from beside the journal/);
    expect(JSON.parse(weak.output.text)).toMatchObject({
      ok: true,
      first_seq: 1,
      confirmed_heads: [{ label: kept }],
      problems: [],
    });
    const fromFile = capture();
    expect(
      await journalVerify({ directory, heads: [kept], vkey: join(directory, 'heads.vkey') }, fromFile.to),
    ).toBe(0);
  });

  test('finds a cut-off end, an edit, a forged head, and a missing journal', async () => {
    const { directory, elsewhere, journal } = await journalOf(10);
    const key = await openHeadKey(directory);
    const kept = join(elsewhere, 'head.txt');
    await writeFile(kept, signHead({ ...journal.head(), size: journal.head().size + 1 }, key));
    const cut = capture();
    expect(await journalVerify({ directory, heads: [kept], vkey: key.vkey }, cut.to)).toBe(1);
    expect(cut.output.text).toMatch(/NOT VERIFIED[^]*contradicted: head/);
    await writeFile(kept, signHead(journal.head(), await openHeadKey(elsewhere)));
    const forged = capture();
    expect(await journalVerify({ directory, heads: [kept], vkey: key.vkey }, forged.to)).toBe(1);
    expect(forged.output.problems).toMatch(/no signature by this key/);
    const first = join(directory, 'journal-000001.jsonl');
    await writeFile(first, (await readFile(first, 'utf8')).replace('"n2"', '"N2"'));
    const edited = capture();
    expect(await journalVerify({ directory }, edited.to)).toBe(1);
    expect(edited.output.text).toMatch(
      /problem: journal-000001\.jsonl line 4: prev is not the hash of entry 3/,
    );
    await rm(directory, { recursive: true });
    const gone = capture();
    expect(await journalVerify({ directory }, gone.to)).toBe(1);
    expect(gone.output.problems).toMatch(/could not be verified: ENOENT/);
  });

  test('without any verification key says that the call was wrong', async () => {
    const { directory, elsewhere } = await journalOf(1);
    const { output, to } = capture();
    expect(await journalVerify({ directory, heads: [join(elsewhere, 'head.txt')] }, to)).toBe(2);
    expect(output.problems).toMatch(/--vkey/);
  });
});

describe('journal tail', () => {
  test('shows the newest entries, harmless for a terminal', async () => {
    const directory = await temporaryDirectory();
    const journal = await openJournal(realOptions(directory));
    await journal.append(note('one'));
    await journal.append({
      type: 'test.note',
      actor: '\u001b[31mred\u202e',
      data: { text: '\u009b2J\u{e0041}', zeta: 'x'.repeat(5_000) },
    });
    await journal.close();
    const { output, to } = capture();
    expect(await journalTail({ directory, count: 1 }, to)).toBe(0);
    expect(output.text).toMatch(/^2 {2}2026-\S+ {2}test\.note {2}\\u001b\[31mred\\u202e {2}\{/);
    expect(output.text).toContain('\\u009b2J\\u{e0041}');
    expect(output.text.length).toBeLessThan(1_200);
    const json = capture();
    expect(await journalTail({ directory, count: 5, json: true }, json.to)).toBe(0);
    expect(json.output.text).toBe(await readFile(join(directory, 'journal-000001.jsonl'), 'utf8'));
    expect(await journalTail({ directory, count: -1 }, to)).toBe(2);
    expect(printable('ä€😀 ok')).toBe('ä€😀 ok');
  });

  test('says when a line is no entry', async () => {
    const { directory } = await journalOf(1);
    await writeFile(join(directory, 'journal-000001.jsonl'), 'x\n');
    const { output, to } = capture();
    expect(await journalTail({ directory, count: 1 }, to)).toBe(1);
    expect(output.text).toBe('journal-000001.jsonl: not an entry: not JSON\n');
  });

  test('follows across files until told to stop', { timeout: 30_000 }, async () => {
    const directory = await temporaryDirectory();
    const journal = await openJournal(realOptions(directory, 1_000));
    await journal.append(note('before'));
    const stop = new AbortController();
    const { cursor } = await tailJournal(directory, 1);
    const seen: unknown[] = [];
    const following = (async () => {
      for await (const { entry } of followJournal(directory, cursor, stop.signal, 5)) {
        if (entry?.type === 'test.note') seen.push(entry.data['text']);
        if (entry?.data['text'] === 'last') stop.abort();
      }
    })();
    const words = Array.from({ length: 40 }, (_, index) => `n${index}`);
    for (const word of [...words, 'last']) await journal.append(note(word));
    await following;
    expect(seen).toEqual([...words, 'last']);
    await journal.close();
  });

  test('through the command ends with 0 when stopped', async () => {
    const { directory } = await journalOf(2);
    const stop = new AbortController();
    const { output, to } = capture();
    const result = (text: string): void => {
      to.result(text);
      stop.abort();
    };
    expect(await journalTail({ directory, count: 1, follow: stop.signal }, { ...to, result })).toBe(0);
    expect(output.text).toMatch(/^2 /);
  });
});

describe('journal export', () => {
  test('writes what verifies and says where that ends', async () => {
    const { directory } = await journalOf(10);
    const good = capture();
    expect(await journalExport({ directory, format: 'jsonl' }, good.to)).toBe(0);
    expect(parseEntry(good.output.text.split('\n')[0] ?? '').seq).toBe(1);
    const csv = capture();
    expect(await journalExport({ directory, format: 'csv', toSeq: 2 }, csv.to)).toBe(0);
    expect(csv.output.text.split('\r\n')).toHaveLength(4);
    const first = join(directory, 'journal-000001.jsonl');
    await writeFile(first, (await readFile(first, 'utf8')).replace('"n2"', '"N2"'));
    const bad = capture();
    expect(await journalExport({ directory, format: 'jsonl' }, bad.to)).toBe(1);
    expect(bad.output.problems).toMatch(/exported only up to entry 3: journal-000001\.jsonl line 4/);
  });
});
