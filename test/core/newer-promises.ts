/** What the proof test and commissioning must keep on every step. */
import { type Decision, latchOf, leaseOf, permissionOf } from '../../src/core/link.ts';
import { policy, type Step } from './step.ts';

const proofEnded = ({ acts }: Decision) => acts.filter((act) => act.kind === 'proof-ended');
const cutsAll = ({ cuts }: Decision): boolean => cuts.some(({ only }) => only === undefined);

/** Every promise that one step can break. */
export const newerPromises: Readonly<Record<string, (step: Step) => boolean>> = {
  'a contact is cut alone only under proof test, or for the session that asks': ({
    before,
    event,
    decision: { cuts, state },
  }) =>
    cuts.every(
      ({ only }) =>
        only === undefined ||
        (state.at === 'proving' && only === state.contact) ||
        (before.at === 'proving' && only === before.contact) ||
        (before.at === 'connected' && only === before.turn && permissionOf(state) === null) ||
        (event.kind === 'drive-asked' &&
          event.position === 'isolated' &&
          before.at === 'commissioning' &&
          before.lease.id === event.leaseId &&
          only === event.contact),
    ),
  'a proof test begins only where a lease that was seen connected ends as planned': ({
    before,
    event,
    decision,
  }) => {
    if (decision.state.at !== 'proving' || before.at === 'proving') return true;
    if (before.at !== 'connected' || event.now - before.seenAt > policy.evidenceMaxAgeMs) return false;
    const ended = event.now >= before.lease.endsAt;
    const released =
      event.kind === 'lease-given-back' && event.leaseId === before.lease.id && event.why === 'released';
    return (
      (ended || (released && event.now < before.lease.renewBy)) &&
      decision.state.contact === before.turn &&
      decision.state.cutAt === event.now &&
      decision.state.shownAt === null &&
      decision.cuts.some(({ only }) => only === before.turn)
    );
  },
  'a lease that ends as planned while seen connected is tested': ({ before, event, decision }) => {
    if (before.at !== 'connected' || event.now - before.seenAt > policy.evidenceMaxAgeMs) return true;
    if (event.now < before.lease.endsAt || event.kind === 'tripped' || event.kind === 'stop-asked')
      return true;
    if (event.kind === 'conditions-sampled' && event.conditions.failing.length > 0) return true;
    return decision.state.at === 'proving';
  },
  'a proof test is bounded by the isolate time-out, and nothing moves the bound': ({
    before,
    event,
    decision: { state },
  }) => {
    if (state.at !== 'proving') return true;
    if (event.now >= state.giveUpAt || state.giveUpAt - state.cutAt > policy.isolateTimeoutMs) return false;
    return (
      before.at !== 'proving' ||
      (state.giveUpAt === before.giveUpAt && state.cutAt === before.cutAt && state.contact === before.contact)
    );
  },
  'a proof test ends with the cut of every contact, and with one result': ({ before, decision }) => {
    if (before.at !== 'proving' || decision.state.at === 'proving')
      return before.at === 'connected' || proofEnded(decision).length === 0;
    const [ended, ...more] = proofEnded(decision);
    return (
      cutsAll(decision) &&
      ended?.contact === before.contact &&
      more.length === 0 &&
      (decision.state.at === 'isolating' || decision.state.at === 'tripped') &&
      decision.state.cutAt >= before.cutAt
    );
  },
  'passed: shown after the cut, while every other contact is known to have held': ({
    before,
    event,
    decision,
  }) => {
    const [ended] = proofEnded(decision);
    if (ended?.outcome !== 'passed') return true;
    if (before.at !== 'proving' || event.kind !== 'seen' || event.alone === null) return false;
    const { contact, position, asOf, others, othersAsOf } = event.alone;
    const shownAt = before.shownAt ?? event.now;
    return (
      contact === before.contact &&
      position === 'isolated' &&
      asOf > before.cutAt &&
      event.now - asOf <= policy.evidenceMaxAgeMs &&
      others === 'connected' &&
      othersAsOf >= shownAt &&
      ended.tookMs === shownAt - before.cutAt
    );
  },
  'shown: by evidence of this contact taken after the cut, and taken back by evidence against': ({
    before,
    event,
    decision: { state },
  }) => {
    if (before.at !== 'proving' || state.at !== 'proving') return true;
    const alone = event.kind === 'seen' ? event.alone : null;
    const counts =
      alone !== null &&
      alone.contact === before.contact &&
      alone.asOf > before.cutAt &&
      event.now - alone.asOf <= policy.evidenceMaxAgeMs;
    if (counts && alone.position === 'connected') return state.shownAt === null;
    if (counts && alone.position === 'isolated') return state.shownAt === (before.shownAt ?? event.now);
    return state.shownAt === before.shownAt;
  },
  'failed: not shown at the bound, and told': ({ before, event, decision }) => {
    if (before.at !== 'proving' || event.kind === 'tripped') return true;
    const due = event.now >= before.giveUpAt && before.shownAt === null;
    const failed = proofEnded(decision).some(({ outcome }) => outcome === 'failed');
    const told = decision.acts.some((act) => act.kind === 'alarm' && act.alarm === 'proof-failed');
    return due === failed && failed === told;
  },
  'another contact that lets go makes the test void': ({ before, event, decision }) => {
    if (before.at !== 'proving' || event.kind !== 'seen' || event.now >= before.giveUpAt) return true;
    const { alone } = event;
    if (alone === null || alone.contact !== before.contact || alone.others !== 'isolated') return true;
    return alone.othersAsOf <= before.cutAt || decision.state.at === 'isolating';
  },
  'a permissive that fails ends a proof test and a session': ({ before, event, decision }) => {
    if (before.at !== 'proving' && before.at !== 'commissioning') return true;
    const mine = event.kind !== 'lease-renewed' || permissionOf(before)?.id === event.leaseId;
    if (event.kind !== 'conditions-sampled' && !(event.kind === 'lease-renewed' && mine)) return true;
    if (event.conditions.failing.length === 0 || (before.at === 'proving' && event.kind === 'lease-renewed'))
      return true;
    return cutsAll(decision) && decision.state.at === 'isolating';
  },
  'commissioning begins only by presence, from fresh proof, with nothing failing': ({
    before,
    event,
    decision,
  }) => {
    if (decision.state.at !== 'commissioning' || before.at === 'commissioning') return true;
    return (
      event.kind === 'commissioning-asked' &&
      event.presence &&
      event.failing.length === 0 &&
      before.at === 'isolated' &&
      event.now - before.provenAt <= policy.evidenceMaxAgeMs &&
      latchOf(before) === null &&
      decision.state.lease.endsAt - event.now <= policy.commissioningMs &&
      decision.state.lease.renewBy - event.now <= policy.leaseTimeoutMs &&
      !decision.acts.some((act) => act.kind === 'connect' || act.kind === 'drive')
    );
  },
  'a contact is driven only for the session that asks, and nothing was cut in that step': ({
    before,
    event,
    decision,
  }) =>
    decision.acts.every(
      (act) =>
        act.kind !== 'drive' ||
        (event.kind === 'drive-asked' &&
          event.position === 'connected' &&
          before.at === 'commissioning' &&
          decision.state.at === 'commissioning' &&
          before.lease.id === event.leaseId &&
          act.leaseId === event.leaseId &&
          act.contact === event.contact &&
          decision.cuts.length === 0),
    ),
  'no lease is granted during a session or a proof test': ({ before, event, decision }) =>
    (before.at !== 'commissioning' && before.at !== 'proving') ||
    event.kind !== 'lease-asked' ||
    (leaseOf(decision.state) === null && decision.acts.some((act) => act.kind === 'refuse')),
  'no evidence ends a session': ({ before, event, decision }) =>
    before.at !== 'commissioning' ||
    event.kind !== 'seen' ||
    event.now >= Math.min(before.lease.endsAt, before.lease.renewBy) ||
    (decision.state.at === 'commissioning' && decision.cuts.length === 0),
  'a session leaves by the cut of every contact, and then awaits proof': ({ before, decision }) =>
    before.at !== 'commissioning' ||
    decision.state.at === 'commissioning' ||
    (cutsAll(decision) && (decision.state.at === 'isolating' || decision.state.at === 'tripped')),
};
