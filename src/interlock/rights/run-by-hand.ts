/** Running a window by hand: by whom, and what it lacks. Its lease is then asked for like any other. */
import type { WindowPlan } from '../../core/calendar.ts';
import type { Refusal } from '../../core/link.ts';
import { runPresenceMissing, windowNeedsPresence, windowOpen, windowRunsNever } from '../../core/refusals.ts';
import { type RightAsked, rightOf, rightShown } from './authority.ts';
import type { Interlock } from '../interlock.ts';
import { readinessOf } from './session-asking.ts';

/** Opens this window now, or says why not. Rejects when the journal cannot be written. */
export async function runByHand(
  interlock: Interlock,
  plan: WindowPlan,
  asked: RightAsked,
): Promise<{ occurrence: string; endsInMs: number } | { readonly refusals: readonly Refusal[] }> {
  const { by, reason } = asked;
  const codesCount = plan.byHand === 'approved';
  const data = { window: plan.window, link: plan.link, reason };
  const refuse = (refusals: readonly Refusal[]): { refusals: readonly Refusal[] } => ({
    refusals: interlock.refused('window.run-refused', by, data, refusals),
  });
  if (plan.byHand === 'never') return refuse([windowRunsNever]);
  const right = await rightOf(interlock.parts, plan.link, 'connect', asked, {
    missing: runPresenceMissing(codesCount),
    standing: standingAgainst(interlock, plan),
    unready: codesCount ? linkUnready(interlock, plan) : [windowNeedsPresence],
  });
  if ('refusals' in right) return refuse(right.refusals);
  const { authority } = right;
  if (authority === null) return refuse([runPresenceMissing(codesCount)]);
  await interlock.parts.journal.append({
    type: 'window.run-asked',
    actor: by,
    data: { ...data, ...rightShown(authority) },
  });
  return interlock.openByHand(plan, by, reason, authority.by) ?? refuse([windowOpen]);
}

/** What running this window now from afar lacks. */
export function runNeeds(interlock: Interlock, plan: WindowPlan): readonly Refusal[] {
  const standing = standingAgainst(interlock, plan);
  const held = interlock.parts.button?.presentFor(plan.link, 'connect') === true;
  return held || plan.byHand === 'never'
    ? standing
    : [runPresenceMissing(plan.byHand === 'approved'), ...standing];
}

function standingAgainst({ parts: { windows } }: Interlock, plan: WindowPlan): readonly Refusal[] {
  const { open, waiting } = windows.calendar;
  const busy = [...open, ...waiting].some(({ window }) => window === plan.window);
  return [...(plan.byHand === 'never' ? [windowRunsNever] : []), ...(busy ? [windowOpen] : [])];
}

/** Codes are not used up for a window whose lease would be refused all the same. */
function linkUnready(interlock: Interlock, plan: WindowPlan): readonly Refusal[] {
  const link = interlock.links.get(plan.link);
  return link === undefined ? [] : readinessOf(interlock, link, false);
}
