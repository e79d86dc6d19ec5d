/**
 * What a console prints, as a person would see it: control sequences carried out or forgotten, lines bounded.
 * Only as much of a terminal as switches use: carriage return, backspace, erase to the end of the line, cursor left and
 * right, `ESC E` for a new line. Sequences that place the cursor anywhere are forgotten.
 */

/** Most characters kept of one line. */
export const MAX_COLUMNS = 1024;
/** Most lines kept; older ones are forgotten. */
export const MAX_LINES = 4000;
/** Most parameters bytes of a control sequence; a longer one is not a control sequence. */
const MAX_SEQUENCE = 32;

const ESCAPE = 0x1b;
const BELL = 0x07;
const BACKSPACE = 0x08;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const FIRST_PRINTABLE = 0x20;
const DELETE = 0x7f;
const LAST_BYTE = 0xff;

type Reading = 'text' | 'escape' | 'sequence' | 'title' | 'skip';

/** The screen of one console. */
export class Screen {
  #done: string[] = [];
  #forgotten = 0;
  #line: string[] = [];
  #column = 0;
  #reading: Reading = 'text';
  #sequence = '';

  /** Lines completed so far, forgotten ones included: a place in the text. */
  get count(): number {
    return this.#forgotten + this.#done.length;
  }

  /** The line that is not completed: where a prompt stands. */
  get current(): string {
    return this.#line.join('');
  }

  /** Completed lines from place `from` on. */
  since(from: number): readonly string[] {
    return this.#done.slice(Math.max(0, from - this.#forgotten));
  }

  /** Takes what was printed. */
  take(bytes: Uint8Array): void {
    for (const byte of bytes) this.#byte(byte);
  }

  /** Forgets everything, as on a fresh wire. */
  clear(): void {
    this.#forgotten = this.count;
    this.#done = [];
    this.#blank();
    this.#reading = 'text';
  }

  #byte(byte: number): void {
    switch (this.#reading) {
      case 'text':
        this.#text(byte);
        return;
      case 'escape':
        this.#escape(String.fromCodePoint(byte));
        return;
      case 'sequence':
        this.#inSequence(byte);
        return;
      case 'title':
        if (byte === BELL || byte === ESCAPE) this.#reading = byte === BELL ? 'text' : 'skip';
        return;
      case 'skip':
        this.#reading = 'text';
        return;
    }
  }

  #text(byte: number): void {
    if (byte === ESCAPE) this.#reading = 'escape';
    else if (byte === LINE_FEED) this.#newLine();
    else if (byte === CARRIAGE_RETURN) this.#column = 0;
    else if (byte === BACKSPACE) this.#column = Math.max(0, this.#column - 1);
    else if (byte === TAB) this.#put(' ');
    else if (byte >= FIRST_PRINTABLE && byte !== DELETE && byte !== LAST_BYTE)
      this.#put(String.fromCodePoint(byte));
  }

  #escape(character: string): void {
    this.#reading = 'text';
    if (character === '[') {
      this.#reading = 'sequence';
      this.#sequence = '';
    } else if (character === ']') this.#reading = 'title';
    else if (character === '(' || character === ')') this.#reading = 'skip';
    else if (character === 'E') this.#newLine();
  }

  #inSequence(byte: number): void {
    const character = String.fromCodePoint(byte);
    if (byte < 0x40 && this.#sequence.length < MAX_SEQUENCE) {
      this.#sequence += character;
      return;
    }
    this.#reading = 'text';
    const count = Number.parseInt(this.#sequence, 10) || 0;
    const times = Math.min(Math.max(1, count), MAX_COLUMNS);
    if (character === 'K') this.#erase(count);
    else if (character === 'D') this.#column = Math.max(0, this.#column - times);
    else if (character === 'C') this.#column = Math.min(MAX_COLUMNS, this.#column + times);
  }

  #erase(what: number): void {
    if (what === 0) this.#line.length = Math.min(this.#line.length, this.#column);
    else if (what === 2) this.#line = [];
  }

  #put(character: string): void {
    if (this.#column >= MAX_COLUMNS) return;
    while (this.#line.length < this.#column) this.#line.push(' ');
    this.#line[this.#column] = character;
    this.#column += 1;
  }

  #newLine(): void {
    this.#done.push(this.current);
    this.#blank();
    // Forgotten by halves, so that a console that never stops talking costs nothing much.
    if (this.#done.length <= MAX_LINES) return;
    const kept = Math.floor(MAX_LINES / 2);
    this.#forgotten += this.#done.length - kept;
    this.#done = this.#done.slice(-kept);
  }

  #blank(): void {
    this.#line = [];
    this.#column = 0;
  }
}
