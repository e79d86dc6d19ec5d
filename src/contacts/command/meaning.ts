/** What the end of a command means. Pure. */
import type { Ended } from './process.ts';

/** Exit codes and lines that mean one thing. All that is said must hold. */
export interface Sign {
  readonly exit: readonly number[];
  /** Some line of stdout matches. */
  readonly some_line?: string | undefined;
  /** No line of stdout matches. */
  readonly no_line?: string | undefined;
}

/** Longest part of a line that is looked at. */
export const MAX_LINE = 400;
/** Most lines that are looked at. */
export const MAX_LINES = 1000;
const MAX_SHOWN = 100;

/** Whether an ended command bears a sign. */
export function bears(ended: Ended, sign: Sign): boolean {
  if (ended.kind !== 'exited' || !sign.exit.includes(ended.code)) return false;
  const lines = linesOf(ended.stdout);
  if (lines === null) return false;
  const matches = (pattern: string): boolean => {
    const expression = new RegExp(pattern, 'u');
    return lines.some((line) => expression.test(line));
  };
  if (sign.some_line !== undefined && !matches(sign.some_line)) return false;
  return sign.no_line === undefined || !matches(sign.no_line);
}

/** The lines of an output; `null`: too many or too long to be what a sign was written for. */
function linesOf(text: string): readonly string[] | null {
  const lines = text.split(/\r?\n/);
  return lines.length > MAX_LINES || lines.some((line) => line.length > MAX_LINE) ? null : lines;
}

/** How a command ended, for people. */
export function endText(ended: Ended): string {
  switch (ended.kind) {
    case 'exited': {
      const said = ended.stderr.trim() === '' ? ended.stdout : ended.stderr;
      const line = said.trim().split('\n').at(-1)?.trim() ?? '';
      const shown =
        line === '' ? 'and printed nothing' : `and printed ${JSON.stringify(line.slice(0, MAX_SHOWN))}`;
      return `it exited with ${ended.code} ${shown}`;
    }
    case 'not-started':
    case 'lost':
      return ended.why;
  }
}
