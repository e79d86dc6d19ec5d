/** `backup`: sources into the repository, and the proof that the snapshot stands in the vault. */
import { hostname } from 'node:os';
import { basename, dirname, normalize } from 'node:path';
import type { BackupSettings } from '../../config/schema/steps.ts';
import { withSnapshots } from '../ledger.ts';
import type { RepositoryRecord } from '../ledger.ts';
import type { StepOutcome } from '../outcome.ts';
import type { BackupSummary } from '../restic/lines.ts';
import { failed, outcomeOf } from '../restic/outcome.ts';
import type { ResticEnd } from '../restic/run.ts';
import { listSnapshots, newestOf, timeOf } from '../restic/snapshots.ts';
import type { Snapshot } from '../restic/snapshots.ts';
import { formatVersion, isAtLeast } from '../restic/verdict.ts';
import type { ResticVersion } from '../restic/verdict.ts';
import type { Judged, StepEnd, StepTools } from './step.ts';

/** ms by which the time in a snapshot may lie outside the time of the backup: clocks are set while backups run. */
const CLOCK_SLACK_MS = 600_000;

/** Since when restic knows what is asked for. */
const NEEDS = {
  read_concurrency: { major: 0, minor: 15, patch: 0 },
  skip_if_unchanged: { major: 0, minor: 17, patch: 0 },
  stdin: { major: 0, minor: 17, patch: 0 },
} as const;

/** Backs up and reads the snapshot back from the vault; without that, exit code 0 proves nothing. */
export async function backUp(settings: BackupSettings, tools: StepTools): Promise<StepEnd> {
  const unknown = unknownTo(tools.version, settings);
  if (unknown !== null) return { outcome: unknown };
  const { watch } = tools;
  const { run_on: on } = settings;
  const host = settings.host ?? on?.ssh.replace(/^[^@]*@/, '') ?? hostname();
  const began = tools.now();
  const end = await tools.run({
    args: argumentsOf(settings, host, watch !== null),
    ...(on === undefined ? {} : { on }),
    timeoutMs: null,
    onProgress: tools.onProgress,
    ...(watch === null ? {} : { onFile: (file) => watch.file(file), onScan: (scan) => watch.scanned(scan) }),
  });
  const outcome = backupOutcome(end);
  const facts = factsOf(end);
  if (outcome.kind !== 'done' && outcome.kind !== 'partly-done') return { outcome, facts };
  const { summary } = end;
  if (summary === null) {
    const why = 'restic ended well but said nothing of what it did';
    return { outcome: failed('no-summary', why, 'report this with the version of restic'), facts };
  }
  const expected = { settings, host, summary, began, ended: tools.now() };
  const read = await readBack(tools, expected, end.missingSources.length);
  if (read.kind === 'no') return { outcome: read.outcome, facts };

  const known = withSnapshots(tools.record.snapshots, [read.snapshot]);
  const { snapshots } = tools.record;
  const judged =
    watch === null
      ? { why: null, snapshot: read.snapshot, known }
      : await watch.ended({
          run: tools.run,
          snapshot: read.snapshot,
          list: read.list,
          summary,
          known: snapshots,
        });
  const isNew = summary.snapshot_id !== null;
  return {
    outcome,
    facts: {
      ...facts,
      snapshot: judged.snapshot.id,
      ...(isNew
        ? {}
        : { notes: ['nothing has changed: the newest snapshot was read back, no new one made'] }),
    },
    learnt: {
      ...learntFrom(tools, judged, outcome, summary),
    },
  };
}

function learntFrom(
  { now }: StepTools,
  { why, snapshot, known }: Judged,
  outcome: StepOutcome,
  summary: BackupSummary,
): Partial<RepositoryRecord> {
  const snapshots = withSnapshots(known, []);
  if (why !== null) return { snapshots, frozen: { why, at: now().toISOString() } };
  if (outcome.kind !== 'done') return { snapshots };
  const good = { at: now().toISOString(), snapshot: snapshot.id, bytes: summary.total_bytes_processed };
  return { snapshots, last_good_backup: good };
}

/** Cannot take a file name with a directory for what a program prints (restic #5324); Debian 13 has it. */
const WITHOUT_DIRECTORIES = '0.18.0';

function unknownTo(version: ResticVersion, settings: BackupSettings): StepOutcome | null {
  const filename = settings.stdin?.filename ?? '';
  if (formatVersion(version) === WITHOUT_DIRECTORIES && dirname(filename) !== '/' && filename !== '')
    return failed(
      'restic-too-old',
      `restic ${WITHOUT_DIRECTORIES} cannot back up what a program prints as ${filename}`,
      `write \`filename: /${basename(filename)}\`, or install restic 0.18.1 or newer`,
    );
  const wanted = [
    ...(settings.read_concurrency === undefined ? [] : (['read_concurrency'] as const)),
    ...(settings.skip_if_unchanged ? (['skip_if_unchanged'] as const) : []),
    ...(settings.stdin === undefined ? [] : (['stdin'] as const)),
  ];
  const missing = wanted.find((option) => !isAtLeast(version, NEEDS[option]));
  if (missing === undefined) return null;
  return failed(
    'restic-too-old',
    `\`${missing}\` needs restic ${formatVersion(NEEDS[missing])}, this one is ${formatVersion(version)}`,
    'install a newer restic and name it with `restic: /path`, or remove the key',
  );
}

function argumentsOf(settings: BackupSettings, host: string, isWatched: boolean): readonly string[] {
  const each = (name: string, values: readonly string[]): string[] =>
    values.map((value) => `--${name}=${value}`);
  const one = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [`--${name}=${value}`];
  const flag = (name: string, isSet: boolean): string[] => (isSet ? [`--${name}`] : []);
  const { stdin } = settings;
  return [
    'backup',
    '--json',
    ...flag('verbose=2', isWatched),
    `--host=${host}`,
    ...each('exclude', settings.exclude),
    ...each('exclude-file', settings.exclude_file),
    ...flag('exclude-caches', settings.exclude_caches),
    ...each('exclude-if-present', settings.exclude_if_present),
    ...one('exclude-larger-than', settings.exclude_larger_than),
    ...flag('one-file-system', settings.one_file_system),
    ...each('tag', settings.tags),
    ...one('limit-upload', settings.limit_upload),
    ...one('limit-download', settings.limit_download),
    ...one('compression', settings.compression),
    ...one('pack-size', settings.pack_size),
    ...one('read-concurrency', settings.read_concurrency),
    ...flag('skip-if-unchanged', settings.skip_if_unchanged),
    ...settings.extra_arguments,
    ...(stdin === undefined ? [] : [`--stdin-filename=${stdin.filename}`, '--stdin-from-command']),
    '--',
    ...(stdin === undefined ? settings.paths : stdin.command),
  ];
}

function backupOutcome(end: ResticEnd): StepOutcome {
  // restic before 0.19 ends with 0 when one of several sources is missing.
  if (end.missingSources.length > 0 && (end.verdict === 'done' || end.verdict === 'partly-done'))
    return { kind: 'partly-done', why: `these sources do not exist: ${end.missingSources.join(', ')}` };
  if (end.verdict !== 'partly-done') return outcomeOf(end, 'the backup');
  return { kind: 'partly-done', why: `files could not be read: ${end.lastWords}` };
}

const factsOf = ({ summary, missingSources }: ResticEnd) => ({
  ...(summary === null
    ? {}
    : {
        files: summary.total_files_processed,
        bytes: summary.total_bytes_processed,
        bytes_added: summary.data_added,
      }),
  ...(missingSources.length === 0 ? {} : { missing_sources: missingSources }),
});

interface Expected {
  readonly settings: BackupSettings;
  readonly host: string;
  readonly summary: BackupSummary;
  readonly began: Date;
  readonly ended: Date;
}

type ReadBack =
  | { readonly kind: 'read'; readonly snapshot: Snapshot; readonly list: readonly Snapshot[] }
  | { readonly kind: 'no'; readonly outcome: StepOutcome };

/** Reads the snapshot from the vault and compares it with what was asked for. */
async function readBack(
  { run, watch }: StepTools,
  expected: Expected,
  missingCount: number,
): Promise<ReadBack> {
  const { settings, host, summary } = expected;
  const id = summary.snapshot_id;
  const paths = sourcesOf(settings);
  // Nothing new: then the newest of the same host and paths is the one. Who watches wants to see all of them.
  const alike = [`--host=${host}`, ...paths.map((path) => `--path=${path}`)];
  const read = await listSnapshots(run, watch !== null ? [] : id === null ? alike : [id]);
  // restic's filter also gives those of more paths.
  const isAlike = (each: Snapshot): boolean =>
    each.hostname === host &&
    each.paths.length === paths.length &&
    paths.every((path) => each.paths.includes(path));
  if (read.kind === 'no' && read.end.verdict === 'cut-short')
    return { kind: 'no', outcome: outcomeOf(read.end, 'reading the snapshot back') };
  const found =
    read.kind === 'no'
      ? null
      : id === null
        ? newestOf(read.snapshots.filter(isAlike))
        : (read.snapshots.find((each) => each.id.startsWith(id)) ?? null);
  if (found === null) {
    const words = read.kind === 'no' && read.end.lastWords !== '' ? `: ${read.end.lastWords}` : '';
    const which = id === null ? 'no new snapshot' : `snapshot ${id}`;
    const outcome = failed(
      'not-on-vault',
      `restic reported ${which}, but reading it back from the vault did not show it${words}`,
      'see whether the repository is really on the vault, and not in an empty mount point on this machine',
    );
    return { kind: 'no', outcome };
  }
  const difference = differenceOf(found, expected, missingCount);
  const list = read.kind === 'no' ? [] : read.snapshots;
  if (difference === null) return { kind: 'read', snapshot: found, list };
  const outcome = failed(
    'not-as-asked',
    `snapshot ${found.id.slice(0, 8)} on the vault is not the one that was asked for: ${difference}`,
    'find out who else writes to this repository, and whether its clock and this one are right',
  );
  return { kind: 'no', outcome };
}

function differenceOf(
  found: Snapshot,
  { settings, host, summary, began, ended }: Expected,
  missingCount: number,
): string | null {
  if (found.hostname !== host) return `its host is ${found.hostname}, not ${host}`;
  const asked = new Set(sourcesOf(settings));
  const foreign = found.paths.find((path) => !asked.has(path));
  if (foreign !== undefined) return `it is of ${foreign}`;
  if (found.paths.length < asked.size && missingCount === 0)
    return `it is of ${found.paths.length} of ${asked.size} sources`;
  if (summary.snapshot_id === null) return null;
  const at = timeOf(found);
  const isThen = at >= began.getTime() - CLOCK_SLACK_MS && at <= ended.getTime() + CLOCK_SLACK_MS;
  return isThen ? null : `its time is ${found.time}`;
}

/** Paths as restic writes them into a snapshot. */
const sourcesOf = ({ paths, stdin }: BackupSettings): readonly string[] => {
  const given = stdin === undefined ? paths : [stdin.filename];
  return [...new Set(given.map((path) => normalize(path).replace(/(.)\/$/, '$1')))];
};
