/**
 * One opening of a window, from its hooks to its report.
 *
 * Never connects for work that needs no connection; never touches the vault before the evidence says connected and after
 * the lease is lost; always gives the lease back, whatever happened. A cut (lease lost, trip, end of the window, interlock
 * gone) kills restic in the tick in which it is heard. When this program itself dies, restic dies with it (`child.ts`),
 * the closed stream ends the lease, and the ledger already says that the repository needs recovery.
 * The bad case that remains: a kernel that cannot kill a process that waits for a dead disk. We leave it behind after five
 * seconds; it can write nothing, for the link is cut.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { InterlockClient } from '../protocol/client.ts';
import { InterlockError } from '../protocol/interlock-error.ts';
import type { Lease } from '../protocol/lease.ts';
import { cutSwitch } from './cut.ts';
import type { CutSwitch } from './cut.ts';
import { ControllerFault } from './fault.ts';
import type { Ledger } from './ledger.ts';
import { isProvenIsolated } from './link-feed.ts';
import type { LinkFeed } from './link-feed.ts';
import { worstOf } from './outcome.ts';
import type { OutcomeKind } from './outcome.ts';
import { prepare } from './prepare.ts';
import { reaches } from './reach.ts';
import type { StepReport, WindowReport } from './report.ts';
import type { ResticHost } from './restic.ts';
import type { ResticProgress } from './restic-lines.ts';
import type { Phase, Voice } from './voice.ts';
import type { WindowJob, WorkStep } from './window-job.ts';
import { doWork, markAll } from './window-work.ts';

/** restic that was asked to stop is killed this long before the window ends, ms: the lease must be given back, not taken. */
const LEAVE_MARGIN_MS = 1_000;
/** ms to wait for a link that still refuses a lease (its last isolation is being proven) before asking once anyway. */
const LINK_READY_TIMEOUT_MS = 30_000;
/** ms beyond the link's own limit for the evidence to say connected. */
const CONNECT_MARGIN_MS = 5_000;
/** ms to wait for proof of isolation before the report says that there was none. */
const ISOLATION_PROOF_TIMEOUT_MS = 30_000;

export interface WindowTools {
  readonly client: InterlockClient;
  readonly feed: LinkFeed;
  readonly ledger: Ledger;
  readonly voice: Voice;
  /** Finds restic anew for each window. Rejects with `ControllerFault`. */
  readonly host: () => Promise<ResticHost>;
  /** Environment of the hooks. */
  readonly hookEnv: Readonly<Record<string, string>>;
  /** Hands an entry to the journal; keeps it when nobody takes it now. Never throws. */
  readonly journal: (type: string, data: Readonly<Record<string, unknown>>) => void;
  readonly keepReport: (report: WindowReport) => Promise<void>;
  /** Calendar time, for labels only. */
  readonly now: () => Date;
}

/** The two switches of a run: `cut` kills, `wrapUp` asks to stop. Thrown from outside (trip, shutdown) and from inside. */
export interface RunSwitches {
  readonly cut: CutSwitch;
  readonly wrapUp: CutSwitch;
}

export const runSwitches = (): RunSwitches => ({ cut: cutSwitch(), wrapUp: cutSwitch() });

/** Why a window did not do its work. */
interface Halt {
  readonly code: string;
  readonly why: string;
  readonly hint?: string;
}

/** What is known of a run while it runs. */
interface Draft {
  readonly startedAt: Date;
  readonly beganAtMs: number;
  granted: { readonly at: Date; readonly atMs: number } | null;
  isolated: { readonly at: Date | null; readonly exposureMs: number; readonly isProven: boolean } | null;
  steps: readonly StepReport[];
  halt: Halt | null;
}

/** Runs an opening to its report. Rejects when ledger or report cannot be written; the link is isolated and restic dead by then. */
export async function runWindow(
  job: WindowJob,
  tools: WindowTools,
  switches: RunSwitches,
): Promise<WindowReport> {
  const draft: Draft = {
    startedAt: tools.now(),
    beganAtMs: performance.now(),
    granted: null,
    isolated: null,
    steps: [],
    halt: null,
  };
  const { window, occurrence, link } = job;
  await tools.ledger.started(window, occurrence, draft.startedAt.toISOString());
  tools.journal('controller.window-started', { window, occurrence, link, resumed: job.resumed });
  const end = setTimeout(
    () => switches.cut.throw({ code: 'window-ended', why: 'the window has ended' }),
    Math.max(0, job.endsInMs - LEAVE_MARGIN_MS),
  );
  try {
    draft.halt = await connectAndWork(job, tools, switches, draft);
  } finally {
    clearTimeout(end);
  }
  const report = reportOf(job, tools, switches, draft);
  await tools.ledger.finished(window, occurrence, report.outcome);
  await tools.keepReport(report);
  tools.journal('controller.window-finished', summaryOf(report));
  return report;
}

/** Everything up to proven isolation. Returns why the work was not finished, or `null`. */
async function connectAndWork(
  job: WindowJob,
  tools: WindowTools,
  switches: RunSwitches,
  draft: Draft,
): Promise<Halt | null> {
  const { cut } = switches;
  const show = (phase: Phase): void => tools.voice.progress(progressOf(job, phase));
  show('prepare');
  let host: ResticHost;
  try {
    host = await tools.host();
  } catch (error) {
    return haltOf(error);
  }
  const prepared = await prepare(job.hooks, { ...tools.hookEnv, PORTCULLIS_WINDOW: job.window }, cut.signal);
  if (prepared.kind === 'failed')
    return {
      code: 'prepare-failed',
      why: prepared.why,
      hint: 'run the hook by hand as the user of the controller',
    };
  if (cut.reason() !== null) return cut.reason();

  show('lease');
  await tools.feed.until(
    job.link,
    (status) => status.refusals.length === 0,
    LINK_READY_TIMEOUT_MS,
    cut.signal,
  );
  if (cut.reason() !== null) return cut.reason();
  let lease: Lease;
  try {
    lease = await tools.client.askLease({ link: job.link, window: job.window, occurrence: job.occurrence });
  } catch (error) {
    return haltOf(error);
  }
  draft.granted = { at: tools.now(), atMs: lease.grantedAtMs };
  void lease.lost.then(({ code, why }) => cut.throw({ code, why }));
  const clearEnd = watchEnd(job, lease, switches);
  try {
    return await underLease(job, tools, switches, draft, lease, host);
  } catch (error) {
    return haltOf(error);
  } finally {
    clearEnd();
    show('leave');
    await lease.release();
    show('after');
    draft.isolated = await isolation(job, tools, draft.granted.atMs);
  }
}

/** Near the end: first ask, then kill, both early enough that the lease is given back before it is taken. */
function watchEnd(job: WindowJob, lease: Lease, { cut, wrapUp }: RunSwitches): () => void {
  const inMs = (beforeEndMs: number): number => Math.max(0, lease.endsInMs() - beforeEndMs);
  const ask = setTimeout(
    () => wrapUp.throw({ code: 'window-ending', why: 'the window is about to end' }),
    inMs(Math.max(job.graceMs, LEAVE_MARGIN_MS)),
  );
  const kill = setTimeout(
    () => cut.throw({ code: 'window-ended', why: 'the window has ended' }),
    inMs(LEAVE_MARGIN_MS),
  );
  return () => {
    clearTimeout(ask);
    clearTimeout(kill);
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
  const { cut, wrapUp } = switches;
  const stopped = (): Halt | null => cut.reason() ?? wrapUp.reason();
  const show = (phase: Phase): void => tools.voice.progress(progressOf(job, phase));
  show('connect');
  // Written while the contacts move; nothing touches the vault before it is.
  const marking = markAll(job, tools.ledger, tools.now().toISOString());
  marking.catch(() => undefined); // awaited below, in any case before the vault is touched
  const isConnected = await beforeCut(lease.connected, job.connectTimeoutMs + CONNECT_MARGIN_MS, cut);
  const before = await marking;
  const restore = (): Promise<void> =>
    tools.ledger.note(Object.fromEntries([...before].map(([name, mark]) => [name, { mark }])));
  const untouched = async (halt: Halt | null): Promise<Halt | null> => {
    await restore();
    return halt;
  };
  if (stopped() !== null) return untouched(stopped());
  if (!isConnected)
    return untouched({
      code: 'not-connected',
      why: 'the lease was granted, but the evidence never said connected',
      hint: 'look at contacts and witnesses of the link in `portcullis status`',
    });

  show('settle');
  await pause(job.settleMs, undefined, { signal: cut.signal }).catch(() => undefined); // aborted: looked at next
  if (stopped() !== null) return untouched(stopped());
  if (job.reach !== null) {
    show('reach');
    const { host: address, port, timeoutMs } = job.reach;
    if (!(await reaches(address, port, timeoutMs, cut.signal)))
      return untouched(
        stopped() ?? {
          code: 'not-reachable',
          why: `${address}:${port} did not answer within ${timeoutMs} ms of the link being connected`,
          hint: 'see whether the vault has power and how long it takes to start; raise `settle` or the timeout of `reach`',
        },
      );
    if (stopped() !== null) return untouched(stopped());
  }

  show('work');
  draft.steps = await doWork(job, before, {
    ledger: tools.ledger,
    host,
    cut,
    wrapUp,
    now: tools.now,
    onStep: (step) => {
      const { window, occurrence, link } = job;
      tools.journal('controller.step', { window, occurrence, link, ...step });
    },
    onProgress: (number, step, progress) =>
      tools.voice.progress(progressOf(job, 'work', { number, step }, progress)),
  });
  return stopped();
}

/** True when `event` happened before the cut and within `timeoutMs`. */
async function beforeCut(event: Promise<void>, timeoutMs: number, cut: CutSwitch): Promise<boolean> {
  const over = new AbortController();
  const signal = AbortSignal.any([cut.signal, over.signal]);
  const waited = pause(timeoutMs, false, { signal }).catch(() => false);
  const happened = await Promise.race([event.then(() => true), waited]);
  over.abort();
  return happened && cut.reason() === null;
}

async function isolation(
  job: WindowJob,
  tools: WindowTools,
  grantedAtMs: number,
): Promise<Draft['isolated']> {
  try {
    // Asked afresh: an event from before the release says nothing.
    const status = await tools.client.status();
    for (const link of status.links) tools.feed.tell(link);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    tools.voice.note('warn', 'the interlock does not say how the link stands after the window', {
      link: job.link,
      why,
    });
  }
  const isProven = await tools.feed.until(job.link, isProvenIsolated, ISOLATION_PROOF_TIMEOUT_MS);
  return { at: isProven ? tools.now() : null, exposureMs: performance.now() - grantedAtMs, isProven };
}

function haltOf(error: unknown): Halt {
  if (error instanceof InterlockError) {
    const [first] = error.refusals;
    return { code: first?.code ?? error.code, why: error.message, hint: error.hint };
  }
  if (error instanceof ControllerFault) return { code: error.code, why: error.message, hint: error.hint };
  // What the ledger could not write. Anything else is a broken invariant and travels on.
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') throw error;
  return {
    code: 'STATE_UNWRITABLE',
    why: message,
    hint: 'see whether the state directory of the controller is full or read-only',
  };
}

function outcomeOf(draft: Draft, switches: RunSwitches): OutcomeKind {
  if (draft.granted === null) return 'skipped';
  const ofSteps = worstOf(draft.steps.map((step) => step.outcome.kind));
  if (draft.halt === null) return ofSteps;
  // A cut that came after the last step took nothing away.
  const wasWhole = draft.steps.length > 0 && draft.steps.every((step) => step.outcome.kind !== 'skipped');
  if (switches.cut.reason() === null && switches.wrapUp.reason() === null) return 'failed';
  return wasWhole ? ofSteps : 'cut-short';
}

function reportOf(job: WindowJob, tools: WindowTools, switches: RunSwitches, draft: Draft): WindowReport {
  const { window, link, occurrence, byHand, resumed, endsInMs } = job;
  const latch = tools.feed.latest(link)?.latch ?? null;
  return {
    format: 1,
    window,
    link,
    occurrence,
    by_hand: byHand,
    resumed,
    planned: {
      began_at: draft.startedAt.toISOString(),
      ends_at: new Date(draft.startedAt.getTime() + endsInMs).toISOString(),
    },
    actual: {
      started_at: draft.startedAt.toISOString(),
      granted_at: draft.granted?.at.toISOString() ?? null,
      isolated_at: draft.isolated?.at?.toISOString() ?? null,
      finished_at: tools.now().toISOString(),
    },
    exposure_seconds: Math.round(draft.isolated?.exposureMs ?? 0) / 1_000,
    isolation_proven: draft.isolated?.isProven ?? draft.granted === null,
    outcome: outcomeOf(draft, switches),
    why: draft.halt === null ? null : { ...draft.halt },
    trip: switches.cut.reason()?.trip ?? latch,
    steps: draft.steps,
  };
}

function summaryOf(report: WindowReport): Readonly<Record<string, unknown>> {
  const { window, occurrence, link, outcome, exposure_seconds, isolation_proven, why, steps } = report;
  const snapshots = steps.flatMap((step) => (step.snapshot === undefined ? [] : [step.snapshot]));
  return { window, occurrence, link, outcome, exposure_seconds, isolation_proven, why, snapshots };
}

function progressOf(
  job: WindowJob,
  phase: Phase,
  at: { readonly number: number; readonly step: WorkStep } | null = null,
  done: ResticProgress | null = null,
) {
  const { window, link, occurrence } = job;
  return {
    window,
    link,
    occurrence,
    phase,
    step:
      at === null
        ? null
        : { number: at.number, of: job.steps.length, name: at.step.kind, repository: at.step.repository },
    files_done: done?.filesDone ?? 0,
    files_total: done?.filesTotal ?? 0,
    bytes_done: done?.bytesDone ?? 0,
    bytes_total: done?.bytesTotal ?? 0,
  };
}
