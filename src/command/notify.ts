/** `portcullis notify test`: one message to each destination, past the queue, and what each answered. */
import { destinationsByName } from '../config/schema/notify.ts';
import { tryDestination } from '../controller/notify/trial.ts';
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
  const results = await Promise.all(
    chosen.map(async ([name, one]) => ({ name, type: one.type, trial: await tryDestination(name, one) })),
  );
  for (const { name, type, trial } of results) {
    const { delivered: taken, answer } = trial;
    if (json === true) say(JSON.stringify({ name, type, taken, answer }));
    else say(`${name} (${type}): ${taken ? 'taken' : 'NOT taken'}: ${answer}`);
  }
  return results.every(({ trial }) => trial.delivered) ? 0 : 1;
}
