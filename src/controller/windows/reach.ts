import { connect } from 'node:net';
import { machineTime } from '../../protocol/time.ts';
import type { Time } from '../../protocol/time.ts';

/** ms for one connection attempt. */
const ATTEMPT_MS = 2_000;
const PAUSE_MS = 200;

/**
 * Tries to connect to `host:port` until it answers (`true`) or `timeoutMs` have passed or `stop` aborts (`false`). Our own
 * probe, because a restic that cannot reach its repository tries for up to 15 minutes.
 */
export async function reaches(
  host: string,
  port: number,
  timeoutMs: number,
  stop: AbortSignal,
  probe: Probe = tcpProbe,
  time: Time = machineTime,
): Promise<boolean> {
  const endsAt = time.now() + timeoutMs;
  while (!stop.aborted) {
    const left = endsAt - time.now();
    if (left <= 0) return false;
    // oxlint-disable-next-line no-await-in-loop -- attempts come one after the other
    if (await probe(host, port, Math.min(left, ATTEMPT_MS), stop)) return true;
    // oxlint-disable-next-line no-await-in-loop
    await time.pause(PAUSE_MS, stop);
  }
  return false;
}

/** Whether somebody answers there within `timeoutMs`; false as soon as `stop` aborts. Never rejects. */
export type Probe = (host: string, port: number, timeoutMs: number, stop: AbortSignal) => Promise<boolean>;

/** Makes a TCP connection and drops it. */
export const tcpProbe: Probe = (host, port, timeoutMs, stop) =>
  new Promise((resolve) => {
    const socket = connect({ host, port, signal: stop });
    const end = (answered: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(() => end(false), timeoutMs);
    socket.once('connect', () => end(true));
    socket.on('error', () => end(false));
  });
