/** What printed lines mean: pure. What a switch says in two ways means nothing. */
import type { ConsoleDevice, StateReading } from './fields.ts';
import { anyMatches, comparable, pattern, type Pattern } from './pattern.ts';

/** Most characters of the switch's own words in a message. */
const MAX_QUOTED = 80;

/** What a switch says of one port. `absent`: that there is none of this name. */
export type StateRead =
  | { readonly kind: 'isolated'; readonly line: string }
  | { readonly kind: 'connected'; readonly line: string }
  | { readonly kind: 'absent'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** Words of the switch for people: printable, bounded. */
export function quoted(line: string): string {
  const plain = comparable(line).replaceAll(/[^\u0020-\u007E]/g, '?');
  return `"${plain.length > MAX_QUOTED ? `${plain.slice(0, MAX_QUOTED)}…` : plain}"`;
}

const ready = (patterns: readonly string[], port: string): readonly Pattern[] =>
  patterns.map((each) => pattern(each, port));

/** What the lines printed by a reading say of the port. */
export function stateRead(reading: StateReading, port: string, lines: readonly string[]): StateRead {
  const gone = ready(reading.absent, port);
  const denial = lines.find((line) => anyMatches(gone, line));
  if (denial !== undefined) return { kind: 'absent', why: `the switch has no such port: ${quoted(denial)}` };
  const rules = reading.rules.map(({ line, means }) => ({ like: pattern(line, port), means }));
  const said = lines.flatMap((line) => {
    const rule = rules.find(({ like }) => like.matches(line));
    return rule === undefined ? [] : [{ means: rule.means, line }];
  });
  const [first] = said;
  if (first === undefined) {
    return { kind: 'unknown', why: 'what the switch printed says nothing about this port' };
  }
  const other = said.find(({ means }) => means !== first.means);
  if (other !== undefined) {
    return { kind: 'unknown', why: `the switch says both ${quoted(first.line)} and ${quoted(other.line)}` };
  }
  const missing = ready(reading.exists, port).find((each) => !lines.some((line) => each.matches(line)));
  if (missing !== undefined) {
    return {
      kind: 'absent',
      why: `nothing shows that the port exists: no line like ${quoted(missing.source)}`,
    };
  }
  return { kind: first.means, line: first.line };
}

/** What the stored configuration says of the port. */
export function storedRead(
  stored: NonNullable<ConsoleDevice['stored']>,
  port: string,
  lines: readonly string[],
): StateRead {
  const begins = pattern(stored.from, port);
  const start = lines.findIndex((line) => begins.matches(line));
  if (start === -1) return { kind: 'absent', why: 'the stored configuration does not mention the port' };
  const ends = ready(stored.until, port);
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => anyMatches(ends, line));
  const shut = ready(stored.isolated, port);
  const section = end === -1 ? rest : rest.slice(0, end);
  const line = section.find((each) => anyMatches(shut, each));
  return line === undefined
    ? { kind: 'connected', line: 'no line of its section shuts it' }
    : { kind: 'isolated', line };
}

/** The first line that refuses what was typed, or `null`. */
export function errorIn(device: ConsoleDevice, lines: readonly string[]): string | null {
  const errors = device.errors.map((each) => pattern(each));
  return lines.find((line) => anyMatches(errors, line)) ?? null;
}
