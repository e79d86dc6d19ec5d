/** Which openings are taken up, and that one link runs one window at a time. */
import type { Config } from '../../config/schema.ts';
import type { TripRecord } from '../../protocol/messages.ts';
import type { Cut } from './cut.ts';
import type { WindowReport } from '../report.ts';
import { jobOf } from './job.ts';
import type { Opening, WindowJob } from './job.ts';
import { runSwitches } from './run-switches.ts';
import type { RunSwitches } from './run-switches.ts';
import { runWindow } from './run.ts';
import type { WindowTools } from './run.ts';

/** ms that restic has to say goodbye when this program is told to stop. */
const STOP_GRACE_MS = 5_000;

interface Run {
  readonly job: WindowJob;
  readonly switches: RunSwitches;
  readonly finished: Promise<void>;
}

/** What comes of runs. */
export interface RunEvents {
  readonly onReport: (report: WindowReport) => void;
  /** An opening that no report will come of. */
  readonly onMissed: (window: string, occurrence: string, why: string) => void;
  /** Nothing runs on this link any more. */
  readonly onEnded: (link: string) => void;
  /** A broken invariant. The program must end: its death isolates. */
  readonly onCrash: (error: unknown) => void;
}

const keyOf = (window: string, occurrence: string): string => `${window} ${occurrence}`;

/** Runs openings, begun by the events of the interlock. */
export class Windows {
  readonly #config: Config;
  readonly #tools: WindowTools;
  readonly #events: RunEvents;
  readonly #runs = new Map<string, Run>();
  readonly #lastOfLink = new Map<string, Promise<void>>();
  #isStopping = false;

  constructor(config: Config, tools: WindowTools, events: RunEvents) {
    this.#config = config;
    this.#tools = tools;
    this.#events = events;
  }

  /** Takes an opening up, unless it was run before or is running. Called again for the same opening after a reconnect. */
  opened(opening: Opening): void {
    const { window, occurrence } = opening;
    if (this.#isStopping || this.#runs.has(keyOf(window, occurrence))) return;
    const turn = this.#tools.ledger.turnOf(window, occurrence);
    switch (turn) {
      case 'run-before':
        return;
      case 'given-up':
        return this.#complain('this opening ended the controller twice and is given up', opening);
      case 'run':
      case 'resume': {
        const job = jobOf(this.#config, opening, turn === 'resume');
        if (job !== null) return this.#begin(job);
        return this.#complain(
          'the interlock began a window that is not in this configuration: restart both with the same file',
          opening,
        );
      }
    }
  }

  /** The interlock says that the window is over. */
  closed(window: string, occurrence: string, why: string): void {
    const cut: Cut = { code: 'window-closed', why: `the interlock ended the window: ${why}` };
    this.#runs.get(keyOf(window, occurrence))?.switches.cut.throw(cut);
  }

  tripped(link: string, trip: TripRecord): void {
    const cut: Cut = { code: 'tripped', why: `tripped by ${trip.by}: ${trip.reason}`, trip };
    for (const run of this.#runs.values()) if (run.job.link === link) run.switches.cut.throw(cut);
  }

  /** Lets restic stop, gives the leases back. Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const why: Cut = { code: 'controller-stopping', why: 'the controller was told to stop' };
    const running = [...this.#runs.values()];
    for (const { switches } of running) {
      switches.quit.throw(why);
      switches.wrapUp.throw(why);
    }
    const inTime = this.#tools.programs.time.after(STOP_GRACE_MS, () => {
      for (const run of running) run.switches.cut.throw(why);
    });
    await Promise.all(running.map((run) => run.finished));
    inTime();
  }

  #begin(job: WindowJob): void {
    const key = keyOf(job.window, job.occurrence);
    const switches = runSwitches();
    const finished = this.#perform(job, switches, this.#lastOfLink.get(job.link) ?? Promise.resolve())
      .catch(this.#events.onCrash)
      .finally(() => this.#runs.delete(key));
    this.#lastOfLink.set(job.link, finished);
    this.#runs.set(key, { job, switches, finished });
  }

  async #perform(job: WindowJob, switches: RunSwitches, after: Promise<void>): Promise<void> {
    const { time } = this.#tools.programs;
    const openedAtMs = time.now();
    await after;
    if (switches.cut.reason() !== null || switches.wrapUp.reason() !== null)
      return this.#complain('a window ended before its turn came', job);
    try {
      const endsInMs = job.endsInMs - (time.now() - openedAtMs);
      this.#events.onReport(await runWindow({ ...job, endsInMs }, this.#tools, switches));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (typeof code !== 'string') throw error;
      this.#complain(
        `a window could not be recorded (${message}): see whether the state directory of the controller is full or read-only`,
        job,
      );
    } finally {
      this.#tools.voice.progress(null);
      this.#events.onEnded(job.link);
    }
  }

  #complain(text: string, { window, occurrence }: Pick<Opening, 'window' | 'occurrence'>): void {
    this.#tools.voice.note('error', text, { window, occurrence });
    this.#events.onMissed(window, occurrence, text);
  }
}
