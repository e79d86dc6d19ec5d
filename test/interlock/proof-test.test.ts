/** The proof test at the end of a lease, from the release to the record, on contacts that let go and on one that does not. */
import { describe, expect, test } from 'vitest';
import type { Contact } from '../../src/contacts/port.ts';
import { ProofRecord, recordProof } from '../../src/interlock/records/proof-record.ts';
import { linkStatusOf } from '../../src/interlock/socket/status.ts';
import { STATE } from '../simulation/disk.ts';
import { POLICY, WiredBox } from './wired-box.ts';

/** A lease that is given back; resolves once isolation is proven or latched. */
async function window(box: WiredBox): Promise<void> {
  const id = await box.lease();
  if (typeof id !== 'string') throw new TypeError(`refused: ${id.join(', ')}`);
  void box.interlock.endLease(id, 'released');
  await box.until('the end', () => box.at === 'isolated' || box.at === 'stuck');
  await box.pass(100);
}

describe('the end of a lease', () => {
  test('tests one contact alone, the other stays connected meanwhile, and the next end tests the other', async () => {
    const box = new WiredBox();
    const id = await box.lease();
    if (typeof id !== 'string') throw new TypeError('refused');
    void box.interlock.endLease(id, 'released');
    expect(box.at).toBe('proving');
    await box.until('the relay lets go', () => box.relay.position === 'isolated');
    expect([box.at, box.port.position, box.link.connected]).toEqual(['proving', 'connected', false]);
    await box.until('the end', () => box.at === 'isolated');
    expect(box.port.position).toBe('isolated');
    await box.pass(100);
    expect(box.told).toEqual(['granted', 'connected', 'released']);
    expect(box.proofs.of('vault')).toMatchObject({
      relay: { outcome: 'passed', basis: 'witness', by: 'window' },
    });
    await window(box);
    await window(box);
    const proofs = box
      .entries('link.isolating')
      .map((each) => (each['proof'] as { contact: string }).contact);
    expect(proofs).toEqual(['relay', 'port', 'relay']);
    const { proofs: shown } = linkStatusOf(box.interlock, box.vault);
    expect(shown.map(({ contact, outcome }) => [contact, outcome])).toEqual([
      ['relay', 'passed'],
      ['port', 'passed'],
    ]);
  });

  test('grades a proof that no witness shows', async () => {
    const box = new WiredBox({ witnessed: false });
    await window(box);
    expect(box.proofs.of('vault')['relay']).toMatchObject({ outcome: 'passed', basis: 'read-back' });
  });

  test('notices a welded contact, cuts the other within the bound, and grants no lease until it is proven', async () => {
    const box = new WiredBox();
    const id = await box.lease();
    if (typeof id !== 'string') throw new TypeError('refused');
    box.relay.faults.add('welded');
    const alarms: string[] = [];
    box.interlock.announcer.listen((line) => {
      if (line.event === 'alarm') alarms.push(line.code);
    });
    const from = box.time.now;
    void box.interlock.endLease(id, 'released');
    await box.until('the port lets go', () => box.port.position === 'isolated');
    expect(box.time.now - from).toBeLessThan(POLICY.isolateTimeoutMs + 300);
    await box.until('isolation is proven by the other', () => box.at === 'isolated');
    await box.pass(100);
    expect(alarms).toEqual(['proof-failed']);
    expect(box.entries('link.isolating').at(-1)).toMatchObject({
      alarms: ['proof-failed'],
      proof: { contact: 'relay', outcome: 'failed', took_ms: null },
    });
    expect(await box.lease()).toEqual(['proof-failed']);

    const next = new ProofRecord(box.disk.usedBy(box.clock), STATE);
    let loaded = false;
    void next.load().then(() => (loaded = true));
    await box.until('the next life has read', () => loaded);
    expect(next.of('vault')).toMatchObject({ relay: { outcome: 'failed' } });

    box.relay.faults.delete('welded');
    const proven = ['relay', 'port'].map((contact) => ({ contact, basis: 'witness' as const, tookMs: 8 }));
    void recordProof(box.proofs, 'vault', proven, box.clock.calendarMs());
    expect(await box.lease()).toEqual(expect.any(String));
  });

  test.each([
    [
      'a trip',
      (box: WiredBox) => void box.interlock.trip([], { by: 'button', reason: 'pressed' }),
      'tripped',
    ],
    ['a stop', (box: WiredBox) => void box.interlock.stop(), 'isolating'],
  ])(
    '%s in the middle of a test cuts everything at once, and the test was not done',
    async (_what, does, at) => {
      const box = new WiredBox();
      const id = await box.lease();
      if (typeof id !== 'string') throw new TypeError('refused');
      void box.interlock.endLease(id, 'released');
      await box.until('the relay lets go', () => box.relay.position === 'isolated');
      const before = box.vault.shell.receiptOf('port');
      does(box);
      expect(box.at).toBe(at);
      expect(box.vault.shell.receiptOf('port')).not.toBe(before);
      await box.until('the port lets go', () => box.port.position === 'isolated', 100);
      await box.pass(100);
      expect(box.proofs.of('vault')).toEqual({});
      expect(JSON.stringify(box.medium.entries)).toContain('"outcome":"not-done"');
    },
  );

  test.each([
    ['a holder that is gone', 'holder-gone' as const],
    ['nobody renewing', null],
  ])('%s is no occasion for a test: everything is cut at once', async (_what, why) => {
    const box = new WiredBox();
    const id = await box.lease();
    if (typeof id !== 'string') throw new TypeError('refused');
    if (why === null) await box.until('the lease has lapsed', () => box.at !== 'connected');
    else void box.interlock.endLease(id, why);
    expect(box.at).toBe('isolating');
    await box.until('both let go', () =>
      [box.relay, box.port].every(({ position }) => position === 'isolated'),
    );
    expect(box.proofs.of('vault')).toEqual({});
  });

  test('a contact that lets go by itself meanwhile makes the test void', async () => {
    const box = new WiredBox();
    const id = await box.lease();
    if (typeof id !== 'string') throw new TypeError('refused');
    box.relay.faults.add('welded');
    void box.interlock.endLease(id, 'released');
    await box.pass(300);
    expect(box.at).toBe('proving');
    box.port.obey('isolated');
    await box.until('the end', () => box.at === 'isolated');
    await box.pass(100);
    expect(box.proofs.of('vault')).toEqual({});
  });
});

/** A console that takes commands and answers nothing, ever. */
const hanging = (contact: Contact): Contact => ({
  name: contact.name,
  kind: contact.kind,
  hardwareLeaseMs: null,
  connect: (fence) => contact.connect(fence),
  read: () => contact.read(),
  settingsProblems: () => contact.settingsProblems(),
  close: () => contact.close(),
  isolate: () => {
    const never = new Promise<never>(() => undefined);
    return { written: never, acknowledged: never };
  },
});

test('a driver that hangs delays no other: the relay is cut in the tick of the trip, and that is proven and recorded', async () => {
  const box = new WiredBox({
    wrapped: (contact) => (contact.name === 'port' ? hanging(contact) : contact),
  });
  const id = await box.lease();
  expect(id).toEqual(expect.any(String));
  // From here on it does not answer questions either.
  box.port.faults.add('hanging');
  // Between two rounds: a question in flight on its own wire is all that a cut ever waits for.
  await box.pass(250);
  const steps: number[] = [];
  const from = box.time.now;
  const receipt = box.vault.shell.receiptOf('relay');
  void box.interlock.trip([], { by: 'source:alarm', reason: 'test' }).then(() => steps.push(box.time.now));
  expect(box.vault.shell.receiptOf('relay')).not.toBe(receipt);
  let writtenAt = Infinity;
  void box.vault.shell.receiptOf('relay')?.written.then(() => (writtenAt = box.time.now));
  await box.until('the relay lets go', () => box.relay.position === 'isolated', 50);
  expect(writtenAt).toBe(from);
  expect(box.port.position).toBe('connected');
  await box.until('the trip is answered', () => steps.length === 1, 1_000);
  expect(box.entries('link.tripped').at(-1)).toMatchObject({
    cut: { why: 'tripped', written_ms: { relay: 0, port: null } },
  });
  await box.until(
    'isolation is proven',
    () => {
      const { state } = box.vault.shell;
      return state.at === 'tripped' && state.provenAt !== null;
    },
    POLICY.isolateTimeoutMs,
  );
});
