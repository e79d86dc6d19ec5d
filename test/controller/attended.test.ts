/** Sessions whose leases the controller holds: nothing is shown before it is so, and every end gives the lease back. */
import { describe, expect, test } from 'vitest';
import { AttendedSessions } from '../../src/controller/attended.ts';
import type { InterlockClient } from '../../src/protocol/client.ts';
import { InterlockError } from '../../src/protocol/interlock-error.ts';
import type { Lease } from '../../src/protocol/lease.ts';
import type { Refusal } from '../../src/protocol/messages.ts';

const ASKED = {
  link: 'vault',
  by: 'ada',
  reason: 'restore',
  for_ms: 60_000,
  approvals: [{ name: 'eve', code: '123456' }],
};

class Rig {
  readonly asked: string[] = [];
  readonly connected = Promise.withResolvers<void>();
  lost = Promise.withResolvers<{ code: string; why: string }>();
  refusesLease = false;
  /** Refusals of the next attempts to have the lease. */
  refusals: Refusal[][] = [];
  changes = 0;
  readonly sessions: AttendedSessions;

  constructor() {
    const leaseNow = (): Lease =>
      ({
        grantedAtMs: 0,
        connected: this.connected.promise,
        lost: this.lost.promise,
        endsInMs: () => 60_000,
        release: () => {
          this.asked.push('release');
          this.lost.resolve({ code: 'released', why: 'released' });
          return Promise.resolve();
        },
      }) as unknown as Lease;
    const client = {
      beginSession: () => {
        this.asked.push('begin');
        return Promise.resolve({
          session: 's1',
          ends_in_ms: 60_000,
          take_within_ms: 5_000,
          authority: 'approvers',
        });
      },
      askLease: (request: unknown) => {
        this.asked.push(`lease ${JSON.stringify(request)}`);
        const refusals = this.refusals.shift();
        if (refusals !== undefined)
          return Promise.reject(new InterlockError('INTERLOCK_REFUSED', 'no', 'wait', { refusals }));
        return this.refusesLease
          ? Promise.reject(new InterlockError('INTERLOCK_REFUSED', 'no', 'wait'))
          : Promise.resolve(leaseNow());
      },
      endSession: (session: string) => {
        this.asked.push(`end ${session}`);
        return Promise.resolve();
      },
    } as unknown as InterlockClient;
    this.sessions = new AttendedSessions(client, { note: () => undefined }, () => (this.changes += 1));
  }
}

describe('attended sessions', () => {
  test('connecting is not connected until the evidence says so', async () => {
    const rig = new Rig();
    const begun = await rig.sessions.begin(ASKED);
    expect(begun).toMatchObject({ id: 's1', phase: 'connecting', approvers: ['eve'], held: true });
    expect(rig.asked).toEqual(['begin', 'lease {"link":"vault","session":"s1"}']);
    rig.connected.resolve();
    await expect.poll(() => rig.sessions.show([])[0]?.phase).toBe('connected');
    expect(JSON.stringify(rig.sessions.show([]))).not.toContain('123456');
  });

  test('a refused lease ends the session that was permitted, and is refused', async () => {
    const rig = new Rig();
    rig.refusesLease = true;
    await expect(rig.sessions.begin(ASKED)).rejects.toMatchObject({ code: 'INTERLOCK_REFUSED' });
    expect(rig.asked.at(-1)).toBe('end s1');
    expect(rig.sessions.show([])).toEqual([]);
  });

  test('a trip is told as the interlock tells it', async () => {
    const rig = new Rig();
    await rig.sessions.begin(ASKED);
    rig.sessions.ended('s1', 'tripped');
    rig.lost.resolve({ code: 'stream-closed', why: 'the stream broke' });
    await expect
      .poll(() => rig.sessions.show([])[0])
      .toMatchObject({ phase: 'over', why: 'tripped', ends_in_ms: 0 });
  });

  test('ending gives the lease back first; ending twice, and one of somebody else, asks the interlock', async () => {
    const rig = new Rig();
    await rig.sessions.begin(ASKED);
    await rig.sessions.end('s1');
    expect(rig.asked.slice(2)).toEqual(['release', 'end s1']);
    await rig.sessions.end('s1');
    await rig.sessions.end('other');
    expect(rig.asked.slice(4)).toEqual(['end s1', 'end other']);
  });

  test('a lease that is lost for what may pass is asked for again, without new codes; what does not pass ends it', async () => {
    const rig = new Rig();
    await rig.sessions.begin(ASKED);
    rig.connected.resolve();
    const { lost } = rig;
    rig.lost = Promise.withResolvers();
    rig.refusals = [[{ code: 'isolating', why: 'it isolates', hint: 'wait' }]];
    lost.resolve({ code: 'evidence-lost', why: 'a cable' });
    await expect.poll(() => rig.sessions.show([])[0]?.phase).toBe('connecting');
    await expect.poll(() => rig.sessions.show([])[0]?.phase, { timeout: 15_000 }).toBe('connected');
    expect(rig.asked.filter((each) => each.startsWith('lease'))).toHaveLength(3);
    rig.refusals = [[{ code: 'budget-spent', why: 'enough', hint: 'tomorrow' }]];
    rig.lost.resolve({ code: 'permissive-failed', why: 'the heartbeat' });
    await expect
      .poll(() => rig.sessions.show([])[0], { timeout: 15_000 })
      .toMatchObject({ phase: 'over', why: 'permissive-failed' });
    expect(rig.asked.at(-1)).toBe('end s1');
    expect(rig.asked.filter((each) => each === 'begin')).toHaveLength(1);
  }, 40_000);

  test('a controller that stops gives every lease back', async () => {
    const rig = new Rig();
    await rig.sessions.begin(ASKED);
    await rig.sessions.stop();
    await rig.sessions.stop();
    expect(rig.asked.filter((each) => each === 'release')).toHaveLength(1);
  });
});
