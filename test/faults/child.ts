/** A process that a test has started, and what it said. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Polls `look` until it gives something; fails with `what` after `timeoutMs`; a function says it as it is then. */
export async function eventually<T>(
  what: string | (() => string),
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  timeoutMs = 25_000,
): Promise<T> {
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- polling
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > endsAt)
      throw new Error(`waited ${timeoutMs} ms in vain for: ${typeof what === 'string' ? what : what()}`);
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** One process. Its output is kept whole. */
export class Child {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<Ended>;
  ended: Ended | null = null;
  stdout = '';
  stderr = '';
  readonly #process: ChildProcess;
  readonly #listeners: ((line: string) => void)[] = [];

  constructor(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.name = name;
    this.#process = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    if (this.#process.pid === undefined) throw new Error(`${name} (${command}) did not start`);
    this.pid = this.#process.pid;
    let pending = '';
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      pending += text;
      for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
        const line = pending.slice(0, end);
        pending = pending.slice(end + 1);
        for (const listener of this.#listeners) listener(line);
      }
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve) => {
      // 'close', not 'exit': by then its last words have been read.
      this.#process.once('close', (code, signal) => {
        this.ended = { code, signal };
        resolve(this.ended);
      });
    });
  }

  /** Calls `listener` with each line of standard output from now on. */
  onLine(listener: (line: string) => void): void {
    this.#listeners.push(listener);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** SIGKILL, also when it is stopped; resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** Everything it said, for messages. */
  words(): string {
    return `${this.name} said:\n${this.stdout.slice(-2_000)}\n${this.stderr.slice(-4_000)}`;
  }
}

/** Process ids whose environment held `variable` (`NAME=value`) at their start; zombies are gone already. */
export function processesWith(variable: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => procFile(pid, 'environ').split('\0').includes(variable) && isAlive(pid));
}

/** False for a process that is gone or a zombie. */
export function isAlive(pid: number): boolean {
  const stat = procFile(pid, 'stat');
  return stat !== '' && stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}

/** Name of the program that a process runs. */
export const programOf = (pid: number): string => procFile(pid, 'comm').trim();

function procFile(pid: number, name: string): string {
  const path = `/proc/${pid}/${name}`;
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  } catch {
    return ''; // it ended meanwhile
  }
}
