/** Troubles that last: a disk that hangs, a contact that holds on. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { box, HandClock, type HandContact } from './review-box.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heap = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

const contactOf = (contacts: Readonly<Record<string, HandContact>>): HandContact => {
  const { vault } = contacts;
  if (vault === undefined) throw new TypeError('no contact');
  return vault;
};

test('an hour in which the disk does not answer costs no memory, and what waited is written in order', async () => {
  const rig = await box(new HandClock());
  rig.interlock.start();
  await rig.clock.pass(3_000);
  const disk = Promise.withResolvers<void>();
  rig.journal.disk = disk.promise;
  void rig.interlock.trip([], { by: 'source:a', reason: 'first' });
  await rig.clock.pass(60_000);
  const before = heap();
  await rig.clock.pass(3_600_000);
  expect(heap() - before).toBeLessThan(2_000_000);
  const second = rig.interlock.trip([], { by: 'source:a', reason: 'second' });
  disk.resolve();
  await rig.clock.pass(1_000);
  expect((await second).every(({ latchSaved }) => latchSaved)).toBe(true);
  expect(rig.journal.types().filter((type) => type === 'link.tripped')).toHaveLength(2);
  expect(rig.contacts['vault']?.frames.at(-1)).toBe('isolate');
});

test('a latch that could not be saved is saved once the disk takes it, without another trip', async () => {
  const rig = await box(new HandClock());
  rig.interlock.start();
  await rig.clock.pass(3_000);
  rig.disk.before = () => {
    throw new Error('ENOSPC');
  };
  const trip = rig.interlock.trip([], { by: 'source:a', reason: 'first' });
  await rig.clock.pass(1_000);
  expect((await trip).every(({ latchSaved }) => latchSaved)).toBe(false);
  rig.disk.before = () => undefined;
  await rig.clock.pass(1_000);
  expect(Buffer.from(rig.disk.files.get('/state/latch.json') ?? []).toString()).toContain('source:a');
});

test('a link that reads connected with nobody asking is exposed until it is proven isolated', async () => {
  const rig = await box(new HandClock());
  rig.interlock.start();
  await rig.clock.pass(3_000);
  const contact = contactOf(rig.contacts);
  const isolate = contact.isolate.bind(contact);
  contact.isolate = () => {
    const receipt = isolate();
    contact.position = 'connected';
    return receipt;
  };
  contact.position = 'connected';
  await rig.clock.pass(600_000);
  const exposed = (): number => rig.ledger.exposedMs('vault', rig.interlock.moment());
  expect(exposed()).toBeGreaterThan(590_000);
  contact.isolate = isolate;
  await rig.clock.pass(10_000);
  const sum = exposed();
  expect(sum).toBeLessThan(606_000);
  await rig.clock.pass(600_000);
  expect(exposed()).toBe(sum);
});
