/** Gathers what the conditions of a lease rest on. */
import { entitledUntil } from '../core/calendar.ts';
import type { Moment } from '../core/exposure.ts';
import { type Conditions, leaseOf, type Refusal } from '../core/link.ts';
import type { InterlockParts } from './interlock-parts.ts';
import type { LinkAtWork } from './link-at-work.ts';
import { conditionsOf } from './permissives.ts';
import { provenBy } from './commissioning/shown.ts';
import { proofRefusals } from './proof-record.ts';

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
  const asked = claim === null || 'session' in claim ? null : claim;
  const open = windows.calendar.open.find((each) => each.occurrence === asked?.occurrence);
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
      asked === null ? null : entitledUntil(windows.calendar, link.name, asked.window, asked.occurrence),
    exposedMs: ledger.exposedMs(link.name, moment),
    budgetMs: link.parts.budgetMs,
  });
}
