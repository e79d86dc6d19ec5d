/** From the grant of a lease to a vault that answers, and from its release to proven isolation. */
import type { Lease } from '../../protocol/lease.ts';
import type { Time } from '../../protocol/time.ts';
import { isProvenIsolated } from '../link-feed.ts';
import type { Phase } from '../voice.ts';
import { progressOf } from './job.ts';
import type { WindowJob } from './job.ts';
import { reaches } from './reach.ts';
import type { Draft, Halt } from './record.ts';
import { stopOf, stopSignal } from './run-switches.ts';
import type { RunSwitches } from './run-switches.ts';
import type { WindowTools } from './run.ts';

/** ms beyond the link's own limit for the evidence to say connected. */
const CONNECT_MARGIN_MS = 5_000;
/** ms to wait for proof of isolation before the report says that there was none. */
const ISOLATION_PROOF_TIMEOUT_MS = 30_000;

/** Waits for evidence and settling. Returns why the vault cannot be used, or `null`. */
export async function untilSettled(
  job: WindowJob,
  tools: WindowTools,
  switches: RunSwitches,
  lease: Lease,
): Promise<Halt | null> {
  const stop = stopSignal(switches);
  const show = (phase: Phase): void => tools.voice.progress(progressOf(job, phase));
  show('connect');
  const isConnected = await beforeStop(
    lease.connected,
    job.connectTimeoutMs + CONNECT_MARGIN_MS,
    stop,
    tools.programs.time,
  );
  if (stop.aborted) return stopOf(switches);
  if (!isConnected)
    return {
      code: 'not-connected',
      why: 'the lease was granted, but the evidence never said connected',
      hint: 'look at contacts and witnesses of the link in `portcullis status`',
    };

  show('settle');
  await tools.programs.time.pause(job.settleMs, stop);
  return stop.aborted ? stopOf(switches) : null;
}

/** Waits for an answer of the vault. Returns why it cannot be used, or `null`. */
export async function untilReached(
  job: WindowJob,
  tools: Pick<WindowTools, 'voice' | 'probe' | 'programs'>,
  switches: RunSwitches,
): Promise<Halt | null> {
  const stop = stopSignal(switches);
  if (stop.aborted) return stopOf(switches);
  if (job.reach === null) return null;
  tools.voice.progress(progressOf(job, 'reach'));
  const { host, port, timeoutMs } = job.reach;
  const isReached = await reaches(host, port, timeoutMs, stop, tools.probe, tools.programs.time);
  if (stop.aborted) return stopOf(switches);
  if (isReached) return null;
  return {
    code: 'not-reachable',
    why: `${host}:${port} did not answer within ${timeoutMs} ms of the link being connected`,
    hint: 'see whether the vault has power and how long it takes to start; raise `settle` or the timeout of `reach`',
  };
}

/** True when `event` happened before `stop` and within `timeoutMs`. */
async function beforeStop(
  event: Promise<void>,
  timeoutMs: number,
  stop: AbortSignal,
  time: Time,
): Promise<boolean> {
  const over = new AbortController();
  const signal = AbortSignal.any([stop, over.signal]);
  const waited = time.pause(timeoutMs, signal).then(() => false);
  const happened = await Promise.race([event.then(() => true), waited]);
  over.abort();
  return happened && !stop.aborted;
}

/** Waits for the proof of isolation, and says so when there is none. */
export async function isolation(
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
  return { at: isProven ? tools.now() : null, exposureMs: tools.programs.time.now() - grantedAtMs, isProven };
}
