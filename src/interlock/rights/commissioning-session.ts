/** Asking for a commissioning session; what it may do once granted is in commissioning-hands.ts. */
import { randomUUID } from 'node:crypto';
import { permissionOf, type Refusal } from '../../core/link.ts';
import { holderGone, stopping } from '../../core/refusals.ts';
import { type CommissioningHands, commissioningHands } from '../commissioning/hands.ts';
import { type Interlock, refusalsIn } from '../interlock.ts';
import type { Holder, LinkAtWork } from '../link-at-work.ts';
import { alwaysNeeded } from '../permissives.ts';

/** Stands where a lease names its window. */
const CLAIM = 'commissioning';

/** Begins a session on this link for somebody at the box, or says why not. Granted: its holder has been told so. */
export async function commission(
  interlock: Interlock,
  link: LinkAtWork,
  asked: { readonly presence: boolean; readonly by: string; readonly reason: string },
  holder: Holder,
): Promise<{ id: string; hands: CommissioningHands } | { refusals: readonly Refusal[] }> {
  const { clock } = interlock.parts;
  const data = { link: link.name, reason: asked.reason, presence: asked.presence };
  const refuse = (refusal: Refusal): { refusals: readonly Refusal[] } => ({
    refusals: interlock.refused('commissioning.refused', asked.by, data, [refusal]),
  });
  interlock.note({ type: 'link.commissioning-asked', actor: asked.by, data });
  await link.settings.read();
  if (interlock.stopping) return refuse(stopping);
  if (holder.gone?.() === true) return refuse(holderGone);
  const id = randomUUID();
  const failing = alwaysNeeded(interlock.conditionsNow(link).failing);
  const step = link.shell.handle({
    kind: 'commissioning-asked',
    now: clock.now(),
    leaseId: id,
    presence: asked.presence,
    failing,
  });
  const granted = permissionOf(link.shell.state)?.id === id;
  const hands = commissioningHands({
    shell: link.shell,
    clock,
    session: id,
    look: () => link.watch.look(),
    settingsProblems: () => link.settings.ask(),
  });
  if (granted) {
    const claim = { link: link.name, window: CLAIM, occurrence: '' };
    link.hold({ id, claim, holder, hands });
  }
  const refusals = refusalsIn(await step);
  return granted ? { id, hands } : { refusals };
}

/** True for the id of a commissioning session: what keeps it alive has presence, too. */
export const isSession = (interlock: Interlock, id: string): boolean =>
  [...interlock.links.values()].some(({ holding }) => holding?.id === id && holding.hands !== undefined);
