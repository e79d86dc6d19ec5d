/**
 * By what right somebody asks for what nobody may ask from afar on his own word: a reset, a window run by hand, an attended
 * session. The one place where presence, the button and two people's codes are weighed.
 *
 * Codes are used up only when nothing else is known to stand against what is asked, and a code counts once, whatever it was
 * for. A hold of the button counts as presence for everything the button stands for, while it lasts.
 *
 * The bad case that remains: whoever can talk to `interlock.sock` may ask for something else in the seconds after somebody
 * held the button for a reset. What was begun that way is bounded, journaled, shown, and ended by the button.
 */
import type { Authority } from '../../core/attended.ts';
import type { Refusal } from '../../core/link.ts';
import type { Approval } from '../../protocol/authority.ts';
import type { Approved } from './approvers.ts';
import type { InterlockParts } from '../interlock-parts.ts';

/** Who asks, and what is shown for it. */
export interface RightAsked {
  /** `person:<name>`. */
  readonly by: string;
  readonly reason: string;
  /** It came over the socket of presence. */
  readonly presence: boolean;
  readonly approvals?: readonly Approval[] | undefined;
}

/** What speaks against it before anybody's codes are looked at. */
export interface Against {
  /** Said when there is neither presence nor a code. */
  readonly missing: Refusal;
  /** Refuses whatever right there is. */
  readonly standing: readonly Refusal[];
  /** Would refuse it later: codes are kept for another time. */
  readonly unready: readonly Refusal[];
}

/** The right, null when none was shown, or all that stands against it. */
export type Right = { readonly authority: Authority | null } | { readonly refusals: readonly Refusal[] };

/** Weighs what is shown. Never rejects. */
export async function rightOf(
  { approvers, button }: Pick<InterlockParts, 'approvers' | 'button'>,
  link: string,
  use: 'reset' | 'connect',
  { presence, approvals = [] }: RightAsked,
  { missing, standing, unready }: Against,
): Promise<Right> {
  const held = button?.presentFor(link, use) === true;
  const approving = approvals.length > 0 && !presence && !held;
  if (standing.length > 0)
    return { refusals: [...(presence || held || approving ? [] : [missing]), ...unready, ...standing] };
  if (presence) return { authority: { by: 'box' } };
  if (held) return { authority: { by: 'button' } };
  if (!approving) return { authority: null };
  if (unready.length > 0) return { refusals: unready };
  const approved = await (approvers?.approve(approvals) ?? noApprovers);
  if (!approved.ok) return { refusals: approved.refusals };
  return { authority: { by: 'approvers', approvers: approved.names } };
}

/** The same for the journal. */
export const rightShown = (
  authority: Authority | null,
): { readonly authority: string | null; readonly approvers: readonly string[] } => ({
  authority: authority?.by ?? null,
  approvers: authority?.by === 'approvers' ? [...authority.approvers] : [],
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
