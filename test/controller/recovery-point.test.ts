/** The age of the newest good backup: in time, in danger, too late; told once each. */
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { recoveryPointOf } from '../../src/controller/recovery-point.ts';
import { ENDANGERED_GRACE_MS, RecoveryPoints } from '../../src/controller/recovery-watch.ts';
import type { Ledger } from '../../src/controller/ledger.ts';
import type { Status, WindowStatus } from '../../src/protocol/messages.ts';
import { link } from '../notify/parts.ts';

const config = configSchema.parse({
  links: { vault: { contacts: [] } },
  repositories: {
    main: { url: '/srv/vault', password_file: '/etc/p', recovery_point: '26h' },
    other: { url: '/srv/other', password_file: '/etc/p' },
  },
  windows: {
    nightly: {
      link: 'vault',
      opens: '30 2 * * *',
      timezone: 'UTC',
      jitter: '20m',
      lasts: '3h',
      steps: [{ backup: { repository: 'main', paths: ['/srv'] } }],
    },
    checks: {
      link: 'vault',
      opens: '0 * * * *',
      timezone: 'UTC',
      lasts: '1h',
      steps: [{ check: { repository: 'main' } }],
    },
  },
});
const LAST = '2026-11-21T02:40:00.000Z';

function statusAt(at: string, change: Partial<WindowStatus> = {}, more: Partial<Status> = {}): Status {
  const base = { link: 'vault', open: null, by_hand: 'presence' as const, run_needs: [] };
  return {
    build: '',
    boot_id: '',
    at,
    clock: { synchronised: true, detail: '' },
    journal: { writable: true, size: 0, head: '' },
    links: [link()],
    windows: [
      { ...base, window: 'nightly', next_opens: '2026-11-22T02:30:00.000Z', ...change },
      { ...base, window: 'checks', next_opens: '2026-11-21T12:00:00.000Z' },
    ],
    sources: [],
    approvers: [],
    ...more,
  };
}
const NOON = '2026-11-21T12:00:00.000Z';
const tripped = { links: [link({ latch: { by: 'button', reason: 'pressed', at: NOON } })] };
const missed = { next_opens: '2026-11-23T02:30:00.000Z' };

describe('a recovery point', () => {
  const stateOf = (last: string | null, status: Status | null) =>
    recoveryPointOf(config, 'main', last, status)?.state;
  test.each([
    ['the next window begins in time, with all its jitter', LAST, statusAt(NOON), 'met'],
    [
      'the next window is missed, and the one after it is too late',
      LAST,
      statusAt('2026-11-22T02:31:00.000Z', missed),
      'endangered',
    ],
    [
      'a window is in progress',
      LAST,
      statusAt('2026-11-22T02:31:00.000Z', { ...missed, open: { occurrence: 'x', ends_in_ms: 1 } }),
      'met',
    ],
    ['the link is latched', LAST, statusAt(NOON, {}, tripped), 'endangered'],
    ['no window opens again', LAST, statusAt(NOON, { next_opens: null }), 'endangered'],
    ['it is too old', LAST, statusAt('2026-11-22T04:40:01.000Z'), 'breached'],
    ['there never was one', null, statusAt(NOON), 'breached'],
    [
      'the clock is wrong',
      LAST,
      statusAt(NOON, {}, { clock: { synchronised: false, detail: '' } }),
      'unknown',
    ],
    ['the interlock is silent', LAST, null, 'unknown'],
  ])('%s', (_name, last, status, state) => {
    expect(stateOf(last, status)).toBe(state);
  });
  test('says until when, and what stands in the way; a repository without one says nothing', () => {
    expect(recoveryPointOf(config, 'main', LAST, statusAt(NOON, {}, tripped))).toMatchObject({
      due_at: '2026-11-22T04:40:00.000Z',
      why: expect.stringContaining('is latched (button: pressed)') as string,
      hint: expect.stringContaining('reset') as string,
    });
    expect(recoveryPointOf(config, 'other', null, statusAt(NOON))).toBeNull();
  });
});

test('told once when endangered for a while, at once when breached, and when it is met again', () => {
  let last = LAST;
  const ledger = {
    repository: () => ({ last_good_backup: { at: last, snapshot: 'x', bytes: 1 } }),
  } as unknown as Pick<Ledger, 'repository'>;
  const points = new RecoveryPoints(config, ledger);
  const types = (status: Status | null, nowMs: number) =>
    points.look(status, nowMs).map(({ type }) => type.replace('portcullis.recovery-point.', ''));
  expect(types(statusAt(NOON), 0)).toEqual([]);
  const bad = statusAt('2026-11-22T02:31:00.000Z', missed);
  expect(types(bad, 1)).toEqual([]);
  expect(types(null, 2)).toEqual([]);
  expect(types(bad, ENDANGERED_GRACE_MS)).toEqual([]);
  expect(types(bad, ENDANGERED_GRACE_MS + 1)).toEqual(['endangered']);
  expect(types(bad, ENDANGERED_GRACE_MS + 2)).toEqual([]);
  const late = statusAt('2026-11-22T05:00:00.000Z', missed);
  expect(types(late, ENDANGERED_GRACE_MS + 3)).toEqual(['breached']);
  expect(types(late, ENDANGERED_GRACE_MS + 4)).toEqual([]);
  last = '2026-11-22T04:50:00.000Z';
  const good = statusAt('2026-11-22T05:10:00.000Z', missed);
  expect(types(good, ENDANGERED_GRACE_MS + 5)).toEqual(['met']);
  // Caught up before anybody was told: nobody is.
  expect(
    types(statusAt('2026-11-23T02:31:00.000Z', { next_opens: '2026-11-24T02:30:00.000Z' }), 10 ** 7),
  ).toEqual([]);
  expect(types(good, 10 ** 7 + 1)).toEqual([]);
});
