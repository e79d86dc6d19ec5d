import type { Attention, Look } from './attention.ts';
import type { CursorReader, CursorSays } from './cursor.ts';
import type { ConsoleDevice } from './fields.ts';
import type { HandsOff } from './hands-off.ts';
import type { Screen } from './screen.ts';
import { anyMatches, pattern, type Pattern } from './pattern.ts';

/** What a conversation needs of a session. */
export interface Terminal {
  /** Ends the session when it cannot. */
  readonly write: (bytes: Uint8Array) => void;
  /** ms for which nothing may be typed. */
  readonly handsOffMs: () => number;
  readonly lines: (from: number) => readonly string[];
  /** Lines completed so far. */
  readonly count: () => number;
  /** Pieces of input so far. */
  readonly inputs: () => number;
  readonly cursor: () => CursorSays;
  readonly line: () => string;
  /** `null`: it did not happen. Never settles when the wire is gone. */
  readonly wait: <T>(look: Look<T>, limitMs: number) => Promise<T | null>;
}

/** The terminal of a session whose parts these are. */
export function terminalOn(parts: {
  readonly write: (bytes: Uint8Array) => void;
  readonly inputs: () => number;
  /** False once the wire is gone. */
  readonly present: () => boolean;
  readonly handsOff: HandsOff;
  readonly screen: Screen;
  readonly cursor: CursorReader;
  readonly attention: Attention;
}): Terminal {
  const { screen, cursor, attention } = parts;
  return {
    write: parts.write,
    inputs: parts.inputs,
    handsOffMs: () => parts.handsOff.leftMs,
    lines: (from) => screen.since(from),
    count: () => screen.count,
    cursor: () => cursor.says(screen.current),
    line: () => screen.current,
    wait: (look, limitMs) =>
      new Promise((resolve) => {
        if (parts.present()) attention.wait(look, limitMs, resolve, () => resolve(null));
      }),
  };
}

/** Types or presses something and sees what the cursor waits for afterwards. */
export class Conversation {
  readonly terminal: Terminal;
  readonly #refused: readonly Pattern[];
  #from: number;
  /** A line that refuses a login was printed. */
  wasRefused = false;

  constructor(terminal: Terminal, device: ConsoleDevice) {
    this.terminal = terminal;
    this.#refused = device.login.refused.map((each) => pattern(each));
    this.#from = terminal.count();
  }

  /** What the cursor waits for after `bytes`; only what is printed from now on counts. */
  send(bytes: Uint8Array, limitMs: number): Promise<CursorSays> {
    this.#from = this.terminal.count();
    const inputs = this.terminal.inputs();
    this.terminal.write(bytes);
    return this.cursor(limitMs, inputs);
  }

  /** What the cursor waits for when it has been quiet; after more than `inputs` pieces of input. */
  async cursor(limitMs: number, inputs = -1): Promise<CursorSays> {
    const look = (quietMs: number): CursorSays | null => {
      if (quietMs === 0 || this.terminal.inputs() <= inputs) return null;
      if (this.terminal.lines(this.#from).some((line) => anyMatches(this.#refused, line)))
        this.wasRefused = true;
      const says = this.terminal.cursor();
      return says.kind === 'nothing' ? null : says;
    };
    return (await this.terminal.wait(look, limitMs)) ?? { kind: 'nothing' };
  }
}
