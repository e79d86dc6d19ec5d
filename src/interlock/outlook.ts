/** Gathers what the conditions of a lease rest on. */
import { entitledUntil } from '../core/calendar.ts';
import type { Moment } from '../core/exposure.ts';
import { type Conditions, leaseOf, type Refusal } from '../core/link.ts';
import type { LeaseRequest } from '../protocol/messages.ts';
import type { InterlockParts } from './interlock-parts.ts';
import type { LinkAtWork } from './link-at-work.ts';
import { conditionsOf } from './permissives.ts';
import { provenBy } from './commissioning/shown.ts';
import { proofRefusals } from './proof-record.ts';

/** The opening of a window that a lease is asked for. */
export type Claim = Pick<LeaseRequest, 'window' | 'occurrence'>;

/** The conditions of a lease of this link at this moment; without a claim nothing entitles. */
export function conditionsAt(
  { button, commissionings, journal, ledger, proofs, windows, trust }: InterlockParts,
  moment: Moment,
  link: LinkAtWork,
  claim: Claim | null,
  heartbeats: readonly Refusal[],
): Conditions {
  const open = windows.calendar.open.find((each) => each.occurrence === claim?.occurrence);
  const contacts = link.parts.contacts.map(({ name }) => name);
  return conditionsOf({
    journal: journal.writable(),
    clock: trust(),
    byHand: open !== undefined && open.byHand !== null,
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
    settings: link.settings,
    entitledUntil:
      claim === null ? null : entitledUntil(windows.calendar, link.name, claim.window, claim.occurrence),
    exposedMs: ledger.exposedMs(link.name, moment),
    budgetMs: link.parts.budgetMs,
  });
}
