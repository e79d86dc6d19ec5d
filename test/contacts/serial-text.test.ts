/** The serial driver against boards that speak text, and against its rarer kinds, written from vendors' words. */
import { describe, expect, test } from 'vitest';
import { has, pythonMissing, skipLoudly } from './bench.ts';
import { bounded, contactContract, current } from './contract.ts';
import { serialProfileNamed, serialRig } from './serial-bench.ts';

const python = pythonMissing();
const missing = python ?? (has('socat') ? null : 'socat is missing');
const skipped = skipLoudly('serial boards that speak text', missing);

if (!skipped) {
  contactContract('Text with an echo (Numato, 8 channels)', () =>
    serialRig('numato-8', serialProfileNamed('numato/usb-relay-8ch'), { channel: 3 }),
  );
}

describe.skipIf(skipped)('boards of other kinds do what they are told', () => {
  test.each([
    ['numato-4', 'numato/usb-relay-4ch', 4],
    ['conrad', 'conrad/197720', 8],
    ['denkovi', 'denkovi/usb-16', 16],
    ['denkovi', 'denkovi/usb-16', 1],
    ['lcus-query', 'lc-technology/lcus-8', 8],
  ])('%s as %s, channel %i', async (kind, id, channel) => {
    const rig = await serialRig(kind, serialProfileNamed(id), { channel });
    const { contact, seen } = rig;
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
    expect(seen()).toBe('connected');
    expect(await bounded(contact.read())).toMatchObject({ position: 'connected' });
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    expect(seen()).toBe('isolated');
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
    await contact.close();
    await rig.end();
  });

  test('another board under the same port is found by its start-up check', async () => {
    const rig = await serialRig('usb-rly16', serialProfileNamed('devantech/usb-rly08'), { channel: 1 });
    expect(await bounded(rig.contact.settingsProblems())).toEqual([
      expect.stringContaining('module-id of the board reads 09; must be 08.'),
    ]);
    await rig.contact.close();
    await rig.end();
  });
});
