import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

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
): Promise<boolean> {
  const endsAt = performance.now() + timeoutMs;
  while (!stop.aborted) {
    const left = endsAt - performance.now();
    if (left <= 0) return false;
    // oxlint-disable-next-line no-await-in-loop -- attempts come one after the other
    if (await answersOnce(host, port, Math.min(left, ATTEMPT_MS), stop)) return true;
    // oxlint-disable-next-line no-await-in-loop
    await pause(PAUSE_MS, undefined, { signal: stop }).catch(() => undefined); // aborted: the loop looks
  }
  return false;
}

function answersOnce(host: string, port: number, timeoutMs: number, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
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
}
