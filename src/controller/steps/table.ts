/** Every kind of step: what the configuration says becomes a task, and the task is done. */
import type { StepConfig } from '../../config/schema.ts';
import type {
  BackupSettings,
  CheckSettings,
  CommandSettings,
  CopySettings,
  ForgetSettings,
  PruneSettings,
  RestoreDrillSettings,
} from '../../config/schema/steps.ts';
import { backUp } from './backup.ts';
import { check } from './check.ts';
import { runProgram } from './command.ts';
import { copy } from './copy.ts';
import { forget } from './forget.ts';
import { prune } from './prune.ts';
import { drill } from './restore-drill.ts';
import type { StepEnd, StepTools } from './step.ts';

/** A step of a window. */
export type Task =
  | { readonly kind: 'backup'; readonly settings: BackupSettings }
  | { readonly kind: 'copy'; readonly settings: CopySettings }
  | { readonly kind: 'forget'; readonly settings: ForgetSettings }
  | { readonly kind: 'prune'; readonly settings: PruneSettings }
  | { readonly kind: 'check'; readonly settings: CheckSettings }
  | { readonly kind: 'restore_drill'; readonly settings: RestoreDrillSettings }
  | { readonly kind: 'command'; readonly settings: CommandSettings };

/** The task of one entry of `steps`. */
export function taskOf(step: StepConfig): Task {
  if ('backup' in step) return { kind: 'backup', settings: step.backup };
  if ('copy' in step) return { kind: 'copy', settings: step.copy };
  if ('forget' in step) return { kind: 'forget', settings: step.forget };
  if ('prune' in step) return { kind: 'prune', settings: step.prune };
  if ('check' in step) return { kind: 'check', settings: step.check };
  if ('restore_drill' in step) return { kind: 'restore_drill', settings: step.restore_drill };
  return { kind: 'command', settings: step.command };
}

/** The repository that a task works in, or `null`. */
export const repositoryOf = (task: Task): string | null =>
  task.kind === 'command' ? null : task.settings.repository;

/** Repositories that a task only reads. */
export const sourcesOf = (task: Task): readonly string[] =>
  task.kind === 'copy' ? [task.settings.from_repository] : [];

/** Does a task. Rejects with `ControllerFault` when a secret cannot be read. */
export function perform(task: Task, tools: StepTools): Promise<StepEnd> {
  switch (task.kind) {
    case 'backup':
      return backUp(task.settings, tools);
    case 'copy':
      return copy(task.settings, tools);
    case 'forget':
      return forget(task.settings, tools);
    case 'prune':
      return prune(task.settings, tools);
    case 'check':
      return check(task.settings, tools);
    case 'restore_drill':
      return drill(task.settings, tools);
    case 'command':
      return runProgram(task.settings, tools);
  }
}
