/**
 * `restore_drill`: files of the newest snapshot are restored, not from the cache, and compared with what they were made from; or a whole
 * path is restored and a program of the user's looks at it. Only the restoring needs the vault: the rest is done when it is isolated again.
 */
import { join } from 'node:path';
import type { RestoreDrillSettings } from '../../config/schema/steps.ts';
import type { StepOutcome } from '../outcome.ts';
import { runCommand } from '../processes/command.ts';
import type { DrillFacts } from '../report.ts';
import { failed, outcomeOf } from '../restic/outcome.ts';
import type { Run } from '../restic/run.ts';
import { listSnapshots, newestOf } from '../restic/snapshots.ts';
import type { Snapshot } from '../restic/snapshots.ts';
import { compared, digestAsIn, isOf } from './drill-comparison.ts';
import type { DrillRecord } from './drill-records.ts';
import { fileIn, fitting, isNamedWhole, patternOf, Reservoir } from './drill-sample.ts';
import type { SnapshotFile } from './drill-sample.ts';
import { freshScratch, removeScratch } from './drill-scratch.ts';
import type { StepEnd, StepTools } from './step.ts';

/** A drill as it goes on without the vault. */
interface Drill {
  readonly settings: RestoreDrillSettings;
  readonly tools: StepTools;
  readonly snapshot: Snapshot;
  readonly directory: string;
  readonly chosen: Chosen;
}

interface Chosen {
  /** What is restored. */
  readonly files: readonly SnapshotFile[];
  /** Whose digests are taken for next time. */
  readonly next: readonly SnapshotFile[];
  readonly records: ReadonlyMap<string, DrillRecord>;
}

/** Restores; the comparison comes afterwards. */
export async function drill(settings: RestoreDrillSettings, tools: StepTools): Promise<StepEnd> {
  const listed = await listSnapshots(tools.run);
  if (listed.kind === 'no') return { outcome: outcomeOf(listed.end, 'looking for the newest snapshot') };
  const snapshot = newestOf(listed.snapshots);
  if (snapshot === null)
    return { outcome: failed('no-snapshot', 'there is no snapshot to restore', 'back up first') };
  const chosen = await choose(settings, snapshot, tools);
  if ('kind' in chosen) return { outcome: chosen };

  const where = settings.scratch_directory ?? tools.scratchDirectory;
  const directory = await freshScratch(where, settings.repository);
  if (typeof directory !== 'string') return { outcome: directory };
  const includes = settings.path === undefined ? chosen.files.map(({ path }) => path) : [settings.path];
  const end = await tools.run({
    args: [
      'restore',
      snapshot.id,
      `--target=${directory}`,
      '--verify',
      // With the cache restic restores what the vault has lost.
      '--no-cache',
      ...includes.map((path) => `--include=${patternOf(path)}`),
    ],
    timeoutMs: settings.timeout,
  });
  const outcome = outcomeOf(end, 'the restore');
  const state: Drill = { settings, tools, snapshot, directory, chosen };
  if (outcome.kind !== 'done') return cleared(state, concluded(state, outcome, null));
  return {
    outcome,
    facts: { snapshot: snapshot.id },
    afterwards: async (stop) => {
      try {
        const judge = settings.verify === undefined ? compareAll : judgeByProgram;
        return await cleared(state, await judge(state, stop));
      } finally {
        await removeScratch(directory); // also when the digests could not be written
      }
    },
  };
}

/** The end of a drill when what was restored is gone; one that leaves it readable has not ended well. */
async function cleared(state: Drill, end: StepEnd): Promise<StepEnd> {
  const why = await removeScratch(state.directory);
  if (why === null || (end.outcome.kind !== 'done' && end.outcome.kind !== 'partly-done')) return end;
  const hint = 'remove it by hand: it is readable data of the backup';
  const outcome = failed('scratch-left', `what was restored could not be removed: ${why}`, hint);
  return { ...concluded(state, outcome, end.facts?.drill ?? null) };
}

async function choose(
  settings: RestoreDrillSettings,
  snapshot: Snapshot,
  { run, records }: StepTools,
): Promise<Chosen | StepOutcome> {
  const { files: most, max_size: mostBytes, path, repository } = settings;
  const known = path === undefined ? await records.read(repository) : new Map<string, DrillRecord>();
  const random = new Reservoir(most);
  const next = new Reservoir(most);
  const remembered = new Reservoir(Math.ceil(most / 2));
  const all: SnapshotFile[] = [];
  let bytes = 0;
  const end = await list(run, snapshot, path, (file) => {
    bytes += file.bytes;
    if (!isNamedWhole(file)) return;
    if (path !== undefined) {
      if (bytes <= mostBytes) all.push(file);
      return;
    }
    const record = known.get(file.path);
    if (file.bytes > mostBytes) return; // alone too large
    if (record !== undefined && isOf(record, file)) remembered.offer(file);
    random.offer(file);
    next.offer(file);
  });
  if (end.kind !== 'done') return end;
  if (path !== undefined && bytes > mostBytes) {
    const why = `${path} has ${bytes} bytes in the newest snapshot, more than max_size`;
    return failed(
      'drill-too-large',
      why,
      'raise `max_size` if the scratch directory has the room, or name a smaller path',
    );
  }
  const files =
    path === undefined ? fitting([...remembered.files(), ...random.files()], most, mostBytes) : all;
  if (files.length > 0) return { files, next: fitting(next.files(), most, mostBytes), records: known };
  const where = path ?? snapshot.paths.join(', ');
  return failed(
    'drill-empty',
    `the newest snapshot has no file in ${where} that fits`,
    'see `path` and `max_size`',
  );
}

async function list(
  run: Run,
  snapshot: Snapshot,
  path: string | undefined,
  onFile: (file: SnapshotFile) => void,
): Promise<StepOutcome> {
  const end = await run({
    args: ['ls', '--json', snapshot.id, ...(path === undefined ? [] : ['--recursive', path])],
    timeoutMs: null,
    onLine: (line) => {
      const file = fileIn(line);
      if (file !== null) onFile(file);
    },
  });
  return outcomeOf(end, 'listing the newest snapshot');
}

async function compareAll(state: Drill, stop: AbortSignal): Promise<StepEnd> {
  const { chosen, directory, snapshot } = state;
  const counts = { source: 0, record: 0, none: 0 };
  let bytes = 0;
  for (const file of chosen.files) {
    if (stop.aborted)
      return concluded(
        state,
        { kind: 'cut-short', code: 'stopped', why: 'the comparison was stopped' },
        null,
      );
    // oxlint-disable-next-line no-await-in-loop -- one file at a time: the disk is not ours alone
    const result = await compared(file, directory, chosen.records.get(file.path));
    switch (result.kind) {
      case 'wrong':
        return concluded(
          state,
          failed(
            'drill-differs',
            result.why,
            'find out which of the two is right before anything is forgotten: source, or backup',
          ),
          null,
        );
      case 'as-source':
        counts.source += 1;
        break;
      case 'as-record':
        counts.record += 1;
        break;
      case 'no-reference':
        counts.none += 1;
    }
    bytes += file.bytes;
  }
  const facts: DrillFacts = {
    snapshot: snapshot.id,
    files: chosen.files.length,
    bytes,
    as_source: counts.source,
    as_recorded: counts.record,
    without_reference: counts.none,
  };
  await remember(state, stop);
  if (counts.source + counts.record > 0) return concluded(state, { kind: 'done' }, facts);
  const why =
    'no restored file is as its source is now, or the sources are not on this machine; only the checksums of restic were compared';
  return concluded(state, { kind: 'partly-done', why }, facts);
}

/** Takes digests of sources that are as the snapshot has them, for a time when they are not. */
async function remember({ chosen, tools, settings }: Drill, stop: AbortSignal): Promise<void> {
  if (settings.path !== undefined) return;
  const records = new Map(chosen.records);
  for (const file of chosen.next) {
    if (stop.aborted) return;
    // oxlint-disable-next-line no-await-in-loop
    const sha256 = await digestAsIn(file);
    if (sha256 === null) continue;
    records.delete(file.path); // to the end: the newest stay longest
    records.set(file.path, { bytes: file.bytes, mtime: file.mtime, sha256 });
  }
  await tools.records.keep(settings.repository, records);
}

async function judgeByProgram(state: Drill, stop: AbortSignal): Promise<StepEnd> {
  const { settings, tools, snapshot, directory, chosen } = state;
  const { verify, path = '' } = settings;
  if (verify === undefined) throw new TypeError('broken invariant: no program to judge by');
  const env = {
    ...tools.env,
    PORTCULLIS_PHASE: 'restore_drill',
    PORTCULLIS_RESTORED: join(directory, path),
    PORTCULLIS_SNAPSHOT: snapshot.id,
  };
  const call = { command: verify.command, timeoutMs: verify.timeout, env };
  const end = await runCommand(call, stop, tools.programs);
  const output = end.output === '' ? {} : { output: end.output };
  if (end.kind === 'stopped')
    return concluded(state, { kind: 'cut-short', code: 'stopped', why: 'the program was killed' }, null);
  if (end.kind === 'failed') {
    const outcome = failed(
      'drill-refused',
      end.why,
      'restore the path by hand in an attended session and look',
    );
    const wrong = concluded(state, outcome, null);
    return { ...wrong, facts: { ...wrong.facts, ...output } };
  }
  const bytes = chosen.files.reduce((sum, file) => sum + file.bytes, 0);
  const facts = { snapshot: snapshot.id, files: chosen.files.length, bytes, judged_by: 'verify' as const };
  const good = concluded(state, { kind: 'done' }, facts);
  return { ...good, facts: { ...good.facts, ...output } };
}

/** The end of a drill, also for the ledger; one that was stopped says nothing about the backup. */
function concluded({ tools, snapshot }: Drill, outcome: StepOutcome, drilled: DrillFacts | null): StepEnd {
  const facts = { snapshot: snapshot.id, ...(drilled === null ? {} : { drill: drilled }) };
  if (outcome.kind === 'cut-short') return { outcome, facts };
  const why = 'why' in outcome ? outcome.why : null;
  const at = tools.now().toISOString();
  const last = { ...drilled, at, outcome: outcome.kind, why, snapshot: snapshot.id };
  // A backup that is not what its source was: what is older may be all there is.
  const isSuspect = outcome.kind === 'failed' && outcome.code === 'drill-differs';
  return {
    outcome,
    facts,
    learnt: {
      last_restore_drill: last,
      ...(isSuspect ? { frozen: { why: `a restore drill found: ${outcome.why}`, at } } : {}),
    },
  };
}
