import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createVerifier, GENESIS, lineHash } from '../../src/journal/chain.ts';
import { parseEntry, printEntry } from '../../src/journal/entry.ts';
import { headKeyFromPem, signHead, verifyHead } from '../../src/journal/heads.ts';
import { verifyJournal } from '../../src/journal/reading.ts';
import { temporaryDirectory } from './rig.ts';

// Made by golden/make.py from hand-written lines and openssl: none of our code took part.
const golden = join(import.meta.dirname, 'golden');
const text = (name: string): string => readFileSync(join(golden, name), 'utf8');
const lines = text('journal-000001.jsonl').trimEnd().split('\n');
const hashes = text('hashes.txt').trimEnd().split('\n');
const vkey = text('vkey.txt').trim();
const end = { size: lines.length, hash: hashes.at(-1) ?? '' };

describe('the golden journal', () => {
  test('parses, prints back, and hashes as recorded', () => {
    expect(lines.length).toBeGreaterThan(5);
    for (const [index, line] of lines.entries()) {
      expect(printEntry(parseEntry(line))).toBe(line);
      expect(lineHash(line)).toBe(hashes[index]);
      expect(lineHash(Buffer.from(line))).toBe(hashes[index]);
    }
  });

  test('is one chain', async () => {
    const verifier = createVerifier(GENESIS);
    for (const line of lines) expect(verifier.feed(line).broken).toBeUndefined();
    expect(verifier.head()).toEqual(end);
    const signed = verifyHead(text('head.txt'), vkey);
    if (!signed.ok) throw new Error(signed.why);
    const found = await verifyJournal(golden, { heads: [{ ...signed.head, label: 'head.txt' }] });
    expect(found).toMatchObject({
      ok: true,
      entries: lines.length,
      firstSeq: 1,
      head: end,
      confirmedHeads: [{ label: 'head.txt' }],
    });
  });
});

describe('the golden head', () => {
  test('is what we sign with that key, byte for byte', () => {
    const key = headKeyFromPem(text('test-only.key'));
    expect(key.vkey).toBe(vkey);
    expect(signHead(end, key)).toBe(text('head.txt'));
    expect(verifyHead(text('head.txt'), vkey)).toEqual({ ok: true, origin: key.name, head: end });
  });

  /** Takes the note apart without heads.ts. */
  function parts(note: string) {
    const [body = '', signatures = ''] = note.split('\n\n');
    const blob = Buffer.from(signatures.trimEnd().split(' ')[2] ?? '', 'base64');
    const publicKey = Buffer.from(vkey.split('+').slice(2).join('+'), 'base64').subarray(1);
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    return { body: Buffer.from(`${body}\n`), signature: blob.subarray(4), key };
  }

  test('verifies with node:crypto alone', () => {
    const { body, signature, key } = parts(signHead(end, headKeyFromPem(text('test-only.key'))));
    expect(verify(null, body, key, signature)).toBe(true);
    body[body.length - 3] = (body.at(-3) ?? 0) ^ 1;
    expect(verify(null, body, key, signature)).toBe(false);
  });

  const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
  if (!hasOpenssl)
    console.warn(
      'SKIPPED: signed heads are not checked against openssl: it is not installed (apt install openssl)',
    );
  test.skipIf(!hasOpenssl)('verifies with openssl', async () => {
    const directory = await temporaryDirectory();
    const { body, signature, key } = parts(signHead(end, headKeyFromPem(text('test-only.key'))));
    writeFileSync(join(directory, 'key.pem'), key.export({ type: 'spki', format: 'pem' }));
    writeFileSync(join(directory, 'body'), body);
    writeFileSync(join(directory, 'signature'), signature);
    const check = [
      '-verify',
      '-pubin',
      '-inkey',
      'key.pem',
      '-rawin',
      '-in',
      'body',
      '-sigfile',
      'signature',
    ];
    expect(execFileSync('openssl', ['pkeyutl', ...check], { cwd: directory, encoding: 'utf8' })).toMatch(
      /Verified Successfully/,
    );
  });
});
