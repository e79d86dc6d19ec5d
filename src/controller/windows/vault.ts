/** A window's vault, attached for as long as it is worked in. */
import { attach } from '../attach/attach.ts';
import type { Attachment, Target } from '../attach/attach.ts';
import { ControllerFault } from '../fault.ts';
import type { WindowJob } from './job.ts';
import { namesOf } from './plan.ts';
import { haltOf } from './record.ts';
import type { Halt } from './record.ts';
import { stopOf, stopSignal } from './run-switches.ts';
import type { RunSwitches } from './run-switches.ts';
import type { WindowTools } from './run.ts';

/** Looks whether a repository's vault is still the one that was attached; throws the cut of the window when it is not. */
export type Look = (repository: string) => Promise<void>;

/** Attaches what the steps need, works, and leaves: whatever happened, and only when nothing works in it any more. */
export async function withVault(
  job: WindowJob,
  tools: Pick<WindowTools, 'hand' | 'voice' | 'journal' | 'ledger' | 'now' | 'programs'>,
  switches: RunSwitches,
  work: (look: Look) => Promise<Halt | null>,
): Promise<Halt | null> {
  const stop = stopSignal(switches);
  const { window, occurrence, link } = job;
  let vault: Attachment;
  try {
    vault = await attach(targetsOf(job), tools.hand, stop, tools.programs.time);
  } catch (error) {
    return stopOf(switches) ?? haltOf(error);
  }
  for (const [repository, { device, uuid }] of vault.disks)
    tools.journal('controller.disk-mounted', { window, occurrence, link, repository, device, uuid });
  const onLost = (why: string): void => switches.cut.throw({ code: 'vault-lost', why });
  const unwatch = vault.watch(onLost);
  const look: Look = async (name) => {
    try {
      await vault.look(name);
    } catch (error) {
      if (!(error instanceof ControllerFault)) throw error;
      onLost(error.message);
    }
  };
  try {
    return await work(look);
  } finally {
    unwatch();
    // Whatever worked is dead: `work` ends only with the last restic.
    const problems = await vault.leave(switches.cut.signal.aborted);
    for (const why of problems) {
      tools.voice.note('warn', `leaving the vault: ${why}`, { window, link });
      tools.journal('controller.disk-left', { window, occurrence, link, why });
    }
    // Looked at again: the cut may have come while the disk was being unmounted, and umount does not say what was lost.
    if (switches.cut.signal.aborted || problems.length > 0) await markUnwritten(vault, tools);
  }
}

/** What a step deleted or wrote last may not have reached a disk that was not unmounted in order: a lock that was removed is back, say. */
async function markUnwritten(
  vault: Attachment,
  { ledger, now }: Pick<WindowTools, 'ledger' | 'now'>,
): Promise<void> {
  const why = 'its disk was not unmounted in order, so what was written last may be lost';
  const mark = { kind: 'cut' as const, why, at: now().toISOString() };
  const unmarked = [...vault.disks.keys()].filter((name) => ledger.repository(name).mark?.kind !== 'cut');
  if (unmarked.length > 0) await ledger.note(Object.fromEntries(unmarked.map((name) => [name, { mark }])));
}

function targetsOf({ steps, repositories }: WindowJob): readonly Target[] {
  return [...new Set(steps.flatMap(namesOf))].flatMap((name) => repositories.get(name) ?? []);
}
