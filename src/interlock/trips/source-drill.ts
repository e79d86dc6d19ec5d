/** How far a message gets that must not cut: to every contact that it would have isolated, which is asked how it stands. */
import type { Reading } from '../../core/evidence.ts';
import type { DrillReport } from '../../protocol/messages.ts';
import type { Clock } from '../clock.ts';
import { thousandths } from './cut-figures.ts';
import type { LinkAtWork } from '../link-at-work.ts';

/** A drill waits for boards this long at most, ms: the shortest time-out of a sender is one second. */
const REACH_MS = 700;

type Links = DrillReport['links'];

/** Asks every contact of these links how it stands; nothing is commanded. Never rejects. */
export async function reachContacts(
  clock: Clock,
  links: readonly LinkAtWork[],
  receivedAt: number,
): Promise<Links> {
  const late = Promise.withResolvers<null>();
  const cancel = clock.after(REACH_MS, () => late.resolve(null));
  const reach = async (
    contact: LinkAtWork['parts']['contacts'][number],
  ): Promise<Links[number]['contacts'][number]> => {
    const reading: Reading | null = await Promise.race([contact.read(), late.promise]);
    const answered = reading !== null && reading.position !== 'unknown';
    return {
      contact: contact.name,
      position: reading?.position ?? 'unknown',
      answered_ms: answered ? thousandths(clock.now() - receivedAt) : null,
    };
  };
  const reached = await Promise.all(
    links.map(async (link) => ({
      link: link.name,
      contacts: await Promise.all(link.parts.contacts.map(reach)),
    })),
  );
  cancel();
  return reached;
}
