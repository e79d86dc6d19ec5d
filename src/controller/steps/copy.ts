/** `copy`: snapshots of a repository that needs no link (online) into the vault. Proven like a backup: by reading the vault. */
import type { CopySettings } from '../../config/schema/steps.ts';
import { withSnapshots } from '../ledger.ts';
import type { RepositoryRecord } from '../ledger.ts';
import { identify } from '../restic/identity.ts';
import { failed, outcomeOf } from '../restic/outcome.ts';
import { listSnapshots, newestOf, timeOf } from '../restic/snapshots.ts';
import type { Snapshot } from '../restic/snapshots.ts';
import type { StepEnd, StepTools } from './step.ts';

/** Copies what is not in the vault yet, and sees that it is there then. */
export async function copy(settings: CopySettings, tools: StepTools): Promise<StepEnd> {
  const from = tools.other(settings.from_repository);
  const filter = [
    ...settings.hosts.map((host) => `--host=${host}`),
    ...settings.tags.map((tag) => `--tag=${tag}`),
    ...settings.paths.map((path) => `--path=${path}`),
  ];
  // Listed before the copy: what comes into the source meanwhile is not missed by the vault.
  const wanted = await listSnapshots(from.run, filter);
  if (wanted.kind === 'no') return { outcome: outcomeOf(wanted.end, `reading ${settings.from_repository}`) };
  if (wanted.snapshots.length === 0) {
    const why = `${settings.from_repository} has no snapshot that fits`;
    return { outcome: failed('nothing-to-copy', why, 'see `hosts`, `tags` and `paths` of the step') };
  }
  const end = await tools.run({
    // The filter before what is added: an argument without its value takes the next one for it.
    args: ['copy', ...limitsOf(settings), ...filter, ...settings.extra_arguments],
    from: from.repository,
    timeoutMs: null,
  });
  const outcome = outcomeOf(end, 'the copy');
  if (outcome.kind !== 'done') return { outcome };

  const there = await listSnapshots(tools.run);
  if (there.kind === 'no') return { outcome: outcomeOf(there.end, 'reading the copies back') };
  const arrived = new Map(
    there.snapshots.flatMap((each) => originsOf(each).map((id) => [id, each] as const)),
  );
  const pairs = wanted.snapshots.map((each) => ({
    each,
    twin: arrived.get(each.original ?? each.id) ?? arrived.get(each.id),
  }));
  const lost = pairs.find(({ each, twin }) => twin === undefined || !isSame(each, twin));
  if (lost !== undefined) {
    const why = `restic ended well, but snapshot ${lost.each.id.slice(0, 8)} of ${settings.from_repository} is not in the vault`;
    const hint =
      'see whether the repository is really on the vault, and not in an empty mount point on this machine';
    return { outcome: failed('not-on-vault', why, hint) };
  }
  const twins = pairs.flatMap(({ twin }) => (twin === undefined ? [] : [twin]));
  const newest = newestOf(twins);
  const known = new Set(tools.record.snapshots.map(({ id }) => id));
  const notes = await chunkerNotes(settings, tools);
  return {
    outcome,
    facts: {
      ...(newest === null ? {} : { snapshot: newest.id }),
      snapshots_copied: twins.filter(({ id }) => !known.has(id)).length,
      ...(notes.length === 0 ? {} : { notes }),
    },
    learnt: learntFrom(tools, twins),
  };
}

const limitsOf = ({ limit_upload: upload, limit_download: download }: CopySettings): readonly string[] => [
  ...(upload === undefined ? [] : [`--limit-upload=${upload}`]),
  ...(download === undefined ? [] : [`--limit-download=${download}`]),
];

const originsOf = (twin: Snapshot): readonly string[] =>
  typeof twin.original === 'string' ? [twin.id, twin.original] : [twin.id];

const isSame = (a: Snapshot, b: Snapshot): boolean =>
  a.time === b.time && a.hostname === b.hostname && a.paths.join('\0') === b.paths.join('\0');

/** ms by which the clock of whoever made a snapshot may be ahead of ours. */
const FUTURE_SLACK_MS = 3_600_000;

/**
 * The backup is as old as its data, not as the copy; a newer one of the same repository stays the last good one, and none of the future
 * becomes it: it would be young for ever.
 */
function learntFrom({ record, now }: StepTools, twins: readonly Snapshot[]): Partial<RepositoryRecord> {
  const snapshots = withSnapshots(record.snapshots, twins);
  const latest = now().getTime() + FUTURE_SLACK_MS;
  const newest = newestOf(twins.filter((each) => timeOf(each) <= latest));
  const before = Date.parse(record.last_good_backup?.at ?? '');
  if (newest === null || timeOf(newest) < before) return { snapshots };
  const bytes = newest.summary?.total_bytes_processed ?? 0;
  return { snapshots, last_good_backup: { at: newest.time, snapshot: newest.id, bytes } };
}

/** Says it when the two repositories cut files differently: then the same data is stored twice where a backup made it, too. */
async function chunkerNotes(settings: CopySettings, tools: StepTools): Promise<readonly string[]> {
  const there = await identify(tools.run);
  const here = await identify(tools.other(settings.from_repository).run);
  if (there.kind !== 'known' || here.kind !== 'known' || there.chunker === here.chunker) return [];
  return [
    `${settings.repository} and ${settings.from_repository} cut files at different places, so copies and backups in one repository share no data; only a new repository can be made with the same parameters`,
  ];
}
