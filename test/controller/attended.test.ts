/** Sessions whose leases the controller holds: nothing is shown before it is so, and every end gives the lease back. */
import { describe, expect, test } from 'vitest';
import { AttendedSessions } from '../../src/controller/attended.ts';
import type { InterlockClient } from '../../src/protocol/client.ts';
import { InterlockError } from '../../src/protocol/interlock-error.ts';
import type { Lease } from '../../src/protocol/lease.ts';

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
  readonly lost = Promise.withResolvers<{ code: string; why: string }>();
  refusesLease = false;
  changes = 0;
  readonly sessions: AttendedSessions;

  constructor() {
    const lease = {
      grantedAtMs: 0,
      connected: this.connected.promise,
      lost: this.lost.promise,
      endsInMs: () => 60_000,
      release: () => {
        this.asked.push('release');
        this.lost.resolve({ code: 'released', why: 'released' });
        return Promise.resolve();
      },
    } as unknown as Lease;
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
        return this.refusesLease
          ? Promise.reject(new InterlockError('INTERLOCK_REFUSED', 'no', 'wait'))
          : Promise.resolve(lease);
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

  test('a controller that stops gives every lease back', async () => {
    const rig = new Rig();
    await rig.sessions.begin(ASKED);
    await rig.sessions.stop();
    await rig.sessions.stop();
    expect(rig.asked.filter((each) => each === 'release')).toHaveLength(1);
  });
});
