/** Values of reports for people. Text from outside is escaped and bounded. */
import { printable } from '../../sources/excerpt.ts';
import { formatBytes } from '../voice.ts';

const MOST_CHARS = 2_000;
/** A duration longer than this is told in minutes, ms. */
const LONG_MS = 120_000;
const VERY_LONG_MS = 2 * 3_600_000;

/** One line of harmless text. */
export const said = (text: string): string => printable(text, MOST_CHARS);

/** `0.41 ms`, `850 ms`, `12.3 s`, `14 min 5 s`, `3 h 2 min`. */
export function spell(ms: number): string {
  if (ms > 0 && ms < 10) return `${Number(ms.toFixed(2))} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < LONG_MS) return `${Number((ms / 1_000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (ms < VERY_LONG_MS) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `2026-11-03 02:30:00 UTC`; what is no such time is shown as it is. */
export const moment = (at: string): string => {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(at) ?? [];
  return day === undefined ? said(at) : `${day} ${time} UTC`;
};

/** `free_space_bytes` → `free space`. The unit is told with the value. */
export const label = (key: string): string => {
  const words = key.replace(/_(?:ms|seconds|bytes|at)$/, '').replaceAll('_', ' ');
  return said(words === '' ? key : words);
};

const BYTES = /(?:^|_)bytes(?:_|$)/;

/** A single value by the name of its key: durations, sizes and times in words. Null for what is no single value. */
export function figure(key: string, value: unknown): string | null {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string')
    return value === '' ? '(empty)' : /_at$|^at$/.test(key) ? moment(value) : said(value);
  if (typeof value !== 'number') return null;
  if (key.endsWith('_ms')) return spell(value);
  if (key.endsWith('_seconds')) return spell(value * 1_000);
  if (BYTES.test(key)) return formatBytes(value);
  return String(value);
}
