/** What a step looks like in the journal: every combination that can come about is one that the journal takes. */
import { describe, expect, test } from 'vitest';
import { begin, decide } from '../../src/core/decide.ts';
import type { Conditions, Event, Policy, State } from '../../src/core/link.ts';
import { notLatched } from '../../src/core/refusals.ts';
import { millis } from '../../src/core/time.ts';
import { entryOf } from '../../src/interlock/records/journal-lines.ts';
import type { Step } from '../../src/interlock/link-shell.ts';
import { parseEntry, printEntry } from '../../src/journal/entry.ts';

const policy: Policy = {
  connectTimeoutMs: 10_000,
  isolateTimeoutMs: 2_000,
  leaseTimeoutMs: 3_000,
  commissioningMs: 60_000,
  evidenceMaxAgeMs: 5_000,
};
const entitled: Conditions = { failing: [], entitledUntil: millis(60_000.5), budgetLeftMs: 1e6 };
const refusing: Conditions = { failing: [notLatched], entitledUntil: null, budgetLeftMs: -1 };
const isolated: State = { at: 'isolated', provenAt: millis(900) };
const lease = { id: 'one', endsAt: millis(50_000), renewBy: millis(3_000) };
const connected: State = { at: 'connected', lease, since: millis(500), seenAt: millis(900), turn: 'relay' };
const proving: State = {
  at: 'proving',
  contact: 'relay',
  cutAt: millis(800),
  giveUpAt: millis(2_800),
  shownAt: millis(900),
  basis: 'witness',
};
const commissioning: State = { at: 'commissioning', lease };
const tripped: State = begin(millis(0), { by: 'button', reason: 'pressed' }, policy).state;

/** A step as the shell would have it. */
function stepOf(before: State, event: Event): Omit<Step, 'latchSaved' | 'recorded'> {
  const decision = decide(before, event, policy);
  const why = decision.cuts[0]?.why;
  const cut =
    why === undefined ? null : { why, at: event.now, writtenMs: { relay: 0.123_456_7, port: null } };
  return { link: 'vault', event, before, decision, cut };
}
const now = millis(1_000);

describe('an entry says what happened, by whom, and what became of it', () => {
  test('a trip', () => {
    const trip = { by: 'source:alarm', reason: 'mass deletion' };
    expect(entryOf(stepOf(connected, { kind: 'tripped', now, trip }))).toEqual({
      type: 'link.tripped',
      actor: 'source:alarm',
      data: {
        link: 'vault',
        reason: 'mass deletion',
        from: 'connected',
        to: 'tripped',
        cut: { why: 'tripped', written_ms: { relay: 0.123, port: null } },
        cut_ms: null,
        lease: 'one',
        why: 'tripped',
      },
    });
  });

  test('a second trip, which moves nothing', () => {
    const entry = entryOf(stepOf(tripped, { kind: 'tripped', now, trip: { by: 'button', reason: 'again' } }));
    expect(entry).toMatchObject({ type: 'link.tripped', actor: 'button', data: { cut: { why: 'tripped' } } });
    expect(entry.data).not.toHaveProperty('to');
  });

  test('a grant', () => {
    const step = stepOf(isolated, {
      kind: 'lease-asked',
      now,
      leaseId: 'two',
      conditions: entitled,
      turn: 'relay',
    });
    expect(entryOf(step)).toEqual({
      type: 'link.connecting',
      actor: 'controller',
      data: { link: 'vault', from: 'isolated', to: 'connecting', lease: 'two', ends_in_ms: 59_000 },
    });
  });

  test('a refusal', () => {
    const step = stepOf(isolated, {
      kind: 'lease-asked',
      now,
      leaseId: 'two',
      conditions: refusing,
      turn: 'relay',
    });
    expect(entryOf(step)).toMatchObject({ type: 'lease.refused', actor: 'controller' });
    expect(JSON.stringify(entryOf(step).data['refusals'])).toContain('budget-spent');
  });

  test('a renewal that was refused isolates, and both is told', () => {
    const step = stepOf(connected, { kind: 'lease-renewed', now, leaseId: 'one', conditions: refusing });
    expect(entryOf(step)).toMatchObject({
      type: 'link.isolating',
      data: { why: 'permissive-failed', refusals: [{ code: 'not-latched' }, {}, {}] },
    });
  });

  test.each([
    [true, 'link.reset-refused', 'presence'],
    [false, 'link.reset-refused', 'controller'],
  ])('a reset with presence %s', (presence, type, actor) => {
    const entry = entryOf(stepOf(tripped, { kind: 'reset-asked', now, presence }));
    expect(entry).toMatchObject({ type, actor });
  });

  test('the beginning and the end of a proof test', () => {
    const back = { kind: 'lease-given-back', now, leaseId: 'one', why: 'released' } as const;
    expect(entryOf(stepOf(connected, back))).toMatchObject({
      type: 'link.proving',
      actor: 'controller',
      data: { to: 'proving', cut: { why: 'released' }, lease: 'one', why: 'released' },
    });
    expect(entryOf(stepOf(proving, { kind: 'tick', now: millis(2_800) }))).toMatchObject({
      type: 'link.isolating',
      data: { proof: { contact: 'relay', outcome: 'not-done', basis: 'witness', took_ms: 100 } },
    });
    const unseen = { ...proving, shownAt: null, basis: 'none' } as const;
    expect(entryOf(stepOf(unseen, { kind: 'tick', now: millis(2_800) }))).toMatchObject({
      type: 'link.isolating',
      data: {
        alarms: ['proof-failed'],
        cut: { why: 'proof-ended' },
        proof: { contact: 'relay', outcome: 'failed', basis: 'none', took_ms: null },
      },
    });
  });

  test('a session of commissioning, and what it drives', () => {
    const asked = { kind: 'commissioning-asked', now, leaseId: 'two', presence: true, failing: [] } as const;
    expect(entryOf(stepOf(isolated, asked))).toMatchObject({ type: 'link.commissioning', actor: 'presence' });
    expect(entryOf(stepOf(connected, asked))).toMatchObject({
      type: 'commissioning.refused',
      data: { refusals: [{ code: 'lease-held' }] },
    });
    const drive = { kind: 'drive-asked', now, leaseId: 'one', contact: 'relay' } as const;
    expect(entryOf(stepOf(commissioning, { ...drive, position: 'connected' }))).toMatchObject({
      type: 'contact.connect-asked',
      actor: 'presence',
      data: { contact: 'relay', position: 'connected' },
    });
    expect(entryOf(stepOf(commissioning, { ...drive, position: 'isolated' }))).toMatchObject({
      type: 'contact.isolate-asked',
      data: { cut: { why: 'commissioning' } },
    });
  });

  test('an alarm without a move', () => {
    const entry = entryOf(stepOf(tripped, { kind: 'tick', now: millis(2_500) }));
    expect(entry).toMatchObject({
      type: 'link.alarm',
      actor: 'interlock',
      data: { alarms: ['isolation-unproven'] },
    });
  });
});

test('the journal takes the entry of every event in every state', () => {
  const evidence = { position: 'connected', asOf: millis(950), basis: 'witness', whole: true } as const;
  const alone = {
    contact: 'relay',
    position: 'isolated',
    asOf: millis(950),
    basis: 'witness',
    others: 'connected',
    othersAsOf: millis(960),
  } as const;
  const events: readonly Event[] = [
    { kind: 'tick', now },
    { kind: 'tick', now: millis(99_999) },
    { kind: 'seen', now, evidence, alone: null },
    { kind: 'seen', now, evidence, alone },
    { kind: 'seen', now, evidence, alone: { ...alone, others: 'isolated' } },
    {
      kind: 'seen',
      now,
      evidence: { ...evidence, position: 'unknown', basis: 'none', asOf: millis(Infinity) },
      alone: null,
    },
    { kind: 'seen', now, evidence: { ...evidence, position: 'isolated' }, alone: null },
    { kind: 'lease-asked', now, leaseId: 'two', conditions: entitled, turn: 'relay' },
    { kind: 'lease-asked', now, leaseId: 'two', conditions: refusing, turn: 'relay' },
    { kind: 'lease-renewed', now, leaseId: 'one', conditions: refusing },
    { kind: 'lease-given-back', now, leaseId: 'one', why: 'holder-gone' },
    { kind: 'conditions-sampled', now, conditions: refusing },
    { kind: 'tripped', now, trip: { by: 'button', reason: 'pressed' } },
    { kind: 'reset-asked', now, presence: true },
    { kind: 'stop-asked', now },
    { kind: 'commissioning-asked', now, leaseId: 'two', presence: true, failing: [] },
    { kind: 'commissioning-asked', now, leaseId: 'two', presence: false, failing: [notLatched] },
    { kind: 'drive-asked', now, leaseId: 'one', contact: 'relay', position: 'connected' },
    { kind: 'drive-asked', now, leaseId: 'one', contact: 'relay', position: 'isolated' },
    { kind: 'drive-asked', now, leaseId: 'two', contact: 'relay', position: 'isolated' },
  ];
  const unproven = begin(millis(0), null, policy).state;
  const connecting: State = {
    at: 'connecting',
    lease,
    since: millis(900),
    giveUpAt: millis(9_000),
    turn: 'relay',
  };
  const proven: State = tripped.at === 'tripped' ? { ...tripped, provenAt: millis(950) } : tripped;
  let taken = 0;
  for (const state of [unproven, isolated, connecting, connected, proving, commissioning, tripped, proven]) {
    for (const event of events) {
      const entry = entryOf(stepOf(state, event));
      const whole = {
        seq: 1,
        boot: 'boot',
        mono: 0,
        at: '2026-11-21T03:00:00.000Z',
        clock: 'assumed',
        prev: '0'.repeat(64),
      } as const;
      expect(parseEntry(printEntry({ ...whole, ...entry }))).toMatchObject(entry);
      taken += 1;
    }
  }
  expect(taken).toBe(8 * events.length);
});
