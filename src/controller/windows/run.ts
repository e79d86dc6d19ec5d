/**
 * One opening of a window, from its hooks to its report.
 *
 * Never connects for work that needs no connection; never touches the vault before the evidence says connected and after
 * the lease is lost; always gives the lease back, whatever happened. A cut (lease lost, trip, end of the window, interlock
 * gone) kills restic in the tick in which it is heard. When this program itself dies, restic dies with it (`processes/child.ts`),
 * the closed stream ends the lease, and the ledger already says that the repository needs recovery.
 * The bad case that remains: a kernel that cannot kill a process that waits for a dead disk. We leave it behind after five
 * seconds; it can write nothing, for the link is cut.
 */
import type { InterlockClient } from '../../protocol/client.ts';
import { buildId } from '../../protocol/build.ts';
import type { Lease } from '../../protocol/lease.ts';
import type { LinkStatus } from '../../protocol/messages.ts';
import type { Time } from '../../protocol/time.ts';
import type { MountHand } from '../attach/mount-hand.ts';
import type { Ledger } from '../ledger.ts';
import type { LinkFeed } from '../link-feed.ts';
import type { Programs } from '../processes/child.ts';
import { runHooks } from '../processes/hooks.ts';
import type { StepReport, WindowReport } from '../report.ts';
import type { Limits, ResticHost } from '../restic/run.ts';
import type { DrillRecords } from '../steps/drill-records.ts';
import type { Sentries } from '../sentries.ts';
import type { Phase, Voice } from '../voice.ts';
import { finishSteps, runAfter, windowEnv } from './afterwards.ts';
import { isolation, untilReached, untilSettled } from './connect.ts';
import { evidenceOf } from './evidence.ts';
import { progressOf } from './job.ts';
import type { WindowJob } from './job.ts';
import { markAll } from './marks.ts';
import type { MarksBefore } from './marks.ts';
import type { Probe } from './reach.ts';
import { haltBy, haltOf, outcomeOf, reportOf, summaryOf } from './record.ts';
import type { Draft, Halt } from './record.ts';
import { stopOf, stopSignal } from './run-switches.ts';
import type { RunSwitches } from './run-switches.ts';
import { withVault } from './vault.ts';
import { doWork } from './work.ts';
import type { WorkTools } from './work.ts';

/** restic that was asked to stop is killed this long before the window ends, ms: the lease must be given back, not taken. */
const LEAVE_MARGIN_MS = 1_000;
/** ms to wait for a link that still refuses a lease (its last isolation is being proven) before asking once anyway. */
const LINK_READY_TIMEOUT_MS = 30_000;
export interface WindowTools {
  readonly client: InterlockClient;
  readonly feed: LinkFeed;
  readonly ledger: Ledger;
  readonly voice: Voice;
  /** Finds restic anew for each window. Rejects with `ControllerFault`. */
  readonly host: (limits: Limits) => Promise<ResticHost>;
  /** Environment of the hooks. */
  readonly hookEnv: Readonly<Record<string, string>>;
  /** Mounts the disks of vaults. */
  readonly hand: MountHand;
  readonly programs: Programs;
  readonly probe: Probe;
  /** Hands an entry to the journal; keeps it when nobody takes it now. Never throws. */
  readonly journal: (type: string, data: Readonly<Record<string, unknown>>) => void;
  readonly keepReport: (report: WindowReport) => Promise<void>;
  /** Calendar time, for labels only. */
  readonly now: () => Date;
  /** Where a restore drill restores to, unless it says otherwise. */
  readonly scratchDirectory: string;
  readonly records: DrillRecords;
  /** Guards before anything is connected, and rules over the backups. */
  readonly sentries?: Pick<Sentries, 'guard' | 'watch' | 'conclude'>;
}

/** Runs an opening to its report. Rejects when ledger or report cannot be written; the link is isolated and restic dead by then. */
export async function runWindow(
  job: WindowJob,
  tools: WindowTools,
  switches: RunSwitches,
): Promise<WindowReport> {
  const draft: Draft = {
    startedAt: tools.now(),
    granted: null,
    isolated: null,
    evidence: [],
    steps: [],
    unfinished: [],
    hooks: [],
    guards: [],
    anomalies: [],
    halt: null,
    isStopped: false,
  };
  const { window, occurrence, link } = job;
  await tools.ledger.started(window, occurrence, draft.startedAt.toISOString());
  tools.journal('controller.window-started', { window, occurrence, link, resumed: job.resumed });
  const beforeEnd = tools.programs.time.after(Math.max(0, job.endsInMs - LEAVE_MARGIN_MS), () =>
    switches.cut.throw({ code: 'window-ended', why: 'the window has ended' }),
  );
  try {
    draft.halt = await connectAndWork(job, tools, switches, draft);
  } finally {
    beforeEnd();
  }
  await afterwards(job, tools, switches, draft);
  const report = reportOf(job, draft, {
    at: tools.now(),
    cut: switches.cut.reason(),
    status: tools.feed.latest(link),
    // A window is a window without it: the journal itself is with the interlock.
    head: await tools.client.head().catch(() => null),
    build: buildId(),
  });
  await tools.ledger.finished(window, occurrence, report.outcome);
  await tools.keepReport(report);
  tools.journal('controller.window-finished', summaryOf(report));
  return report;
}

/** Everything that is done when the link is isolated again. */
async function afterwards(
  job: WindowJob,
  tools: WindowTools,
  { quit }: RunSwitches,
  draft: Draft,
): Promise<void> {
  tools.voice.progress(progressOf(job, 'after'));
  const before = new Set(draft.steps);
  draft.steps = await finishSteps(draft.unfinished, draft.steps, tools, quit.signal);
  for (const step of draft.steps) if (!before.has(step)) journalStep(job, tools, step);
  draft.anomalies = (await tools.sentries?.conclude(job, draft)) ?? [];
  draft.hooks = [...draft.hooks, ...(await runAfter(job, draft, outcomeOf(draft), tools, quit.signal))];
}

/** Everything up to proven isolation. Returns why the work was not finished, or `null`. */
async function connectAndWork(
  job: WindowJob,
  tools: WindowTools,
  switches: RunSwitches,
  draft: Draft,
): Promise<Halt | null> {
  const { cut } = switches;
  const stop = stopSignal(switches);
  const show = (phase: Phase): void => tools.voice.progress(progressOf(job, phase));
  show('prepare');
  let host: ResticHost;
  try {
    host = await tools.host(job.limits);
  } catch (error) {
    return haltOf(error);
  }
  const barred = await prepare(job, tools, switches, draft);
  if (barred !== null) return barred;

  show('lease');
  await tools.feed.until(
    job.link,
    (status) => status.refusals.length === 0,
    LINK_READY_TIMEOUT_MS,
    cut.signal,
  );
  if (stop.aborted) return stopOf(switches);
  let lease: Lease;
  try {
    lease = await tools.client.askLease({ link: job.link, window: job.window, occurrence: job.occurrence });
  } catch (error) {
    return haltOf(error);
  }
  draft.granted = { at: tools.now(), atMs: lease.grantedAtMs };
  void lease.lost.then(({ code, why }) => {
    if (code !== 'released') cut.throw({ code, why }); // what we gave back ourselves is not lost
  });
  const clearEnd = watchEnd(job, lease, switches, tools.programs.time);
  try {
    const halt = await underLease(job, tools, switches, draft, lease, host);
    // Looked at before the lease is given back: the interlock ends the window then, which stops nothing any more.
    draft.isStopped = stop.aborted;
    return halt;
  } catch (error) {
    return haltOf(error);
  } finally {
    clearEnd();
    show('leave');
    await lease.release();
    show('after');
    draft.isolated = await isolation(job, tools, draft.granted.atMs);
    noteEvidence(draft, 'isolated', tools.feed.latest(job.link), tools);
  }
}

/** Hooks and guards, while nothing is connected. Why the window must not go on, or `null`. */
async function prepare(
  job: WindowJob,
  tools: WindowTools,
  switches: RunSwitches,
  draft: Draft,
): Promise<Halt | null> {
  const stop = stopSignal(switches);
  const env = windowEnv(job, tools.hookEnv);
  const { reports, failure } = await runHooks('prepare', job.prepare, env, stop, tools.programs);
  draft.hooks = reports;
  if (stop.aborted) return stopOf(switches);
  if (failure !== null)
    return {
      code: 'prepare-failed',
      why: failure,
      hint: 'run the hook by hand as the user of the controller',
    };
  draft.guards = (await tools.sentries?.guard(job, stop)) ?? [];
  return stop.aborted ? stopOf(switches) : haltBy(draft.guards);
}

/** Near the end: first ask, then kill, both early enough that the lease is given back before it is taken. */
function watchEnd(job: WindowJob, lease: Lease, { cut, wrapUp }: RunSwitches, time: Time): () => void {
  const inMs = (beforeEndMs: number): number => Math.max(0, lease.endsInMs() - beforeEndMs);
  const beforeAsking = time.after(inMs(Math.max(job.graceMs, LEAVE_MARGIN_MS)), () =>
    wrapUp.throw({ code: 'window-ending', why: 'the window is about to end' }),
  );
  const beforeKilling = time.after(inMs(LEAVE_MARGIN_MS), () =>
    cut.throw({ code: 'window-ended', why: 'the window has ended' }),
  );
  return () => {
    beforeAsking();
    beforeKilling();
  };
}

async function underLease(
  job: WindowJob,
  tools: WindowTools,
  switches: RunSwitches,
  draft: Draft,
  lease: Lease,
  host: ResticHost,
): Promise<Halt | null> {
  // Written while the contacts move; nothing touches the vault before it is.
  const marking = markAll(job, tools.ledger, tools.now().toISOString());
  marking.catch(() => undefined); // awaited below, in any case before the vault is touched
  const unsettled = await untilSettled(job, tools, switches, lease);
  const before = await marking;
  let isTouched = false;
  const halt =
    unsettled ??
    (await withVault(job, tools, switches, async (look) => {
      const silent = await untilReached(job, tools, switches);
      if (silent !== null) return silent;
      isTouched = true;
      await workInVault(job, tools, switches, draft, { host, before, look });
      return stopOf(switches);
    }));
  // Where nothing was touched, what was known of the repositories still holds.
  if (!isTouched)
    await tools.ledger.note(Object.fromEntries([...before].map(([name, mark]) => [name, { mark }])));
  return halt;
}

async function workInVault(
  job: WindowJob,
  tools: WindowTools,
  switches: RunSwitches,
  draft: Draft,
  vault: Pick<WorkTools, 'host' | 'look'> & { readonly before: MarksBefore },
): Promise<void> {
  tools.voice.progress(progressOf(job, 'work'));
  // Beside the work: no window is longer for its report.
  const asking = tools.client.status().then(
    ({ links }) => links.find((each) => each.link === job.link) ?? null,
    () => null, // the report says then that nothing was recorded
  );
  void asking.then((status) => noteEvidence(draft, 'connected', status, tools));
  const work = await doWork(job, vault.before, {
    ledger: tools.ledger,
    host: vault.host,
    look: vault.look,
    cut: switches.cut,
    wrapUp: switches.wrapUp,
    now: tools.now,
    env: windowEnv(job, tools.hookEnv),
    scratchDirectory: tools.scratchDirectory,
    records: tools.records,
    watch: async (settings) => (await tools.sentries?.watch(job, settings, switches.cut)) ?? null,
    onStep: (step) => journalStep(job, tools, step),
    onProgress: (number, step, progress) =>
      tools.voice.progress(progressOf(job, 'work', { number, step }, progress)),
  });
  draft.steps = work.reports;
  draft.unfinished = work.unfinished;
}

function noteEvidence(
  draft: Draft,
  when: 'connected' | 'isolated',
  status: LinkStatus | null,
  { now }: Pick<WindowTools, 'now'>,
): void {
  if (status !== null) draft.evidence = [...draft.evidence, evidenceOf(when, status, now())];
}

function journalStep({ window, occurrence, link }: WindowJob, tools: WindowTools, step: StepReport): void {
  // What a program printed stays in the report: the journal is for facts.
  const { output: _, ...facts } = step;
  tools.journal('controller.step', { window, occurrence, link, ...facts });
}
