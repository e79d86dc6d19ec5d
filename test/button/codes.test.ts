import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Approvers } from '../../src/interlock/rights/approvers.ts';
import { base32, codeOf, otpauthUri, secretOf, stepAt, stepOfCode } from '../../src/interlock/rights/totp.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { HandClock } from '../interlock/review-box.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const SEED = '12345678901234567890';

describe('one-time codes', () => {
  // RFC 6238 appendix B.
  test.each([
    [59, '94287082', '46119246', '90693936'],
    [1_111_111_109, '07081804', '68084774', '25091201'],
    [1_111_111_111, '14050471', '67062674', '99943326'],
    [1_234_567_890, '89005924', '91819424', '93441116'],
    [2_000_000_000, '69279037', '90698825', '38618901'],
    [20_000_000_000, '65353130', '77737706', '47863826'],
  ])('RFC 6238: at %i s', (seconds, sha1, sha256, sha512) => {
    const step = stepAt(seconds * 1_000);
    expect(codeOf(ascii(SEED), step, 8)).toBe(sha1);
    expect(codeOf(ascii(SEED.repeat(2).slice(0, 32)), step, 8, 'sha256')).toBe(sha256);
    expect(codeOf(ascii(SEED.repeat(4).slice(0, 64)), step, 8, 'sha512')).toBe(sha512);
  });

  // RFC 4226 appendix D.
  test.each([
    '755224',
    '287082',
    '359152',
    '969429',
    '338314',
    '254676',
    '287922',
    '162583',
    '399871',
    '520489',
  ])('RFC 4226: %s', (code) => {
    const steps = Array.from({ length: 10 }, (_, step) => codeOf(ascii(SEED), step));
    expect(steps).toContain(code);
  });

  test('a code counts one step before and after its own, and no more', () => {
    const now = 1_000 * 30_000;
    for (const [off, taken] of [
      [-2, false],
      [-1, true],
      [0, true],
      [1, true],
      [2, false],
    ] as const)
      expect(stepOfCode(ascii(SEED), codeOf(ascii(SEED), 1_000 + off), now)).toBe(taken ? 1_000 + off : null);
    for (const odd of ['', '12345', '1234567', '12a456', '١٢٣٤٥٦', ' 23456', '-23456'])
      expect(stepOfCode(ascii(SEED), odd, now)).toBeNull();
  });

  test('secrets in base32 come back whole', () => {
    expect(base32(ascii(SEED))).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
    for (const length of [16, 17, 20, 32]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + 7) & 0xff);
      expect(secretOf(`${base32(bytes)}\n`)).toEqual(bytes);
    }
    expect(secretOf('gezd gnbv gy3t qojq gezd gnbv gy3t qojq')).toEqual(ascii(SEED));
    for (const bad of ['', 'GEZDGNBV', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1']) expect(secretOf(bad)).toBeNull();
    expect(otpauthUri('alice', 'vault-1', ascii(SEED))).toBe(
      'otpauth://totp/Portcullis:alice%40vault-1?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Portcullis&algorithm=SHA1&digits=6&period=30',
    );
  });
});

describe('two people', () => {
  let directory: string;
  let clock: HandClock;
  const secrets: Readonly<Record<string, Uint8Array>> = {
    alice: ascii(SEED),
    bob: ascii('09876543210987654321'),
  };
  const files = (): Map<string, string> =>
    new Map(Object.keys(secrets).map((each) => [each, join(directory, each)]));
  const code = (name: string, off = 0): { name: string; code: string } => ({
    name,
    code: codeOf(secrets[name] ?? new Uint8Array(), stepAt(clock.calendarMs()) + off),
  });
  const approvers = async (): Promise<Approvers> => {
    const made = new Approvers(nodeDisk, directory, files(), clock);
    await made.load();
    return made;
  };
  const codes = async (of: Approvers, ...approvals: { name: string; code: string }[]): Promise<unknown> => {
    const answer = await of.approve(approvals);
    return answer.ok ? answer.names : answer.refusals.map((each) => each.code);
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'portcullis-approvers-'));
    clock = new HandClock();
    for (const [name, secret] of Object.entries(secrets))
      writeFileSync(join(directory, name), `${base32(secret)}\n`, { mode: 0o600 });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('approve together, and none of them twice or alone', async () => {
    const desk = await approvers();
    expect(await codes(desk, code('alice'))).toEqual(['approvals-missing']);
    expect(await codes(desk, code('alice'), code('alice', 1))).toEqual(['approvals-missing']);
    expect(await codes(desk, code('alice'), { name: 'mallory', code: '123456' })).toEqual([
      'approver-unknown',
    ]);
    expect(await codes(desk, code('alice'), { name: '__proto__', code: '123456' })).toEqual([
      'approver-unknown',
    ]);
    expect(await codes(desk, code('alice'), code('bob'))).toEqual(['alice', 'bob']);
  });

  test('a code counts once, also for an older one, and also after a restart', async () => {
    expect(await codes(await approvers(), code('alice'), code('bob'))).toEqual(['alice', 'bob']);
    const next = await approvers();
    expect(await codes(next, code('alice'), code('bob'))).toEqual(['code-used', 'code-used']);
    expect(await codes(next, code('alice', -1), code('bob', 1))).toEqual(['code-used']);
    clock.calendar += 60_000;
    expect(await codes(next, code('alice'), code('bob'))).toEqual(['alice', 'bob']);
  });

  test('of two requests at once with the same codes one at most is approved', async () => {
    const desk = await approvers();
    const both = await Promise.all([1, 2].map(() => desk.approve([code('alice'), code('bob')])));
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
  });

  test('after seven wrong codes an approver is refused for five minutes, and nobody else', async () => {
    const desk = await approvers();
    for (let i = 0; i < 7; i += 1)
      expect(await codes(desk, { name: 'alice', code: '000000' }, { name: 'bob', code: 'x' })).toEqual([
        'code-wrong',
        'code-wrong',
      ]);
    expect(await codes(desk, code('alice'), code('bob'))).toEqual(['approver-locked', 'approver-locked']);
    await clock.pass(5 * 60_000 + 1);
    expect(await codes(desk, code('alice'), code('bob'))).toEqual(['alice', 'bob']);
  });

  test('a secret that others may read, that is none, or that two share, counts for nothing', async () => {
    const desk = await approvers();
    chmodSync(join(directory, 'bob'), 0o640);
    expect(await codes(desk, code('alice'), code('bob'))).toEqual(['approver-not-enrolled']);
    chmodSync(join(directory, 'bob'), 0o600);
    writeFileSync(join(directory, 'bob'), 'no secret\n');
    clock.calendar += 60_000;
    expect(await codes(desk, code('alice'), code('bob'))).toEqual(['approver-not-enrolled']);
    rmSync(join(directory, 'bob'));
    clock.calendar += 60_000;
    expect(await codes(desk, code('alice'), code('bob'))).toEqual(['approver-not-enrolled']);
    writeFileSync(join(directory, 'bob'), `${base32(ascii(SEED))}\n`, { mode: 0o600 });
    clock.calendar += 60_000;
    expect(await codes(desk, code('alice'), { ...code('alice'), name: 'bob' })).toEqual(['approvers-alike']);
  });

  test('used codes that cannot be recorded approve nothing', async () => {
    const disk = { ...nodeDisk, replace: () => Promise.reject(new Error('ENOSPC')) };
    const desk = new Approvers(disk, directory, files(), clock);
    expect(await codes(desk, code('alice'), code('bob'))).toEqual(['codes-unrecorded']);
    writeFileSync(join(directory, 'approvals.json'), 'torn');
    expect(await codes(await approvers(), code('alice'), code('bob'))).toEqual(['codes-unrecorded']);
  });
});
