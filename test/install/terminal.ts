/** A person at a terminal: a pseudo-terminal of util-linux's `script`, what stands on it, and keys that are pressed. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { eventually } from '../faults/child.ts';

export const CTRL_C = '\u0003';
export const CTRL_D = '\u0004';

export class Terminal {
  /** As it came, with control characters. */
  raw = '';
  readonly ended: Promise<number | null>;
  readonly #process: ChildProcessWithoutNullStreams;
  #seen = 0;

  /** Runs a line of the shell; what it needs of paths comes in its environment. */
  constructor(line: string, env: Readonly<Record<string, string>>) {
    this.#process = spawn('script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], {
      env: { ...process.env, ...env, TERM: 'xterm', LC_ALL: 'C.UTF-8' },
    });
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.raw += text;
    });
    this.ended = new Promise((resolve) => {
      this.#process.once('close', (code) => resolve(code));
    });
  }

  /** What a person reads. */
  get text(): string {
    return stripVTControlCharacters(this.raw).replaceAll('\r', '');
  }

  /** Waits for words that were not there when the last ones were found. */
  async reads(words: string): Promise<void> {
    await eventually(`"${words}" on the terminal, where stands: ${this.text.slice(-600)}`, () => {
      const at = this.text.indexOf(words, this.#seen);
      if (at >= 0) this.#seen = at + words.length;
      return at >= 0;
    });
  }

  /** Waits for a question, and its proposal after it; then presses the keys. */
  async answers(question: string, keys: string): Promise<void> {
    await this.reads(question);
    await this.reads('] ');
    this.#process.stdin.write(keys);
  }
}
