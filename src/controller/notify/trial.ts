/** One test message to one destination, past its queue. */
import type { NotifyConfig } from '../../config/schema/notify.ts';
import { noticeOf } from './notifications.ts';
import { senderOf } from './senders.ts';
import { testNotice } from './texts.ts';

/** ms for a destination to answer. */
const TRIAL_TIMEOUT_MS = 30_000;

/** What a destination answered. */
export interface Trial {
  readonly delivered: boolean;
  readonly answer: string;
}

/** Sends it once; the wait is bounded. */
export async function tryDestination(name: string, one: NotifyConfig): Promise<Trial> {
  const stop = AbortSignal.timeout(TRIAL_TIMEOUT_MS);
  const attempt = await senderOf(one)(noticeOf(testNotice(name), new Date()), stop);
  return attempt.kind === 'taken'
    ? { delivered: true, answer: attempt.answer }
    : { delivered: false, answer: attempt.why };
}
