/**
 * `forget`: the only step that gives something up, so it is judged before it is done. restic says what its rules would remove; that
 * list is looked at; and then exactly those snapshots are removed, by id. Never fewer than the floor stay in any group, and nothing is
 * forgotten beside a snapshot that claims to be from the future: rules count back from the newest one, and one lie would age all others.
 */
import { z } from 'zod';
import type { ForgetSettings } from '../../config/schema/steps.ts';
import type { StepOutcome } from '../outcome.ts';
import { jsonOf } from '../restic/lines.ts';
import { failed, outcomeOf, SMALL_TIMEOUT_MS } from '../restic/outcome.ts';
import { prune } from './prune.ts';
import type { StepEnd, StepTools } from './step.ts';

/** ms by which the clock of whoever made a snapshot may be ahead of ours. */
const FUTURE_SLACK_MS = 3_600_000;
/** Most snapshots removed in one go: they are named one by one. */
const MOST_REMOVED = 5_000;

const entry = z.object({ id: z.string().regex(/^[0-9a-f]{64}$/), time: z.string() });
const entries = z
  .array(entry)
  .nullish()
  .transform((list) => list ?? []);
const group = z.object({
  host: z.string().default(''),
  paths: z
    .array(z.string())
    .nullish()
    .transform((paths) => paths ?? []),
  keep: entries,
  remove: entries,
});
const plan = z.array(group).nullable();

type Group = Readonly<z.output<typeof group>>;

/** Forgets by the rules, unless what they would do looks wrong. */
export async function forget(settings: ForgetSettings, tools: StepTools): Promise<StepEnd> {
  const rules = flagsOf(settings);
  const dry = await tools.run({
    args: ['forget', '--json', '--dry-run', ...rules],
    timeoutMs: SMALL_TIMEOUT_MS,
  });
  const groups = plan.safeParse(jsonOf(dry.output));
  if (dry.verdict !== 'done') return { outcome: outcomeOf(dry, 'looking for old snapshots') };
  if (!groups.success) {
    const why = 'restic did not say what it would forget';
    return { outcome: failed('restic-unreadable', why, 'report this with the version of restic') };
  }
  const list = groups.data ?? [];
  const kept = list.flatMap(({ keep }) => keep);
  const removed = list.flatMap(({ remove }) => remove).slice(0, MOST_REMOVED);
  const objection = removed.length === 0 ? null : objectionTo(list, settings, tools.now());
  if (objection !== null)
    return { outcome: objection, facts: { snapshots_kept: kept.length + removed.length } };
  const facts = { snapshots_kept: kept.length, snapshots_removed: removed.length };
  if (removed.length === 0) return { outcome: { kind: 'done' }, facts };

  const gone = new Set(removed.map(({ id }) => id));
  const { snapshots } = tools.record;
  // One that is cut has removed some of them; they must not look stolen then.
  await tools.note({
    snapshots: snapshots.map((each) => (gone.has(each.id) ? { ...each, leaving: true } : each)),
  });
  const args = ['forget', '--json', ...removed.map(({ id }) => id)];
  const outcome = outcomeOf(await tools.run({ args, timeoutMs: null }), 'forgetting old snapshots');
  if (outcome.kind !== 'done') return { outcome };
  const learnt = { snapshots: snapshots.filter(({ id }) => !gone.has(id)) };
  if (!settings.prune) return { outcome, facts, learnt };
  const pruned = await prune({}, tools);
  return { outcome: pruned.outcome, facts, learnt };
}

/** Why nothing is to be forgotten, or `null`. */
function objectionTo(groups: readonly Group[], settings: ForgetSettings, now: Date): StepOutcome | null {
  const latest = now.getTime() + FUTURE_SLACK_MS;
  const ahead = groups
    .flatMap(({ keep, remove }) => [...keep, ...remove])
    .find(({ time }) => !(Date.parse(time) <= latest));
  if (ahead !== undefined)
    return failed(
      'snapshot-from-the-future',
      `nothing is forgotten: snapshot ${ahead.id.slice(0, 8)} says it is of ${ahead.time}, and the rules count back from it`,
      'find out who made it; when it is not to be trusted, remove it by its id in an attended session',
    );
  const least = settings.minimum_snapshots;
  const thin = groups.find(({ keep, remove }) => remove.length > 0 && keep.length < least);
  if (thin === undefined) return null;
  return {
    kind: 'skipped',
    why: `nothing is forgotten: of ${thin.paths.join(', ')} on ${thin.host} ${thin.keep.length} would stay, and minimum_snapshots is ${least}`,
  };
}

/** `keep_within_daily: 14d` is restic's `--keep-within-daily=14d`. */
function flagsOf(settings: ForgetSettings): readonly string[] {
  const { keep_tags: tags, repository: _, prune: _p, minimum_snapshots: _m, ...rules } = settings;
  return [
    ...Object.entries(rules).map(([name, value]) => `--${name.replaceAll('_', '-')}=${value}`),
    ...tags.map((tag) => `--keep-tag=${tag}`),
  ];
}
