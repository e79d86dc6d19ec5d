/** A reset as a person types it, with the cause that `portcullis status` shows. */
import { LINK, type Scenario } from './rig.ts';

/** What the command came to. */
export async function resetLink(scenario: Scenario, reason: string): ReturnType<Scenario['command']> {
  const cause = (await scenario.link())?.latch?.cause ?? 'none';
  return scenario.command('reset', LINK, '--reason', reason, '--cause', cause);
}
