/** What a verified message does. Pure. In doubt it trips: only what is positively understood as harmless does less. */
import { printable } from './excerpt.ts';
import type { Message } from './message.ts';

export interface SourcePolicy {
  /** What a verified body does that nobody understands. */
  readonly on_unrecognised: 'trip' | 'refuse';
}

export interface Verdict {
  /** `drill`: go through everything but the cut. `annotate`: only write it down; a resolved alert never resets. */
  readonly verdict: 'trip' | 'drill' | 'annotate' | 'refuse';
  /** For the latch and the journal. Bounded, escaped. */
  readonly reason: string;
}

/** Longest reason, UTF-16 units before the escaping of what the sender said. */
const MAX_REASON_CHARS = 300;

/** Judges one verified message. */
export function verdictOf(policy: SourcePolicy, message: Message): Verdict {
  if (message.kind === 'unrecognised') {
    const reason = printable(`unrecognised: ${message.why}`, MAX_REASON_CHARS);
    return { verdict: policy.on_unrecognised, reason };
  }
  const said = [message.severity, message.reason].filter((part) => part !== null).join(': ');
  switch (message.status) {
    case 'resolved':
      return { verdict: 'annotate', reason: reasonOf('resolved', said) };
    case 'test':
      return { verdict: 'drill', reason: reasonOf('test', said) };
    case 'firing':
    case null:
      return { verdict: 'trip', reason: reasonOf('firing', said) };
  }
}

/** The sender's words are escaped already; escaping them again would double their backslashes. */
const reasonOf = (status: string, said: string): string => (said === '' ? status : `${status}: ${said}`);
