/** `portcullis isolate --all`. */
import { isolateAll } from '../interlock/isolate-all.ts';
import { configured } from './configured.ts';
import { CommandError, say } from './exit.ts';

/** How long a silent board is told again before the command gives an answer, ms. */
export const ISOLATE_WITHIN_MS = 5_000;

/** Drives every contact to isolated and says what each device answered. */
export async function isolateEverything(file: string, json: boolean): Promise<void> {
  const { config, profiles } = await configured(file, 'none');
  const results = await isolateAll(config, profiles, ISOLATE_WITHIN_MS);
  for (const result of results) {
    const { contact, isolated, detail } = result;
    say(
      json
        ? JSON.stringify(result)
        : `${contact}: ${isolated ? 'isolated' : 'NOT PROVEN ISOLATED'} (${detail})`,
    );
  }
  const failed = results.filter((each) => !each.isolated).length;
  if (failed > 0)
    throw new CommandError(1, `${failed} of ${results.length} contacts are not proven isolated`);
}
