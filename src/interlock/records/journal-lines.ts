/** What a step of a link looks like in the journal. Pure. */
import type { Refusal, Act, Event } from '../../core/link.ts';
import type { EntryInput, JsonObject, JsonValue } from '../../journal/entry.ts';
import { cutMsOf, thousandths } from '../trips/cut-figures.ts';
import type { Step } from '../link-shell.ts';

/** The journal entry of a noteworthy step. */
export function entryOf(step: Omit<Step, 'latchSaved' | 'recorded'>): EntryInput {
  const { link, event, before, decision, cut } = step;
  const moved = decision.state.at !== before.at;
  const data: Record<string, JsonValue> = { link, ...detailOf(event) };
  if (moved) Object.assign(data, { from: before.at, to: decision.state.at });
  if (cut !== null) data['cut'] = { why: cut.why, written_ms: roundAll(cut.writtenMs) };
  // From what was received, not from the decision: how fast the alarm was, all in all.
  if (cut !== null && event.kind === 'tripped') data['cut_ms'] = cutMsOf(cut, event.receivedAt);
  const over = findAct(decision.acts, 'tell-over');
  if (over !== undefined) Object.assign(data, { lease: over.leaseId, why: over.why });
  const granted = findAct(decision.acts, 'tell-granted');
  if (granted !== undefined)
    Object.assign(data, {
      lease: granted.lease.id,
      ends_in_ms: Math.floor(granted.lease.endsAt - event.now),
    });
  const refused = findAct(decision.acts, 'refuse');
  if (refused !== undefined) data['refusals'] = refused.refusals.map(refusalJson);
  const proof = findAct(decision.acts, 'proof-ended');
  if (proof !== undefined)
    data['proof'] = {
      contact: proof.contact,
      outcome: proof.outcome,
      basis: proof.basis,
      took_ms: proof.tookMs === null ? null : Math.round(proof.tookMs),
    };
  const alarms = decision.acts.flatMap((act) => (act.kind === 'alarm' ? [act.alarm] : []));
  if (alarms.length > 0) data['alarms'] = alarms;
  return { type: typeOf(event, decision.acts, moved, decision.state.at), actor: actorOf(event), data };
}

function typeOf(event: Event, acts: readonly Act[], moved: boolean, at: string): string {
  if (event.kind === 'tripped') return 'link.tripped';
  if (event.kind === 'reset-asked')
    return findAct(acts, 'refuse') === undefined ? 'link.reset' : 'link.reset-refused';
  if (findAct(acts, 'refuse') !== undefined && !moved)
    return event.kind === 'commissioning-asked' || event.kind === 'drive-asked'
      ? 'commissioning.refused'
      : 'lease.refused';
  if (event.kind === 'drive-asked')
    return event.position === 'connected' ? 'contact.connect-asked' : 'contact.isolate-asked';
  return moved ? `link.${at}` : 'link.alarm';
}

function actorOf(event: Event): string {
  switch (event.kind) {
    case 'tripped':
      return event.trip.by;
    case 'lease-asked':
    case 'lease-renewed':
    case 'lease-given-back':
      return 'controller';
    case 'reset-asked':
    case 'commissioning-asked':
      return event.presence ? 'presence' : 'controller';
    case 'drive-asked':
      return 'presence';
    case 'tick':
    case 'seen':
    case 'conditions-sampled':
    case 'stop-asked':
      return 'interlock';
  }
}

function detailOf(event: Event): JsonObject {
  switch (event.kind) {
    case 'tripped':
      return { reason: event.trip.reason };
    case 'seen':
      return { evidence: { position: event.evidence.position, basis: event.evidence.basis } };
    case 'lease-given-back':
      return { given_back: event.why };
    case 'conditions-sampled':
      return { failing: event.conditions.failing.map(refusalJson) };
    case 'drive-asked':
      return { lease: event.leaseId, contact: event.contact, position: event.position };
    case 'lease-asked':
    case 'lease-renewed':
    case 'commissioning-asked':
    case 'tick':
    case 'reset-asked':
    case 'stop-asked':
      return {};
  }
}

const refusalJson = ({ code, why, hint }: Refusal): JsonObject => ({ code, why, hint });

const findAct = <K extends Act['kind']>(
  acts: readonly Act[],
  kind: K,
): Extract<Act, { kind: K }> | undefined =>
  acts.find((act): act is Extract<Act, { kind: K }> => act.kind === kind);

/** Thousandths of a ms are noise. */
const roundAll = (figures: Readonly<Record<string, number | null>>): JsonObject =>
  Object.fromEntries(
    Object.entries(figures).map(([name, ms]) => [name, ms === null ? null : thousandths(ms)]),
  );
