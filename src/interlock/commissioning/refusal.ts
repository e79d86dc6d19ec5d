/** Whether a link may be connected as far as its commissioning goes. Pure. */
import type { Refusal } from '../../core/link.ts';
import { changesSince, type Digests } from './digests.ts';
import type { RecordRead } from './record.ts';

/** Most changes that are named one by one. */
const MAX_NAMED = 5;

const again = (link: string): string => `commission it at the box: \`portcullis commission ${link}\``;

/** Why a link with this record must not be connected as it is configured now; null when it may. */
export function commissioningRefusal(link: string, read: RecordRead, present: Digests): Refusal | null {
  switch (read.kind) {
    case 'missing':
      return {
        code: 'not-commissioned',
        why: 'this link was never commissioned: its wiring, timing and fail-safe behaviour are not shown',
        hint: again(link),
      };
    case 'unreadable':
      return {
        code: 'commissioning-unreadable',
        why: `the record of its commissioning cannot be read: ${read.why}`,
        hint: `look at commissioning/${link}.json in state_directory; then ${again(link)}`,
      };
    case 'wrong-signature':
      return {
        code: 'commissioning-wrong-signature',
        why: `the record of its commissioning is not to be believed: ${read.why}`,
        hint: `find out who put commissioning/${link}.json there; then ${again(link)}`,
      };
    case 'read':
      break;
  }
  const { record } = read;
  if (record.verdict === 'failed') {
    const why = `its commissioning of ${record.at} failed: ${record.reasons[0] ?? 'no reason is recorded'}`;
    return { code: 'commissioning-failed', why, hint: `mend that; then ${again(link)}` };
  }
  const changes = changesSince(record.digests, present);
  if (changes.length === 0) return null;
  const more = changes.length > MAX_NAMED ? `, and ${changes.length - MAX_NAMED} more` : '';
  return {
    code: 'commissioning-outdated',
    why: `changed since its commissioning of ${record.at}: ${changes.slice(0, MAX_NAMED).join(', ')}${more}`,
    hint: again(link),
  };
}
