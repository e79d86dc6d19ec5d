/** What a request from afar lacks, told apart: presence that codes can stand in for, and what stands against it whoever asks. */
import type { Refusal } from '../../protocol/messages.ts';

const PRESENCE = 'presence-missing';
/** The dialog itself names the cause that is acknowledged. */
const ACKNOWLEDGED_HERE = 'cause-unacknowledged';

/** A held button gives presence now: nobody's codes are needed. */
export const isPresent = (needs: readonly Refusal[]): boolean => needs.every(({ code }) => code !== PRESENCE);

/** What would refuse it whoever asks. */
export const standing = (needs: readonly Refusal[]): readonly Refusal[] =>
  needs.filter(({ code }) => code !== PRESENCE && code !== ACKNOWLEDGED_HERE);
