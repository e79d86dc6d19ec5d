/** Proofs in corners: a test that comes to nothing, and proofs of another life. */
import { expect, test } from 'vitest';
import { linkLines } from '../../src/command/ask.ts';
import { recordProof } from '../../src/interlock/records/proof-record.ts';
import { linkStatusOf } from '../../src/interlock/socket/status.ts';
import { passedRecord } from '../commissioning/commissioned.ts';
import { WiredBox } from './wired-box.ts';

/** A window whose end tests a contact; `spoiled`: the port lets go by itself before that says anything. */
async function window(box: WiredBox, spoiled: boolean): Promise<void> {
  const id = await box.lease();
  if (typeof id !== 'string') throw new TypeError(`refused: ${id.join(', ')}`);
  if (spoiled) box.relay.faults.add('welded');
  void box.interlock.endLease(id, 'released');
  if (spoiled) {
    await box.pass(300);
    box.port.obey('isolated');
  }
  await box.until('the end', () => box.at === 'isolated');
  box.relay.faults.delete('welded');
  await box.pass(100);
}

test('a contact whose test comes to nothing does not keep the other from its own', async () => {
  const box = new WiredBox();
  await window(box, true);
  await window(box, false);
  await window(box, false);
  const tests = box.entries('link.isolating').map((each) => each['proof']);
  expect(tests).toMatchObject([
    { contact: 'relay', outcome: 'not-done' },
    { contact: 'port', outcome: 'passed' },
    { contact: 'relay', outcome: 'passed' },
  ]);
});

test('a proof that was seen on emulated boards is not shown for the real ones that replaced them', async () => {
  const box = new WiredBox();
  await box.come(recordProof(box.proofs, 'vault', [{ contact: 'relay', basis: 'witness', tookMs: 8 }], 0));
  const shown = (): readonly string[] =>
    linkStatusOf(box.interlock, box.vault).proofs.map(({ outcome }) => outcome);
  const { commissionings } = box.interlock.parts;
  Object.assign(box.interlock.parts, {
    commissionings: {
      ...commissionings,
      record: () => ({ kind: 'read', record: passedRecord('vault', {}) }),
    },
  });
  expect(shown()).toEqual(['passed', 'none']);
  Object.assign(box.vault.parts, { grade: 'paper' });
  expect(shown()).toEqual(['none', 'none']);
  await box.come(
    box.proofs.record('vault', {
      relay: { outcome: 'failed', basis: 'none', tookMs: null, at: 0, by: 'window' },
    }),
  );
  expect(shown()).toEqual(['failed', 'none']);
});

test('what was seen on emulated boards is called so in every line that tells it', async () => {
  const box = new WiredBox();
  await window(box, false);
  const status = linkStatusOf(box.interlock, box.vault);
  const at = '2026-01-01T00:00:00.000Z';
  for (const state of ['passed', 'outdated'] as const) {
    const lines = linkLines({ ...status, commissioning: { state, at, grade: 'simulated' } });
    const telling = lines.filter((line) => /passed|shown by/.test(line));
    expect(telling).toHaveLength(3);
    for (const line of telling) expect(line).toMatch(/simulated|EMULATED/);
  }
});
