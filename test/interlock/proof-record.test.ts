/** What is kept of proof tests, whose turn it is next, and what the kept results refuse. */
import { describe, expect, test } from 'vitest';
import { millis } from '../../src/core/time.ts';
import {
  type Proof,
  ProofRecord,
  proofRefusals,
  type ProofTerms,
  recordProof,
  triedNow,
  turnOf,
} from '../../src/interlock/records/proof-record.ts';
import { HandDisk } from './review-box.ts';

const DAY_MS = 86_400_000;
const now = Date.UTC(2026, 10, 21);
const passed: Proof = { outcome: 'passed', basis: 'witness', tookMs: 9, at: now, by: 'window' };
const failed: Proof = { ...passed, outcome: 'failed', basis: 'none', tookMs: null };
const terms: ProofTerms = {
  link: 'vault',
  calendarMs: now,
  maxAgeMs: 40 * DAY_MS,
  leased: false,
  commissioned: [],
};

const recordOf = async (disk: HandDisk): Promise<ProofRecord> => {
  const record = new ProofRecord(disk, '/state');
  await record.load();
  return record;
};
const refusalsOf = (record: ProofRecord, also: Partial<ProofTerms> = {}): readonly string[] =>
  proofRefusals(record.of('vault'), ['relay', 'port'], { ...terms, ...also }).map(({ code }) => code);

describe('the record', () => {
  test('is read by the next life', async () => {
    const disk = new HandDisk();
    await (await recordOf(disk)).record('vault', { relay: failed });
    await (await recordOf(disk)).record('attic', { relay: passed });
    const next = await recordOf(disk);
    expect([next.of('vault')['relay'], next.of('attic')['relay']]).toMatchObject([failed, passed]);
    expect(next.unreadable).toBeNull();
  });

  test('counts at once, and is written again when it could not be', async () => {
    const disk = new HandDisk();
    const record = await recordOf(disk);
    const replace = disk.replace.bind(disk);
    disk.replace = () => Promise.reject(new Error('EROFS'));
    await expect(record.record('vault', { relay: failed })).rejects.toThrow('EROFS');
    expect(refusalsOf(record)).toEqual(['proof-failed']);
    expect(record.unwritable).toContain('EROFS');
    disk.replace = replace;
    record.retry(millis(5_000));
    await expect.poll(() => record.unwritable).toBeNull();
    expect((await recordOf(disk)).of('vault')['relay']).toMatchObject(failed);
  });

  test.each(['', '{', '{"vault":{"relay":{"outcome":"passed"}}}', '[]'])(
    'that cannot be read is kept as it is: %j',
    async (text) => {
      const disk = new HandDisk();
      await disk.replace('/state/proofs.json', Buffer.from(text));
      const record = await recordOf(disk);
      expect(record.unreadable).toEqual(expect.any(String));
      await expect(record.record('vault', { relay: passed })).rejects.toThrow('kept');
      expect(Buffer.from((await disk.read('/state/proofs.json')) ?? []).toString()).toBe(text);
    },
  );
});

describe('whose turn it is', () => {
  test('the contact that was never proven, then the one whose proof is oldest, whatever the calendar says', async () => {
    const record = await recordOf(new HandDisk());
    const turn = (): string | undefined => turnOf(record.of('vault'), ['relay', 'port', 'plug']);
    const turns = [];
    for (const at of [now + 900 * DAY_MS, now, now - DAY_MS, now]) {
      turns.push(turn());
      await record.record('vault', { [turn() ?? '']: { ...passed, at } });
    }
    expect([...turns, turn()]).toEqual(['relay', 'port', 'plug', 'relay', 'port']);
  });

  test('a contact whose tests come to nothing does not keep the others from theirs', async () => {
    const record = await recordOf(new HandDisk());
    await record.record('vault', { port: passed });
    const contacts = ['relay', 'port'];
    expect(turnOf(record.of('vault'), contacts)).toBe('relay');
    const tries = new Map<string, number>();
    const turn = (): string => turnOf(record.of('vault'), contacts, tries) ?? '';
    const turns = [];
    for (const outcome of ['not-done', 'passed', 'not-done', 'not-done', 'not-done', 'passed']) {
      turns.push(turn());
      if (outcome === 'passed') await record.record('vault', { [turn()]: passed });
      else tries.set(turn(), triedNow(record.of('vault'), tries));
    }
    expect([...turns, turn()]).toEqual(['relay', 'port', 'relay', 'port', 'relay', 'port', 'relay']);
  });

  test('a proof of other contacts lets a contact wait whose test came to nothing; one of its own counts as its turn', async () => {
    const record = await recordOf(new HandDisk());
    const contacts = ['relay', 'port', 'plug'];
    const tries = new Map([['relay', triedNow(record.of('vault'), new Map())]]);
    const turn = (): string | undefined => turnOf(record.of('vault'), contacts, tries);
    expect(turn()).toBe('port');
    await record.record('vault', { port: passed });
    expect(turn()).toBe('plug');
    await record.record('vault', { plug: passed });
    expect(turn()).toBe('relay');
    // Commissioned: all were proven at once, and the first is as old as the others.
    await record.record('vault', { relay: passed, port: passed, plug: passed });
    await record.record('vault', { relay: passed });
    expect(turn()).toBe('port');
  });

  test('of no contact it is nobody’s', () => {
    expect(turnOf({}, [])).toBeUndefined();
  });
});

describe('a lease is refused', () => {
  test.each([
    ['nothing', passed, {}, []],
    ['a proof that failed', failed, {}, ['proof-failed']],
    ['a proof that failed, under a lease', failed, { leased: true }, ['proof-failed']],
    ['a proof on its last day', passed, { calendarMs: now + 40 * DAY_MS }, []],
    ['a proof that is older', passed, { calendarMs: now + 40 * DAY_MS + 1 }, ['proof-overdue']],
    [
      'a proof that is older, but its test is due',
      passed,
      { calendarMs: now + 41 * DAY_MS, leased: true },
      [],
    ],
    ['a proof from the far future', passed, { calendarMs: now - 41 * DAY_MS }, ['proof-overdue']],
  ] as const)('for %s', async (_what, proof, also, codes) => {
    const record = await recordOf(new HandDisk());
    await record.record('vault', { relay: proof });
    expect(refusalsOf(record, also)).toEqual(codes);
  });

  test('until commissioning has proven every contact', async () => {
    const record = await recordOf(new HandDisk());
    await record.record('vault', { relay: failed, port: { ...passed, at: now - 50 * DAY_MS } });
    expect(refusalsOf(record)).toEqual(['proof-failed', 'proof-overdue']);
    const proven = ['relay', 'port'].map((contact) => ({ contact, basis: 'witness' as const, tookMs: 8 }));
    await recordProof(record, 'vault', proven, now);
    expect(refusalsOf(record)).toEqual([]);
    expect(record.of('vault')).toMatchObject({
      relay: { by: 'commissioning' },
      port: { by: 'commissioning' },
    });
  });

  test('when the proof that commissioning left is gone', async () => {
    const record = await recordOf(new HandDisk());
    expect(refusalsOf(record)).toEqual([]);
    expect(refusalsOf(record, { commissioned: ['relay', 'port'] })).toEqual([
      'proof-missing',
      'proof-missing',
    ]);
    await record.record('vault', { relay: passed, port: failed });
    expect(refusalsOf(record, { commissioned: ['relay', 'port'] })).toEqual(['proof-failed']);
  });

  test('with a way out, for nobody else’s contact', async () => {
    const record = await recordOf(new HandDisk());
    await record.record('vault', { relay: failed, gone: failed });
    const [refusal, ...more] = proofRefusals(record.of('vault'), ['relay'], terms);
    expect(more).toEqual([]);
    expect(refusal?.hint).toContain('portcullis commission vault');
    expect(proofRefusals(record.of('attic'), ['relay'], terms)).toEqual([]);
  });
});
