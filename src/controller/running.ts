/** Windows that are at work, for whoever looks: how far, how fast, how long still. */
import type { WindowProgress } from './voice.ts';

/** How far back the speed looks, ms. */
const SPEED_OVER_MS = 10_000;
/** No speed is said from less than this, ms. */
const LEAST_SPEED_MS = 1_000;
/** Shortest time between two samples, ms: restic may say more than it is worth remembering. */
const SAMPLE_EVERY_MS = 250;

/** A window at work. `bytes_per_second` and `left_ms` are null while nothing can be said. */
export interface RunningWindow extends WindowProgress {
  readonly bytes_per_second: number | null;
  readonly left_ms: number | null;
  readonly running_ms: number;
}

interface Run {
  progress: WindowProgress;
  readonly beganAtMs: number;
  step: number | null;
  samples: { readonly atMs: number; readonly bytes: number }[];
}

/** All windows at work; one per link. Times are monotonic ms. */
export class RunningWindows {
  readonly #runs = new Map<string, Run>();

  /** `null`: none is at work any more. */
  hear(progress: WindowProgress | null, nowMs: number = performance.now()): void {
    if (progress === null) {
      this.#runs.clear();
      return;
    }
    const known = this.#runs.get(progress.link);
    const run: Run =
      known?.progress.occurrence === progress.occurrence
        ? known
        : { progress, beganAtMs: nowMs, step: null, samples: [] };
    const step = progress.step?.number ?? null;
    if (run.step !== step) run.samples = [];
    run.step = step;
    run.progress = progress;
    const last = run.samples.at(-1);
    if (last === undefined || nowMs - last.atMs >= SAMPLE_EVERY_MS) {
      run.samples.push({ atMs: nowMs, bytes: progress.bytes_done });
      // The oldest one kept is just older than the span.
      while ((run.samples[1]?.atMs ?? nowMs) < nowMs - SPEED_OVER_MS) run.samples.shift();
    }
    this.#runs.set(progress.link, run);
  }

  ended(link: string): void {
    this.#runs.delete(link);
  }

  show(nowMs: number = performance.now()): readonly RunningWindow[] {
    return [...this.#runs.values()].map(({ progress, beganAtMs, samples }) => {
      const speed = speedOf(samples, progress.bytes_done, nowMs);
      const left = progress.bytes_total - progress.bytes_done;
      return {
        ...progress,
        bytes_per_second: speed,
        left_ms: speed === null || speed === 0 || left <= 0 ? null : Math.round((left / speed) * 1_000),
        running_ms: Math.round(nowMs - beganAtMs),
      };
    });
  }
}

/** Bytes a second since the oldest sample, counted to now: a stream that stands still becomes slow. */
function speedOf(samples: Run['samples'], bytesDone: number, nowMs: number): number | null {
  const [first] = samples;
  if (first === undefined || nowMs - first.atMs < LEAST_SPEED_MS) return null;
  return Math.max(0, Math.round(((bytesDone - first.bytes) / (nowMs - first.atMs)) * 1_000));
}
