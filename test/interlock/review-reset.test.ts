/** What a reset may lift, and what it must not. */
import { expect, test } from 'vitest';
import { readLatches } from '../../src/interlock/records/latch-file.ts';
import type { LinkAtWork } from '../../src/interlock/link-at-work.ts';
import { causeNow } from '../button/cause.ts';
import { type Box, box, HandClock } from './review-box.ts';

const linkOf = (rig: Box<HandClock>, name: string): LinkAtWork => {
  const link = rig.interlock.links.get(name);
  if (link === undefined) throw new TypeError(`no link ${name}`);
  return link;
};

const resetBy = (rig: Box<HandClock>, reason: string): ReturnType<typeof rig.interlock.reset> => {
  const link = linkOf(rig, 'vault');
  return rig.interlock.reset(link, { by: 'person:root', reason, presence: true, cause: causeNow(link) });
};

const latchesOf = async (rig: Box<HandClock>): Promise<readonly string[]> => {
  const read = await readLatches(rig.disk, '/state');
  return read.kind === 'read' ? Object.keys(read.latches) : [read.kind];
};

test('a reset does not lift a trip that came while the reset was being recorded', async () => {
  const rig = await box(new HandClock());
  rig.interlock.start();
  await rig.clock.pass(3_000);
  void rig.interlock.trip([], { by: 'source:a', reason: 'first' });
  await rig.clock.pass(3_000);
  const disk = Promise.withResolvers<void>();
  rig.journal.disk = disk.promise;
  const resetting = resetBy(rig, 'looked into the first');
  await rig.clock.pass(100);
  const second = rig.interlock.trip([], { by: 'source:a', reason: 'second' });
  disk.resolve();
  await rig.clock.pass(1_000);
  expect((await second).every((step) => step.latchSaved)).toBe(true);
  expect((await resetting).map(({ code }) => code)).toEqual(['tripped-again']);
  expect(linkOf(rig, 'vault').shell.state.at).toBe('tripped');
  expect(await latchesOf(rig)).toEqual(['vault']);
  expect(rig.journal.types()).toContain('link.reset-refused');

  const again = resetBy(rig, 'looked into both');
  await rig.clock.pass(1_000);
  expect(await again).toEqual([]);
  expect(await latchesOf(rig)).toEqual([]);
});

test('a reset that cannot be recorded is refused, and the refusal is counted by the journal', async () => {
  const rig = await box(new HandClock());
  rig.interlock.start();
  await rig.clock.pass(3_000);
  void rig.interlock.trip([], { by: 'source:a', reason: 'first' });
  await rig.clock.pass(3_000);
  const asked: string[] = [];
  rig.journal.why = 'full';
  const append = rig.journal.append.bind(rig.journal);
  rig.journal.append = (entry) => {
    asked.push(entry.type);
    return append(entry);
  };
  const refusals = await resetBy(rig, 'why');
  expect(refusals.map(({ code }) => code)).toEqual(['journal-unwritable']);
  expect(asked).toContain('link.reset-refused');
  expect(linkOf(rig, 'vault').shell.state.at).toBe('tripped');
});

test('the latch of a link that is not configured for a while is kept', async () => {
  const latch = { by: 'source:a', reason: 'before', at: '2026-11-20T03:00:00.000Z' };
  const rig = await box(new HandClock(), { latches: { elsewhere: latch, vault: latch } });
  rig.interlock.start();
  await rig.clock.pass(3_000);
  const reset = resetBy(rig, 'why');
  await rig.clock.pass(1_000);
  expect(await reset).toEqual([]);
  expect(await latchesOf(rig)).toEqual(['elsewhere']);
});
