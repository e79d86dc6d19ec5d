/** What a reset must be told, and what stands against it before the core is asked. */
import { createHash } from 'node:crypto';
import { isolationProvenAt, latchOf, type Refusal } from '../core/link.ts';
import { presenceMissing, resetUnproven, trippedAgain } from '../core/refusals.ts';
import type { EntryInput } from '../journal/entry.ts';
import type { Approval } from '../protocol/authority.ts';
import type { Approved } from './approvers.ts';
import type { Button } from './button.ts';
import type { Interlock } from './interlock.ts';
import type { InterlockParts } from './interlock-parts.ts';
import type { Latch } from './latch-file.ts';
import { type LinkAtWork, latchShown } from './link-at-work.ts';

/** Who asks for a reset, and what is said for it. */
export interface ResetAsked {
  /** `person:<name>`. */
  readonly by: string;
  readonly reason: string;
  /** It came over the socket of presence. */
  readonly presence: boolean;
  /** The cause that was acknowledged (`causeId`), as status shows it. */
  readonly cause?: string | undefined;
  readonly approvals?: readonly Approval[] | undefined;
}

/** Lifts a latch, or says why not. Nothing but authority and proof is left to the core. */
export async function resetLink(
  interlock: Interlock,
  link: LinkAtWork,
  asked: ResetAsked,
): Promise<readonly Refusal[]> {
  const { button, journal, clock } = interlock.parts;
  const { by, reason } = asked;
  const refuse = (refusals: readonly Refusal[]): readonly Refusal[] =>
    interlock.refused('link.reset-refused', by, { link: link.name, reason }, refusals);
  if (!journal.writable().ok)
    return refuse(interlock.conditionsNow(link).failing.filter(({ code }) => code === 'journal-unwritable'));
  const { trips } = link.shell;
  const authority = await authorityOf(link, asked, interlock.parts);
  if ('refusals' in authority) return refuse(authority.refusals);
  const presence = authority.by !== null;
  await journal.append(resetEntry(link, asked, authority));
  if (link.shell.trips !== trips) return refuse([trippedAgain]);
  const standing = standingAgainst(link, asked, button);
  if (standing.length > 0) return refuse(standing);
  const step = await link.shell.handle({ kind: 'reset-asked', now: clock.now(), presence });
  return step.decision.acts.flatMap((act) => (act.kind === 'refuse' ? act.refusals : []));
}

const CAUSE_DIGITS = 8;

/** Names the cause of a latch: whoever repeats it has seen by whom, why and when the link was tripped. */
export const causeId = ({ by, reason, at }: Latch): string =>
  createHash('sha256')
    .update(JSON.stringify([by, reason, at]))
    .digest('hex')
    .slice(0, CAUSE_DIGITS);

/** Everything but authority and proof that keeps a latch: its cause is not acknowledged, or the button is not released. */
function standingAgainst(
  link: LinkAtWork,
  asked: ResetAsked,
  button: Button | undefined,
): readonly Refusal[] {
  const latch = latchShown(link);
  // The core says that nothing needs a reset.
  if (latch === null) return [];
  const held = button?.refusal(link.name) ?? null;
  const cause = causeId(latch);
  return [
    ...(asked.cause === cause ? [] : [causeUnacknowledged(latch, cause, asked.cause)]),
    ...(held === null ? [] : [held]),
  ];
}

/** A code counts once: none is used up for a reset that would be refused all the same. */
const unprovenAt = ({ shell: { state } }: LinkAtWork): readonly Refusal[] =>
  latchOf(state) !== null && isolationProvenAt(state) === null ? [resetUnproven] : [];

/** What lifts the latch: presence at the box, the button that was held there, two approvers; null when nothing does. */
type Authority =
  | { readonly by: 'box' | 'button' | null }
  | { readonly by: 'approvers'; readonly approvers: readonly string[] };

/** By what right a reset is asked for, or all that stands against it. Codes are used up only when nothing else does. */
async function authorityOf(
  link: LinkAtWork,
  asked: ResetAsked,
  { approvers, button }: Pick<InterlockParts, 'approvers' | 'button'>,
): Promise<Authority | { readonly refusals: readonly Refusal[] }> {
  const { presence, approvals = [] } = asked;
  const held = button?.presentFor(link.name) === true;
  const approving = approvals.length > 0 && !presence && !held;
  const standing = standingAgainst(link, asked, button);
  const missing = presence || held || approving ? [] : [presenceMissing];
  if (standing.length > 0) return { refusals: [...missing, ...unprovenAt(link), ...standing] };
  if (presence) return { by: 'box' };
  if (held) return { by: 'button' };
  if (!approving) return { by: null };
  const unproven = unprovenAt(link);
  if (unproven.length > 0) return { refusals: unproven };
  const approved = await (approvers?.approve(approvals) ?? noApprovers);
  return approved.ok ? { by: 'approvers', approvers: approved.names } : { refusals: approved.refusals };
}

/** What the journal says of it before it is decided. */
const resetEntry = (link: LinkAtWork, asked: ResetAsked, authority: Authority): EntryInput => ({
  type: 'link.reset-asked',
  actor: asked.by,
  data: {
    link: link.name,
    reason: asked.reason,
    presence: authority.by !== null,
    cause: asked.cause ?? null,
    authority: authority.by,
    approvers: authority.by === 'approvers' ? [...authority.approvers] : [],
  },
});

const noApprovers: Approved = {
  ok: false,
  refusals: [
    {
      code: 'approvers-missing',
      why: 'nobody is configured whose code counts',
      hint: 'name people under `approvers` and enrol them at the box with `portcullis approver add NAME`',
    },
  ],
};

const causeUnacknowledged = (latch: Latch, cause: string, said: string | undefined): Refusal => ({
  code: 'cause-unacknowledged',
  why: `${said === undefined ? 'the cause is not acknowledged' : 'another cause was acknowledged'}: tripped at ${latch.at} by ${latch.by}: ${latch.reason}`,
  hint: `when that is understood and dealt with, ask again with --cause ${cause}`,
});
