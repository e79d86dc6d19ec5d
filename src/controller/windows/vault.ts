/** A window's vault, attached for as long as it is worked in. */
import { attach } from '../attach/attach.ts';
import type { Attachment, Target } from '../attach/attach.ts';
import type { WindowJob } from './job.ts';
import { namesOf } from './plan.ts';
import { haltOf } from './record.ts';
import type { Halt } from './record.ts';
import { stopOf, stopSignal } from './run-switches.ts';
import type { RunSwitches } from './run-switches.ts';
import type { WindowTools } from './run.ts';

/** Attaches what the steps need, works, and leaves: whatever happened, and only when nothing works in it any more. */
export async function withVault(
  job: WindowJob,
  tools: Pick<WindowTools, 'hand' | 'voice' | 'journal'>,
  switches: RunSwitches,
  work: (look: Attachment['look']) => Promise<Halt | null>,
): Promise<Halt | null> {
  const stop = stopSignal(switches);
  const { window, occurrence, link } = job;
  let vault: Attachment;
  try {
    vault = await attach(targetsOf(job), tools.hand, stop);
  } catch (error) {
    return stopOf(switches) ?? haltOf(error);
  }
  for (const [repository, { device, uuid }] of vault.disks)
    tools.journal('controller.disk-mounted', { window, occurrence, link, repository, device, uuid });
  const unwatch = vault.watch((why) => switches.cut.throw({ code: 'vault-lost', why }));
  try {
    return await work(vault.look);
  } finally {
    unwatch();
    // Whatever worked is dead: `work` ends only with the last restic.
    for (const why of await vault.leave(switches.cut.signal.aborted)) {
      tools.voice.note('warn', `leaving the vault: ${why}`, { window, link });
      tools.journal('controller.disk-left', { window, occurrence, link, why });
    }
  }
}

function targetsOf({ steps, repositories }: WindowJob): readonly Target[] {
  return [...new Set(steps.flatMap(namesOf))].flatMap((name) => repositories.get(name) ?? []);
}
