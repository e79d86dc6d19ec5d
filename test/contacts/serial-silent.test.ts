/** Boards that never answer: what can be kept of the contract, and what cannot. */
import { describe, expect, test } from 'vitest';
import { has, pythonMissing, skipLoudly, until } from './bench.ts';
import { bounded, current } from './contract.ts';
import { serialProfileNamed, serialRig } from './serial-bench.ts';

const python = pythonMissing();
const missing = python ?? (has('socat') ? null : 'socat is missing');
const skipped = skipLoudly('a serial board that never answers', missing);

describe.skipIf(skipped)('a board that never answers (LCUS-1)', () => {
  const profile = serialProfileNamed('lc-technology/lcus-1');

  test('obeys, is unknown in everything, and is told to isolate again and again', async () => {
    const rig = await serialRig('lcus-silent', profile, { channel: 1 });
    const { contact, seen, slave } = rig;
    expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
    expect(await bounded(contact.connect(current))).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('witness'),
    });
    await until(() => seen() === 'connected', 'the relay is seen connected');
    const receipt = contact.isolate();
    expect(await bounded(receipt.written)).toEqual(expect.any(Number));
    expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'unknown' });
    await until(() => seen() === 'isolated', 'the relay is seen isolated');
    await until(() => slave.writes.filter((each) => each === '0=0').length >= 3, 'it is told again');
    // A connect is possible nevertheless, and ends the repetition.
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
    await until(() => seen() === 'connected', 'the relay is seen connected again');
    await contact.close();
    await rig.end();
  });

  test('a lost isolate is made good by the next one, with nobody asking', async () => {
    const rig = await serialRig('lcus-silent', profile, { channel: 1 });
    const { contact, seen } = rig;
    await bounded(contact.connect(current));
    await until(() => seen() === 'connected', 'the relay is seen connected');
    rig.unplug();
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
    expect(seen()).toBe('connected');
    rig.plug();
    await until(() => seen() === 'isolated', 'the relay is isolated after its return');
    await contact.close();
    await rig.end();
  });

  test('one that does answer is not believed', async () => {
    // Silence is awaited for longer than a busy machine takes to carry the answer.
    const patient = { ...profile, timings: { ...profile.timings, reply_timeout_ms: 5_000 } };
    const rig = await serialRig('lcus-silent', patient, { channel: 1 });
    rig.line.behave = ({ answer, bytes, pass }) => {
      pass(bytes);
      answer(bytes);
    };
    expect(await bounded(rig.contact.connect(current))).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('answered wrongly'),
    });
    await until(() => rig.slave.writes.at(-1) === '0=0', 'what was not confirmed goes back to isolated');
    await rig.contact.close();
    await rig.end();
  });
});
