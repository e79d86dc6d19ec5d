/** How the controller tells people what it does: one updating line on a terminal, quiet log lines elsewhere. */
import type { Logger } from 'pino';
import { printable } from '../sources/excerpt.ts';

export type Phase = 'prepare' | 'lease' | 'connect' | 'settle' | 'reach' | 'work' | 'leave' | 'after';

/** Where a window is. Sizes in bytes; totals grow while restic still scans. */
export interface WindowProgress {
  readonly window: string;
  readonly link: string;
  readonly occurrence: string;
  readonly phase: Phase;
  readonly step: {
    readonly number: number;
    readonly of: number;
    readonly name: string;
    readonly repository: string;
  } | null;
  readonly files_done: number;
  /** What restic reads now. */
  readonly current_files: readonly string[];
  readonly files_total: number;
  readonly bytes_done: number;
  readonly bytes_total: number;
}

export type Level = 'info' | 'warn' | 'error';

/** Texts are sentences; fields are for machines. Neither method throws or waits. */
export interface Voice {
  note(level: Level, text: string, fields?: Readonly<Record<string, unknown>>): void;
  /** `null`: no window is running any more. */
  progress(progress: WindowProgress | null): void;
}

/** Log lines; progress is not logged, only each change of phase or step. */
export function logVoice(logger: Logger): Voice {
  let last = '';
  return {
    note: (level, text, fields = {}) => logger[level](fields, text),
    progress(progress) {
      const now = progress === null ? '' : `${progress.phase} ${progress.step?.number ?? ''}`;
      if (progress !== null && now !== last) {
        const { window, occurrence, phase, step } = progress;
        logger.info(
          {
            window,
            occurrence,
            phase,
            ...(step === null ? {} : { step: step.name, repository: step.repository }),
          },
          'window',
        );
      }
      last = now;
    },
  };
}

const REDRAW_MS = 100;
const LINE_LIMIT = 200;
/** To the first column, and clear to the end of the line. */
const CLEAR = '\r\u001b[K';

/** One line that is drawn over while a window runs, and a line per note. */
export function terminalVoice(terminal: NodeJS.WriteStream): Voice {
  let line = '';
  let drawnAtMs = 0;
  let drawn = '';
  const draw = (): void => {
    drawnAtMs = performance.now();
    drawn = line;
    terminal.write(`${CLEAR}${line.slice(0, (terminal.columns || 80) - 1)}`);
  };
  return {
    note(level, text, fields = {}) {
      const said = Object.entries(fields).map(
        ([name, value]) => `${name}=${printable(String(value), LINE_LIMIT)}`,
      );
      terminal.write(
        `${CLEAR}${[level === 'info' ? '' : `${level}: `, text].join('')}${said.length === 0 ? '' : `  (${said.join(' ')})`}\n`,
      );
      if (line !== '') draw();
    },
    progress(progress) {
      const before = line;
      line = progress === null ? '' : lineOf(progress);
      // A new phase is drawn at once; numbers only as often as an eye can follow.
      const isNew = line.split(':', 1)[0] !== before.split(':', 1)[0];
      if (line !== drawn && (isNew || performance.now() - drawnAtMs >= REDRAW_MS)) draw();
    },
  };
}

function lineOf(progress: WindowProgress): string {
  const { window, phase, step } = progress;
  if (step === null) return `window ${window}, ${phase}`;
  const share =
    progress.bytes_total === 0
      ? ''
      : `: ${Math.floor((100 * progress.bytes_done) / progress.bytes_total)} %, ${formatBytes(progress.bytes_done)} of ${formatBytes(progress.bytes_total)}, ${progress.files_done} of ${progress.files_total} files`;
  return `window ${window}, step ${step.number} of ${step.of}, ${`${step.name} ${step.repository}`.trim()}${share}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes for people: `12.3 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}
