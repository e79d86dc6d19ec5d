/** Conditions, alarms and clock trust: what must hold, and in which words it is told that it does not. */
import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { millis } from '../../src/core/time.ts';
import { clockTrust } from '../../src/interlock/clock-trust.ts';
import { alarmTexts, conditionsOf, type Outlook } from '../../src/interlock/permissives.ts';

const fine: Outlook = {
  journal: { ok: true },
  clock: { synchronised: true, detail: '' },
  atTheBox: false,
  ledger: { unreadable: null, unwritable: null },
  proofRecord: { unreadable: null, unwritable: null },
  proofs: [],
  commissioning: null,
  heartbeats: [],
  settings: [],
  entitledUntil: millis(5_000),
  exposedMs: 100,
  budgetMs: 1_000,
};
const codes = (outlook: Partial<Outlook>): readonly string[] =>
  conditionsOf({ ...fine, ...outlook }).failing.map(({ code }) => code);

describe('conditions', () => {
  test('nothing fails where nothing is wrong', () => {
    expect(conditionsOf(fine)).toEqual({ failing: [], entitledUntil: 5_000, budgetLeftMs: 900 });
  });

  test.each([
    ['journal-unwritable', { journal: { ok: false, why: 'ENOSPC' } }],
    ['clock-unsynchronised', { clock: { synchronised: false, detail: 'adjtimex' } }],
    ['ledger-unreadable', { ledger: { unreadable: 'EIO', unwritable: null } }],
    ['ledger-unwritable', { ledger: { unreadable: null, unwritable: 'EROFS' } }],
    ['proof-record-unreadable', { proofRecord: { unreadable: 'EIO', unwritable: null } }],
    ['proof-record-unwritable', { proofRecord: { unreadable: null, unwritable: 'EROFS' } }],
    ['proof-failed', { proofs: [{ code: 'proof-failed', why: 'relay', hint: 'commission' }] }],
    ['heartbeat-stale', { heartbeats: [{ code: 'heartbeat-stale', why: 'silent', hint: 'look' }] }],
    ['board-settings', { settings: ['control mode 1'] }],
  ] as const)('%s', (code, outlook) => {
    expect(codes(outlook)).toEqual([code]);
  });

  test('what is begun at the box relies on no calendar', () => {
    expect(codes({ clock: { synchronised: false, detail: '' }, atTheBox: true })).toEqual([]);
  });

  test('everything that fails is told at once, each with a way out', () => {
    const { failing } = conditionsOf({
      ...fine,
      journal: { ok: false, why: 'ENOSPC' },
      clock: { synchronised: false, detail: 'not synchronised' },
      ledger: { unreadable: 'EIO', unwritable: 'EROFS' },
      settings: ['one', 'two'],
    });
    expect(failing).toHaveLength(6);
    for (const { code, why, hint } of failing) {
      expect(code).toMatch(/^[a-z-]+$/);
      expect(why.length).toBeGreaterThan(2);
      expect(hint.length).toBeGreaterThan(10);
    }
    expect(failing[0]?.why).toContain('ENOSPC');
  });

  test('a budget that is overdrawn is negative, not forgotten', () => {
    expect(conditionsOf({ ...fine, exposedMs: 5_000 }).budgetLeftMs).toBe(-4_000);
  });

  test('every alarm says what is wrong and what to do', () => {
    for (const { why, hint } of Object.values(alarmTexts)) {
      expect(why.length).toBeGreaterThan(20);
      expect(hint.length).toBeGreaterThan(20);
    }
  });
});

describe('clock trust on this machine', () => {
  test('the kernel is asked, and says the same as adjtimex(8) of Python', () => {
    const { synchronised, quality, detail } = clockTrust('kernel')();
    expect(quality).toBe(synchronised ? 'synchronised' : 'unsynchronised');
    expect(detail).toBe(`adjtimex says the clock is ${synchronised ? '' : 'not '}synchronised`);
    const asked = adjtimexOfPython();
    if (asked === null) console.warn('SKIPPED: no python3 to ask the kernel a second time');
    else expect(synchronised).toBe(asked >= 0 && asked !== 5);
  });

  test('timesyncd has left its mark or not', () => {
    const marked = existsSync('/run/systemd/timesync/synchronized');
    expect(clockTrust('timesyncd')().synchronised).toBe(marked);
  });

  test('a clock trusted unseen says so in the journal', () => {
    expect(clockTrust('always')()).toMatchObject({ synchronised: true, quality: 'assumed' });
  });
});

/** What adjtimex(2) returns, asked without our binding; null without python3. */
function adjtimexOfPython(): number | null {
  const program =
    'import ctypes; print(ctypes.CDLL("libc.so.6", use_errno=True).adjtimex(ctypes.create_string_buffer(256)))';
  try {
    return Number(execFileSync('python3', ['-c', program], { encoding: 'utf8' }));
  } catch {
    return null;
  }
}
