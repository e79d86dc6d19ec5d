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
import { setTimeout as pause } from 'node:timers/promises';
import type { InterlockClient } from '../../protocol/client.ts';
import type { Lease } from '../../protocol/lease.ts';
import { cutSwitch } from './cut.ts';
import type { CutSwitch } from './cut.ts';
import type { Ledger } from '../ledger.ts';
import { isProvenIsolated } from '../link-feed.ts';
import type { LinkFeed } from '../link-feed.ts';
import { prepare } from '../processes/hooks.ts';
import { reaches } from './reach.ts';
import type { WindowReport } from '../report.ts';
import type { ResticHost } from '../restic/run.ts';
import type { Phase, Voice } from '../voice.ts';
import { progressOf } from './job.ts';
import type { WindowJob } from './job.ts';
import { haltOf, reportOf, summaryOf } from './record.ts';
import type { Draft, Halt } from './record.ts';
import { doWork, markAll } from './work.ts';

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

/** Why nothing more may be begun, or `null`. */
const stopOf = ({ cut, wrapUp }: RunSwitches): Halt | null => cut.reason() ?? wrapUp.reason();
const stopSignal = ({ cut, wrapUp }: RunSwitches): AbortSignal =>
  AbortSignal.any([cut.signal, wrapUp.signal]);

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
    steps: [],
    halt: null,
    isStopped: false,
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
  const report = reportOf(job, draft, {
    at: tools.now(),
    cut: switches.cut.reason(),
    status: tools.feed.latest(link),
    // A window is a window without it: the journal itself is with the interlock.
    head: await tools.client.head().catch(() => null),
  });
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
  const stop = stopSignal(switches);
  const show = (phase: Phase): void => tools.voice.progress(progressOf(job, phase));
  show('prepare');
  let host: ResticHost;
  try {
    host = await tools.host();
  } catch (error) {
    return haltOf(error);
  }
  const prepared = await prepare(job.hooks, { ...tools.hookEnv, PORTCULLIS_WINDOW: job.window }, stop);
  if (prepared.kind === 'failed')
    return {
      code: 'prepare-failed',
      why: prepared.why,
      hint: 'run the hook by hand as the user of the controller',
    };
  if (stop.aborted) return stopOf(switches);

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
  const clearEnd = watchEnd(job, lease, switches);
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
  // Written while the contacts move; nothing touches the vault before it is.
  const marking = markAll(job, tools.ledger, tools.now().toISOString());
  marking.catch(() => undefined); // awaited below, in any case before the vault is touched
  const obstacle = await untilUsable(job, tools, switches, lease);
  const before = await marking;
  if (obstacle !== null) {
    await tools.ledger.note(Object.fromEntries([...before].map(([name, mark]) => [name, { mark }])));
    return obstacle;
  }
  tools.voice.progress(progressOf(job, 'work'));
  draft.steps = await doWork(job, before, {
    ledger: tools.ledger,
    host,
    ...switches,
    now: tools.now,
    onStep: (step) => {
      const { window, occurrence, link } = job;
      tools.journal('controller.step', { window, occurrence, link, ...step });
    },
    onProgress: (number, step, progress) =>
      tools.voice.progress(progressOf(job, 'work', { number, step }, progress)),
  });
  return stopOf(switches);
}

/** Waits for evidence, settling and an answer of the vault. Returns why it cannot be used, or `null`. */
async function untilUsable(
  job: WindowJob,
  tools: WindowTools,
  switches: RunSwitches,
  lease: Lease,
): Promise<Halt | null> {
  const stop = stopSignal(switches);
  const show = (phase: Phase): void => tools.voice.progress(progressOf(job, phase));
  show('connect');
  const isConnected = await beforeStop(lease.connected, job.connectTimeoutMs + CONNECT_MARGIN_MS, stop);
  if (stop.aborted) return stopOf(switches);
  if (!isConnected)
    return {
      code: 'not-connected',
      why: 'the lease was granted, but the evidence never said connected',
      hint: 'look at contacts and witnesses of the link in `portcullis status`',
    };

  show('settle');
  await pause(job.settleMs, undefined, { signal: stop }).catch(() => undefined); // aborted: looked at next
  if (stop.aborted) return stopOf(switches);
  if (job.reach === null) return null;

  show('reach');
  const { host, port, timeoutMs } = job.reach;
  const isReached = await reaches(host, port, timeoutMs, stop);
  if (stop.aborted) return stopOf(switches);
  if (isReached) return null;
  return {
    code: 'not-reachable',
    why: `${host}:${port} did not answer within ${timeoutMs} ms of the link being connected`,
    hint: 'see whether the vault has power and how long it takes to start; raise `settle` or the timeout of `reach`',
  };
}

/** True when `event` happened before `stop` and within `timeoutMs`. */
async function beforeStop(event: Promise<void>, timeoutMs: number, stop: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const signal = AbortSignal.any([stop, over.signal]);
  const waited = pause(timeoutMs, false, { signal }).catch(() => false);
  const happened = await Promise.race([event.then(() => true), waited]);
  over.abort();
  return happened && !stop.aborted;
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
