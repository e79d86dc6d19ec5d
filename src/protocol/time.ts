/** Time as a process has it, behind one interface: whoever waits or measures is given it, so that a simulation can own it. */

/** Whether what waits keeps its process alive. */
export type Hold = 'holds' | 'idle';

/** The clocks and timers of a process. */
export interface Time {
  /** Monotonic ms, for durations. */
  now(): number;
  /** Calendar time, for labels and days. */
  date(): Date;
  /** Calls `what` once after `ms`; the returned function prevents it. */
  after(ms: number, what: () => void, hold?: Hold): () => void;
  /** Calls `what` every `ms` until the returned function is called. */
  every(ms: number, what: () => void, hold?: Hold): () => void;
  /** Resolves after `ms`, or as soon as `stop` aborts. Never rejects. */
  pause(ms: number, stop?: AbortSignal, hold?: Hold): Promise<void>;
}

/** The time of this machine. */
export const machineTime: Time = {
  now: () => performance.now(),
  date: () => new Date(),
  after(ms, what, hold = 'holds') {
    const timer = setTimeout(what, ms);
    if (hold === 'idle') timer.unref();
    return () => clearTimeout(timer);
  },
  every(ms, what, hold = 'holds') {
    const timer = setInterval(what, ms);
    if (hold === 'idle') timer.unref();
    return () => clearInterval(timer);
  },
  pause: (ms, stop, hold) => pauseBy(machineTime, ms, stop, hold),
};

/** A pause made of a timer. */
export function pauseBy(
  time: Pick<Time, 'after'>,
  ms: number,
  stop?: AbortSignal,
  hold: Hold = 'holds',
): Promise<void> {
  return new Promise((resolve) => {
    if (stop?.aborted === true) return resolve();
    const end = (): void => {
      cancel();
      stop?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = time.after(ms, end, hold);
    stop?.addEventListener('abort', end, { once: true });
  });
}

/** A signal that aborts after `ms`, as `AbortSignal.timeout` does; `clear` when it is not needed any more. */
export function limitOf(
  time: Time,
  ms: number,
  reason: () => unknown,
): { readonly signal: AbortSignal; readonly clear: () => void } {
  const limit = new AbortController();
  return { signal: limit.signal, clear: time.after(ms, () => limit.abort(reason())) };
}
