/** The signed record: what it is believed for, and what it is refused for. */
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { changesSince } from '../../src/interlock/commissioning/digests.ts';
import { commissioningRefusal } from '../../src/interlock/commissioning/refusal.ts';
import {
  type CommissioningRecord,
  readRecord,
  recordDigest,
  signedRecord,
} from '../../src/interlock/commissioning/record.ts';
import { spreadOf } from '../../src/interlock/commissioning/spread.ts';
import { headKeyFromPem, verifyHead } from '../../src/journal/heads.ts';

const key = () =>
  headKeyFromPem(
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
const digest = (letter: string): string => letter.repeat(64);

const RECORD: CommissioningRecord = {
  version: 1,
  link: 'vault',
  at: '2026-11-21T03:00:00.000Z',
  by: { actor: 'person:ann', uid: 0 },
  build: 'test',
  grade: 'simulated',
  digests: { 'contact relay': digest('a'), 'bus board': digest('b'), timings: digest('c') },
  steps: [],
  contacts: [],
  witnesses: [],
  connected_ms: 12.5,
  verdict: 'passed',
  reasons: [],
};
const bytes = (text: string): Uint8Array => Buffer.from(text);

test('what this box signed is read back whole, and lets the link be connected', () => {
  const mine = key();
  const read = readRecord(bytes(signedRecord(RECORD, mine)), 'vault', mine.vkey);
  expect(read).toEqual({ kind: 'read', record: RECORD });
  expect(commissioningRefusal('vault', read, RECORD.digests)).toBeNull();
});

test('any change of the file is found', () => {
  const mine = key();
  const text = signedRecord({ ...RECORD, verdict: 'failed', reasons: ['welded'] }, mine);
  for (const changed of [
    text.replace('"failed"', '"passed"'),
    text.replace('person:ann', 'person:bob'),
    text.replace('12.5', '1.5'),
    text.replace(digest('b'), digest('d')),
  ]) {
    expect(changed).not.toBe(text);
    const read = readRecord(bytes(changed), 'vault', mine.vkey);
    expect(read.kind).toBe('wrong-signature');
    expect(commissioningRefusal('vault', read, RECORD.digests)?.code).toBe('commissioning-wrong-signature');
  }
});

test('a record of another box or another link is not believed', () => {
  const [mine, other] = [key(), key()];
  expect(readRecord(bytes(signedRecord(RECORD, other)), 'vault', mine.vkey).kind).toBe('wrong-signature');
  expect(readRecord(bytes(signedRecord(RECORD, mine)), 'archive', mine.vkey).kind).toBe('wrong-signature');
});

test('the signature is of this domain: it does not make a head of the journal, and no head makes a record', () => {
  const mine = key();
  const { signature } = JSON.parse(signedRecord(RECORD, mine)) as { signature: { ed25519: string } };
  const note = `${mine.name}\n1\n${Buffer.alloc(32).toString('base64')}\n\n— ${mine.name} ${signature.ed25519}\n`;
  expect(verifyHead(note, mine.vkey).ok).toBe(false);
  const bare = Buffer.from(mine.sign(Buffer.from(JSON.stringify(RECORD)))).toString('base64');
  const forged = JSON.stringify({ record: RECORD, signature: { key: mine.name, ed25519: bare } });
  expect(readRecord(bytes(forged), 'vault', mine.vkey).kind).toBe('wrong-signature');
});

test.each([
  ['', 'commissioning-unreadable'],
  ['not json', 'commissioning-unreadable'],
  ['{}', 'commissioning-unreadable'],
  ['{"record":{"version":2},"signature":{"key":"k","ed25519":""}}', 'commissioning-unreadable'],
])('%j is refused as %s', (text, code) => {
  const read = readRecord(bytes(text), 'vault', key().vkey);
  expect(commissioningRefusal('vault', read, RECORD.digests)?.code).toBe(code);
});

test('never, failed and outdated each say so, and name the way out', () => {
  const refused = (read: Parameters<typeof commissioningRefusal>[1], present = RECORD.digests) => {
    const refusal = commissioningRefusal('vault', read, present);
    expect(refusal?.hint).toContain('portcullis commission vault');
    return refusal;
  };
  expect(refused({ kind: 'missing' })?.code).toBe('not-commissioned');
  const failed = refused({
    kind: 'read',
    record: { ...RECORD, verdict: 'failed', reasons: ['A is welded'] },
  });
  expect(failed).toMatchObject({ code: 'commissioning-failed', why: expect.stringContaining('A is welded') });
  const present = { 'contact relay': digest('a'), 'bus board': digest('e'), 'witness carrier': digest('f') };
  expect(refused({ kind: 'read', record: RECORD }, present)).toMatchObject({
    code: 'commissioning-outdated',
    why: expect.stringContaining('bus board was changed, timings was removed, witness carrier was added'),
  });
});

test('what did not change is not named', () => {
  expect(changesSince(RECORD.digests, { ...RECORD.digests })).toEqual([]);
});

test('the digest follows from the content, not from its order', () => {
  const { by, ...rest } = RECORD;
  expect(recordDigest({ ...rest, by })).toBe(recordDigest(RECORD));
  expect(recordDigest({ ...RECORD, verdict: 'failed' })).not.toBe(recordDigest(RECORD));
});

test('a spread of ten is its least, fifth and greatest', () => {
  expect(spreadOf([5, 1, 2, 9, 3, 4, 8, 6, 7, 10])).toEqual({ min: 1, p50: 5, max: 10, count: 10 });
  expect(spreadOf([2])).toEqual({ min: 2, p50: 2, max: 2, count: 1 });
  expect(spreadOf([])).toBeNull();
});
