/** Gathers what the conditions of a lease rest on. */
import type { Authority } from '../core/attended.ts';
import { type Calendar, entitledUntil } from '../core/calendar.ts';
import type { Moment } from '../core/exposure.ts';
import { type Conditions, leaseOf, type Refusal } from '../core/link.ts';
import type { Millis } from '../core/time.ts';
import type { InterlockParts } from './interlock-parts.ts';
import type { LinkAtWork } from './link-at-work.ts';
import { conditionsOf } from './permissives.ts';
import { provenBy } from './commissioning/shown.ts';
import { proofRefusals } from './records/proof-record.ts';

/** What a lease is asked for: the opening of a window, or an attended session. */
export type Claim = { readonly window: string; readonly occurrence: string } | { readonly session: string };

/** The conditions of a lease of this link at this moment; without a claim nothing entitles. */
export function conditionsAt(
  { button, commissionings, journal, ledger, proofs, windows, trust }: InterlockParts,
  moment: Moment,
  link: LinkAtWork,
  claim: Claim | null,
  heartbeats: readonly Refusal[],
): Conditions {
  const right = rightBehind(windows.calendar, link, claim);
  const contacts = link.parts.contacts.map(({ name }) => name);
  return conditionsOf({
    journal: journal.writable(),
    clock: trust(),
    atTheBox: right === 'box' || right === 'button',
    ledger,
    proofRecord: proofs,
    proofs: proofRefusals(proofs.of(link.name), contacts, {
      link: link.name,
      calendarMs: moment.calendarMs,
      maxAgeMs: link.parts.proofMaxAgeMs,
      leased: leaseOf(link.shell.state) !== null,
      commissioned: provenBy(commissionings.record(link.name)),
    }),
    commissioning: commissionings.refusal(link.name),
    heartbeats,
    button: button?.refusal(link.name) ?? null,
    settings: link.settings.problems,
    entitledUntil: claim === null ? null : entitlementOf(windows.calendar, link, claim),
    exposedMs: ledger.exposedMs(link.name, moment),
    budgetMs: link.parts.budgetMs,
  });
}

/** Until when what is claimed entitles this link. */
const entitlementOf = (calendar: Calendar, link: LinkAtWork, claim: Claim): Millis | null =>
  'session' in claim
    ? link.attended.entitledUntil(claim.session)
    : entitledUntil(calendar, link.name, claim.window, claim.occurrence);

/** By what right a person began what is claimed; null where the schedule did, or nothing is claimed. */
function rightBehind(
  calendar: Calendar,
  { attended }: LinkAtWork,
  claim: Claim | null,
): Authority['by'] | null {
  if (claim === null) return null;
  if ('session' in claim)
    return attended.session?.id === claim.session ? attended.session.authority.by : null;
  return calendar.open.find((each) => each.occurrence === claim.occurrence)?.right ?? null;
}

/** What a lease of this link could be asked for now. */
export function claimAtRest({ windows }: Pick<InterlockParts, 'windows'>, link: LinkAtWork): Claim | null {
  const { session } = link.attended;
  if (session !== null) return { session: session.id };
  return windows.calendar.open.find((each) => each.link === link.name) ?? null;
}
