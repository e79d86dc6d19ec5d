/** `portcullis notify test`: one message to each destination, past the queue, and what each answered. */
import { destinationsByName } from '../config/schema-notify.ts';
import { noticeOf } from '../controller/notify/notifications.ts';
import type { Attempt } from '../controller/notify/retry.ts';
import { senderOf } from '../controller/notify/senders.ts';
import { testNotice } from '../controller/notify/texts.ts';
import { configured } from './configured.ts';
import { CommandError, say, type ExitCode } from './exit.ts';

/** Sends a test to one destination, or to all. Exit code 1 when any did not take it. */
export async function testNotifications(
  wanted: string | undefined,
  { config: file, json }: { readonly config: string; readonly json?: boolean },
): Promise<ExitCode> {
  const { config } = await configured(file, 'controller');
  const all = destinationsByName(config.notify);
  const chosen = [...all].filter(([name]) => wanted === undefined || name === wanted);
  if (chosen.length === 0) {
    const there =
      all.size === 0 ? 'none is configured under `notify`' : `there are: ${[...all.keys()].join(', ')}`;
    throw new CommandError(2, wanted === undefined ? there : `no destination is called ${wanted}; ${there}`);
  }
  const never = new AbortController().signal;
  const results = await Promise.all(
    chosen.map(async ([name, one]) => ({
      name,
      type: one.type,
      attempt: await senderOf(one)(noticeOf(testNotice(name), new Date()), never),
    })),
  );
  for (const { name, type, attempt } of results) {
    const taken = attempt.kind === 'taken';
    const answer = answerOf(attempt);
    if (json === true) say(JSON.stringify({ name, type, taken, answer }));
    else say(`${name} (${type}): ${taken ? 'taken' : 'NOT taken'}: ${answer}`);
  }
  return results.every(({ attempt }) => attempt.kind === 'taken') ? 0 : 1;
}

const answerOf = (attempt: Attempt): string => (attempt.kind === 'taken' ? attempt.answer : attempt.why);
