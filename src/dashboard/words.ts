/** Numbers and times as people read them. All times are ms; calendar times are RFC 3339 text of the box. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Characters of a text from outside that are shown; the rest is cut with an ellipsis. */
export const TEXT_LIMIT = 300;

/** Text of others on one line and no longer than `limit`: control characters and direction marks show as a dot. */
export function bounded(text: string, limit: number = TEXT_LIMIT): string {
  const whole = Array.from(text.slice(0, limit * 2 + 2), (char) =>
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(char) ? '·' : char,
  );
  return whole.length > limit ? `${whole.slice(0, limit - 1).join('')}…` : whole.join('');
}

/** `4.2 s`, `12 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`: two units at most. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown';
  const rest = Math.max(0, ms);
  if (rest < 1) return '0 s';
  if (rest < SECOND) return `${rest < 10 ? rest.toFixed(1) : Math.round(rest)} ms`;
  if (rest < 10 * SECOND) return `${(Math.floor(rest / 100) / 10).toFixed(1)} s`;
  if (rest < MINUTE) return `${Math.floor(rest / SECOND)} s`;
  if (rest < HOUR) return pair(rest, MINUTE, 'min', SECOND, 's');
  if (rest < DAY) return pair(rest, HOUR, 'h', MINUTE, 'min');
  return pair(rest, DAY, 'd', HOUR, 'h');
}

/** How fast something was cut: `3.4 ms`, `less than 1 ms`. */
export const swift = (ms: number): string => (ms < 1 ? 'less than 1 ms' : duration(ms));

function pair(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const few = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName}${few === 0 ? '' : ` ${few} ${smallName}`}`;
}

/** Like `duration`, for something that ticks: whole seconds. */
export const ticking = (ms: number): string =>
  ms < 10 * SECOND ? `${Math.max(0, Math.floor(ms / SECOND))} s` : duration(ms);

/** A running timer: `00:12:33`, or `3 d 04:12:33`. */
export function timer(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const days = Math.floor(seconds / 86_400);
  return days === 0 ? clock : `${days} d ${clock}`;
}

/** The age of a reading in tenths while it is young. `null`: there is none yet. */
export function age(ms: number | null): string {
  if (ms === null) return 'not read yet';
  return ms < 950 ? `${(Math.max(0, ms) / SECOND).toFixed(1)} s ago` : `${ticking(ms)} ago`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `12.3 MB`; powers of 1000. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

const number = new Intl.NumberFormat('en-GB');
/** `12,345`. */
export const count = (value: number): string => number.format(value);

/** `1 trip`, `2 trips`. */
export const many = (amount: number, what: string): string =>
  `${count(amount)} ${what}${amount === 1 ? '' : 's'}`;

const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const clockSeconds = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** `today 02:47`, `yesterday 02:47`, `Tue 3 Nov 02:47`, `3 Nov 2025 02:47`, in the zone of the reader. */
export function moment(at: string, nowMs: number, seconds = false): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return bounded(at, 40);
  return `${dayWord(time, new Date(nowMs))} ${(seconds ? clockSeconds : clock).format(time)}`;
}

function dayWord(time: Date, now: Date): string {
  const days = Math.round((midnight(time) - midnight(now)) / DAY);
  if (days === 0) return 'today';
  if (days === -1) return 'yesterday';
  if (days === 1) return 'tomorrow';
  return Math.abs(days) < 180 ? day.format(time) : dayOfYear.format(time);
}

const midnight = (time: Date): number => Date.UTC(time.getFullYear(), time.getMonth(), time.getDate());

/** Who did it, as a person says it: `the source alertmanager`, `ada`, `the button`, `a fault (lease-lost)`. */
export function actor(by: string): string {
  const [kind = '', ...rest] = bounded(by, 120).split(':');
  const name = rest.join(':');
  if (kind === 'button') return 'the button on the box';
  if (name === '') return kind;
  if (kind === 'source') return `the source ${name}`;
  if (kind === 'person') return name;
  if (kind === 'fault') return `a fault (${name})`;
  return `${kind} ${name}`;
}
