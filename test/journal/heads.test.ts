import { generateKeyPairSync } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GENESIS, lineHash } from '../../src/journal/chain.ts';
import {
  headKeyFromPem,
  openHeadKey,
  readVkey,
  signHead,
  verifyHead,
  type HeadKey,
} from '../../src/journal/heads.ts';
import { temporaryDirectory } from './rig.ts';

const newKey = (): HeadKey =>
  headKeyFromPem(String(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })));
const head = { size: 41, hash: lineHash('forty-one') };

describe('a head key', () => {
  test('is made on first use, for its owner only, and stays', async () => {
    const directory = await temporaryDirectory();
    expect(await readVkey(directory)).toBeNull();
    const keys = await Promise.all([openHeadKey(directory), openHeadKey(directory)]);
    const again = await openHeadKey(directory);
    for (const key of keys) expect(key.vkey).toBe(again.vkey);
    expect((await stat(join(directory, 'heads.key'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(directory, 'heads.key'), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(await readVkey(directory)).toBe(again.vkey);
    expect((await readdir(directory)).toSorted()).toEqual(['heads.key', 'heads.vkey']);
  });

  test('that others could read is refused', async () => {
    const directory = await temporaryDirectory();
    await openHeadKey(directory);
    await chmod(join(directory, 'heads.key'), 0o640);
    await expect(openHeadKey(directory)).rejects.toThrow(/not usable/);
  });

  test('that is damaged is never replaced', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'heads.key'), 'garbage', { mode: 0o600 });
    await expect(openHeadKey(directory)).rejects.toThrow(/restore it from a copy/);
    expect(await readFile(join(directory, 'heads.key'), 'utf8')).toBe('garbage');
    const rsa = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    expect(() => headKeyFromPem(String(rsa))).toThrow(/Ed25519/);
  });
});

describe('a signed head', () => {
  test('is a C2SP checkpoint in a signed note', () => {
    const key = newKey();
    const lines = signHead(head, key).split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^portcullis\.local\/journal\/[0-9a-f]{16}$/);
    expect(lines.slice(1, 4)).toEqual(['41', Buffer.from(head.hash, 'hex').toString('base64'), '']);
    expect(lines[4]).toMatch(/^— portcullis\.local\/journal\/[0-9a-f]{16} [A-Za-z0-9+/]{91}=$/);
    expect(lines[5]).toBe('');
  });

  test('verifies with its key, also that of an empty journal, also among signatures of others', () => {
    const key = newKey();
    expect(verifyHead(signHead(head, key), key.vkey)).toEqual({ ok: true, origin: key.name, head });
    expect(verifyHead(signHead(GENESIS, key), key.vkey)).toMatchObject({ ok: true, head: GENESIS });
    const witness = '— witness.example/w AAAAAAAA\n';
    const text = signHead(head, key);
    expect(verifyHead(text.replace('\n\n', `\n\n${witness}`) + witness, key.vkey)).toMatchObject({
      ok: true,
      head,
    });
  });

  test('does not verify with another key', () => {
    expect(verifyHead(signHead(head, newKey()), newKey().vkey)).toMatchObject({
      ok: false,
      why: 'no signature by this key',
    });
  });

  test('does not survive any change of any character', () => {
    const key = newKey();
    const text = signHead(head, key);
    const accepted: string[] = [];
    for (let at = 0; at < text.length; at++) {
      for (const other of ['', 'A', '0', '1', '\n', ' ', '+', '\u2014']) {
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        if (changed !== text && verifyHead(changed, key.vkey).ok) accepted.push(changed);
        const longer = text.slice(0, at) + other + text.slice(at);
        if (longer !== text && verifyHead(longer, key.vkey).ok) accepted.push(longer);
      }
    }
    expect(accepted).toEqual([]);
  });

  test.each([
    ['', /verification key/],
    ['a+b+c', /verification key/],
    [newKey().vkey.replace('portcullis', 'portcullix'), /verification key/],
    [newKey().vkey.slice(0, -4), /verification key/],
  ])('cannot be checked with the key %j', (vkey, why) => {
    expect(verifyHead(signHead(head, newKey()), vkey)).toMatchObject({
      ok: false,
      why: expect.stringMatching(why),
    });
  });

  test('of another log, or of no checkpoint at all, is refused although this key signed it', () => {
    const key = newKey();
    const signed = (body: string): string => {
      const blob = Buffer.concat([
        Buffer.from(key.vkey.split('+')[1] ?? '', 'hex'),
        key.sign(Buffer.from(body)),
      ]);
      return `${body}\n\u2014 ${key.name} ${blob.toString('base64')}\n`;
    };
    const root = Buffer.from(head.hash, 'hex').toString('base64');
    expect(verifyHead(signed(`${key.name}\n41\n${root}\n`), key.vkey)).toMatchObject({ ok: true, head });
    expect(verifyHead(signed(`example.org/log\n41\n${root}\n`), key.vkey)).toMatchObject({
      ok: false,
      why: expect.stringMatching(/another/),
    });
    for (const body of [
      'hello\n',
      `${key.name}\n041\n${root}\n`,
      `${key.name}\n-1\n${root}\n`,
      `${key.name}\n41\n${root}\nmore\n`,
    ])
      expect(verifyHead(signed(body), key.vkey)).toMatchObject({
        ok: false,
        why: expect.stringMatching(/not a checkpoint/),
      });
  });

  test('of great length is not looked at', () => {
    const key = newKey();
    expect(verifyHead(`${signHead(head, key)}${'— a AAAA\n'.repeat(10_000)}`, key.vkey)).toMatchObject({
      ok: false,
    });
  });
});
