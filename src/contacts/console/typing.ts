import type { Millis } from '../../core/time.ts';
import type { CursorReader, CursorSays, Question } from './cursor.ts';
import type { ConsoleDevice } from './fields.ts';
import type { Screen } from './screen.ts';
import { errorIn, quoted } from './printed.ts';
import type { Mode } from './script.ts';

/** Most questions answered while one line is carried out: a pager that was not to be had off, and its like. */
export const MAX_QUESTIONS = 100;

/** How typed lines ended. `printed`: everything after the echo of the first, without the prompt. */
export type TypedEnd =
  | {
      readonly kind: 'answered';
      readonly at: Mode['at'];
      readonly printed: readonly string[];
      /** What refused them, for people; `null` when nothing did, which proves nothing. */
      readonly error: string | null;
      readonly askedAt: Millis;
      readonly answeredAt: Millis;
    }
  | { readonly kind: 'lost'; readonly why: string };

/** What a look at the screen during typed lines asks for. */
export type TypedLook =
  | { readonly kind: 'wait' }
  | { readonly kind: 'answer'; readonly question: Question }
  | { readonly kind: 'nudge' }
  | {
      readonly kind: 'done';
      readonly at: Mode['at'];
      readonly printed: readonly string[];
      readonly error: string | null;
    }
  | { readonly kind: 'broken'; readonly why: string };

/**
 * Judges what is printed after lines were typed. They are done when every one of them was echoed, in order, and a prompt
 * stands after that: a prompt alone may be an old one, and a log line may come between and leave none.
 */
export class Typing {
  readonly #screen: Screen;
  readonly #cursor: CursorReader;
  readonly #device: ConsoleDevice;
  readonly #lines: readonly string[];
  readonly #from: number;
  /** Prompts that stood in silence before: seen again they need no second silence. */
  readonly #familiar: ReadonlySet<string>;
  #questions = 0;
  #answeredAt = -1;
  #nudged = false;

  constructor(parts: {
    readonly screen: Screen;
    readonly cursor: CursorReader;
    readonly device: ConsoleDevice;
    readonly lines: readonly string[];
    readonly familiar: ReadonlySet<string>;
  }) {
    this.#screen = parts.screen;
    this.#cursor = parts.cursor;
    this.#device = parts.device;
    this.#lines = parts.lines;
    this.#familiar = parts.familiar;
    this.#from = parts.screen.count;
  }

  /** Looks once. `quietMs`: how long nothing has come. */
  look(quietMs: number): TypedLook {
    const quiet = quietMs > 0;
    const printed = this.#screen.since(this.#from);
    const echoed = lastEcho(printed, this.#lines);
    if (echoed === null) return quiet ? this.#beforeEcho() : { kind: 'wait' };
    const line = this.#screen.current;
    const certain = quiet || (this.#lines.length === 1 && this.#familiar.has(line));
    if (!certain) return { kind: 'wait' };
    const says = this.#cursor.says(line);
    if (says.kind === 'mode') {
      const after = printed.slice(echoed.first + 1);
      const error = errorIn(this.#device, after);
      return { kind: 'done', at: says.at, printed: after, error: error === null ? null : quoted(error) };
    }
    if (
      says.kind === 'nothing' &&
      line.trim() === '' &&
      !this.#nudged &&
      quietMs >= this.#device.timings.wake_ms
    ) {
      // A log line came after the prompt and left none. An empty line shows it again, and answers no question.
      this.#nudged = true;
      return { kind: 'nudge' };
    }
    return this.#waitingFor(says);
  }

  /** A question may come before the last echo, when several lines were typed at once. */
  #beforeEcho(): TypedLook {
    const says = this.#cursor.says(this.#screen.current);
    return says.kind === 'mode' ? { kind: 'wait' } : this.#waitingFor(says);
  }

  #waitingFor(says: CursorSays): TypedLook {
    switch (says.kind) {
      case 'mode':
      case 'nothing':
        return { kind: 'wait' };
      case 'username':
      case 'password':
        return { kind: 'broken', why: 'the switch asks who is there: the session has ended' };
      case 'question': {
        const { kind } = says.question;
        if (kind === 'wake' || kind === 'setup' || kind === 'logout')
          return { kind: 'broken', why: 'the session has ended' };
        const place = this.#screen.count;
        if (this.#answeredAt === place) return { kind: 'wait' };
        this.#answeredAt = place;
        this.#questions += 1;
        if (this.#questions > MAX_QUESTIONS) return { kind: 'broken', why: 'the switch never stops asking' };
        return { kind: 'answer', question: says.question };
      }
    }
  }
}

/** The places of the first and the last echo, when every line was echoed in order. */
function lastEcho(
  printed: readonly string[],
  lines: readonly string[],
): { readonly first: number; readonly last: number } | null {
  let first = -1;
  let place = 0;
  for (const line of lines) {
    const found = printed.findIndex(
      (each, index) => index >= place && each.trimEnd().endsWith(line.trimEnd()),
    );
    if (found === -1) return null;
    if (first === -1) first = found;
    place = found + 1;
  }
  return { first, last: place - 1 };
}
