/** Which openings are taken up, and that one link runs one window at a time. */
import type { Config } from '../config/schema.ts';
import type { TripRecord } from '../protocol/messages.ts';
import type { Cut } from './cut.ts';
import type { WindowReport } from './report.ts';
import { jobOf } from './window-job.ts';
import type { Opening, WindowJob } from './window-job.ts';
import { runSwitches, runWindow } from './window-run.ts';
import type { RunSwitches, WindowTools } from './window-run.ts';

/** ms that restic has to say goodbye when this program is told to stop. */
const STOP_GRACE_MS = 5_000;

export interface Windows {
  /** Takes an opening up, unless it was run before or is running. Called again for the same opening after a reconnect. */
  opened(opening: Opening): void;
  /** The interlock says that the window is over. */
  closed(window: string, occurrence: string, why: string): void;
  tripped(link: string, trip: TripRecord): void;
  /** Lets restic stop, gives the leases back. Resolves when nothing runs any more. */
  stop(): Promise<void>;
}

interface Run {
  readonly job: WindowJob;
  readonly switches: RunSwitches;
  readonly finished: Promise<void>;
}

/** What comes of runs. */
export interface RunEvents {
  readonly onReport: (report: WindowReport) => void;
  /** Nothing runs on this link any more. */
  readonly onEnded: (link: string) => void;
  /** A broken invariant. The program must end: its death isolates. */
  readonly onCrash: (error: unknown) => void;
}

/** Runs openings, begun by the events of the interlock. */
export function windowsOf(
  config: Config,
  tools: WindowTools,
  { onReport, onEnded, onCrash }: RunEvents,
): Windows {
  const runs = new Map<string, Run>();
  const lastOfLink = new Map<string, Promise<void>>();
  let isStopping = false;
  const keyOf = (window: string, occurrence: string): string => `${window} ${occurrence}`;
  const { voice } = tools;

  const perform = async (job: WindowJob, switches: RunSwitches, after: Promise<void>): Promise<void> => {
    const openedAtMs = performance.now();
    await after;
    if (switches.cut.reason() !== null || switches.wrapUp.reason() !== null) {
      voice.note('warn', 'a window ended before its turn came', {
        window: job.window,
        occurrence: job.occurrence,
      });
      return;
    }
    try {
      onReport(
        await runWindow(
          { ...job, endsInMs: job.endsInMs - (performance.now() - openedAtMs) },
          tools,
          switches,
        ),
      );
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (typeof code !== 'string') throw error;
      voice.note(
        'error',
        'a window could not be recorded: see whether the state directory of the controller is full or read-only',
        {
          window: job.window,
          occurrence: job.occurrence,
          why: message,
        },
      );
    } finally {
      voice.progress(null);
      onEnded(job.link);
    }
  };

  const begin = (job: WindowJob): void => {
    const key = keyOf(job.window, job.occurrence);
    const switches = runSwitches();
    const finished = perform(job, switches, lastOfLink.get(job.link) ?? Promise.resolve())
      .catch(onCrash)
      .finally(() => runs.delete(key));
    lastOfLink.set(job.link, finished);
    runs.set(key, { job, switches, finished });
  };

  return {
    opened(opening) {
      const { window, occurrence } = opening;
      if (isStopping || runs.has(keyOf(window, occurrence))) return;
      const turn = tools.ledger.turnOf(window, occurrence);
      switch (turn) {
        case 'run-before':
          return;
        case 'given-up':
          voice.note('error', 'this opening ended the controller twice and is given up', {
            window,
            occurrence,
          });
          return;
        case 'run':
        case 'resume': {
          const job = jobOf(config, opening, turn === 'resume');
          if (job !== null) return begin(job);
          voice.note(
            'error',
            'the interlock began a window that is not in this configuration: restart both with the same file',
            {
              window,
              occurrence,
            },
          );
        }
      }
    },
    closed(window, occurrence, why) {
      runs
        .get(keyOf(window, occurrence))
        ?.switches.cut.throw({ code: 'window-closed', why: `the interlock ended the window: ${why}` });
    },
    tripped(link, trip) {
      const cut: Cut = { code: 'tripped', why: `tripped by ${trip.by}: ${trip.reason}`, trip };
      for (const run of runs.values()) if (run.job.link === link) run.switches.cut.throw(cut);
    },
    async stop() {
      isStopping = true;
      const why: Cut = { code: 'controller-stopping', why: 'the controller was told to stop' };
      const running = [...runs.values()];
      for (const run of running) run.switches.wrapUp.throw(why);
      const kill = setTimeout(() => {
        for (const run of running) run.switches.cut.throw(why);
      }, STOP_GRACE_MS);
      await Promise.all(running.map((run) => run.finished));
      clearTimeout(kill);
    },
  };
}
