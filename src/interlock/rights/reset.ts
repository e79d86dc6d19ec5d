/** What a reset must be told, and what stands against it before the core is asked. */
import { createHash } from 'node:crypto';
import type { Authority } from '../../core/attended.ts';
import { isolationProvenAt, latchOf, type Refusal } from '../../core/link.ts';
import { presenceMissing, resetUnproven, trippedAgain } from '../../core/refusals.ts';
import type { EntryInput } from '../../journal/entry.ts';
import { type RightAsked, rightOf, rightShown } from './authority.ts';
import type { Button } from '../button/button.ts';
import type { Interlock } from '../interlock.ts';
import type { Latch } from '../records/latch-file.ts';
import { type LinkAtWork, latchShown } from '../link-at-work.ts';

/** Who asks for a reset, and what is said for it. */
export interface ResetAsked extends RightAsked {
  /** The cause that was acknowledged (`causeId`), as status shows it. */
  readonly cause?: string | undefined;
}

/** Lifts a latch, or says why not. Nothing but authority and proof is left to the core. */
export async function resetLink(
  interlock: Interlock,
  link: LinkAtWork,
  asked: ResetAsked,
): Promise<readonly Refusal[]> {
  const { button, journal } = interlock.parts;
  if (!journal.writable().ok) {
    const { failing } = interlock.conditionsNow(link);
    return refuseReset(
      interlock,
      link,
      asked,
      failing.filter(({ code }) => code === 'journal-unwritable'),
    );
  }
  const { trips } = link.shell;
  const right = await rightOf(interlock.parts, link.name, 'reset', asked, {
    missing: presenceMissing,
    standing: standingAgainst(link, asked, button),
    unready: unprovenAt(link),
  });
  if ('refusals' in right) return refuseReset(interlock, link, asked, right.refusals);
  return resetBy(interlock, link, asked, right.authority, trips);
}

/** Lifts a latch by a right that was verified after the shell had counted so many trips. */
export async function resetBy(
  interlock: Interlock,
  link: LinkAtWork,
  asked: ResetAsked,
  authority: Authority | null,
  trips: number,
): Promise<readonly Refusal[]> {
  const { button, clock, journal } = interlock.parts;
  const refuse = (refusals: readonly Refusal[]): readonly Refusal[] =>
    refuseReset(interlock, link, asked, refusals);
  const presence = authority !== null;
  await journal.append(resetEntry(link, asked, authority));
  if (link.shell.trips !== trips) return refuse([trippedAgain]);
  const standing = standingAgainst(link, asked, button);
  if (standing.length > 0) return refuse(standing);
  const step = await link.shell.handle({ kind: 'reset-asked', now: clock.now(), presence });
  return step.decision.acts.flatMap((act) => (act.kind === 'refuse' ? act.refusals : []));
}

/** What a reset asked for from afar lacks now; nothing when nothing is latched. */
export function resetNeeds(interlock: Interlock, link: LinkAtWork): readonly Refusal[] {
  const { button } = interlock.parts;
  if (latchOf(link.shell.state) === null) return [];
  return [
    ...(button?.presentFor(link.name, 'reset') === true ? [] : [presenceMissing]),
    ...unprovenAt(link),
    ...standingAgainst(link, {}, button),
  ];
}

const refuseReset = (
  interlock: Interlock,
  { name }: LinkAtWork,
  { by, reason }: ResetAsked,
  refusals: readonly Refusal[],
): readonly Refusal[] => interlock.refused('link.reset-refused', by, { link: name, reason }, refusals);

const CAUSE_DIGITS = 8;

/** Names the cause of a latch: whoever repeats it has seen by whom, why and when the link was tripped. */
export const causeId = ({ by, reason, at }: Latch): string =>
  createHash('sha256')
    .update(JSON.stringify([by, reason, at]))
    .digest('hex')
    .slice(0, CAUSE_DIGITS);

/** Everything but authority and proof that keeps a latch: its cause is not acknowledged, or the button is not released. */
export function standingAgainst(
  link: LinkAtWork,
  asked: Pick<ResetAsked, 'cause'>,
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
export const unprovenAt = ({ shell: { state } }: LinkAtWork): readonly Refusal[] =>
  latchOf(state) !== null && isolationProvenAt(state) === null ? [resetUnproven] : [];

/** What the journal says of it before it is decided. */
const resetEntry = (link: LinkAtWork, asked: ResetAsked, authority: Authority | null): EntryInput => ({
  type: 'link.reset-asked',
  actor: asked.by,
  data: {
    link: link.name,
    reason: asked.reason,
    presence: authority !== null,
    cause: asked.cause ?? null,
    ...rightShown(authority),
  },
});

const causeUnacknowledged = (latch: Latch, cause: string, said: string | undefined): Refusal => ({
  code: 'cause-unacknowledged',
  why: `${said === undefined ? 'the cause is not acknowledged' : 'another cause was acknowledged'}: tripped at ${latch.at} by ${latch.by}: ${latch.reason}`,
  hint: `when that is understood and dealt with, ask again with --cause ${cause}`,
});
