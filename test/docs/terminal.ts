/** A terminal in which a test types what a page says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { eventually } from '../faults/child.ts';

/** A command ends within this, ms. */
const WITHIN_MS = 60_000;

/** What a command came to. */
export interface Said {
  readonly code: number;
  readonly said: string;
}

/** One shell: what is exported, and where it went, stays. */
export class Terminal {
  readonly #shell: ChildProcess;
  #said = '';
  #count = 0;

  constructor(env: NodeJS.ProcessEnv, cwd?: string) {
    this.#shell = spawn('bash', ['--noprofile', '--norc'], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.#shell.stdout, this.#shell.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
  }

  /** Runs one command to its end; what it said. */
  async run(line: string): Promise<Said> {
    this.#count += 1;
    const mark = `end of command ${this.#count}:`;
    const from = this.#said.length;
    this.#shell.stdin?.write(`${line}\necho "${mark} $?"\n`);
    const end = new RegExp(`${mark} (\\d+)\\n`);
    const [, code] = await eventually(`the end of: ${line}`, () => end.exec(this.#said), WITHIN_MS).catch(
      (error: unknown) => {
        throw new Error(`${line} does not end; it said ${this.#said.slice(from)}`, { cause: error });
      },
    );
    return { code: Number(code), said: this.#said.slice(from).replace(end, '') };
  }

  end(): void {
    this.#shell.kill('SIGKILL');
  }
}

/** Names of a page, and what they are here. */
export type Names = readonly (readonly [shown: string, here: string])[];

/** Names of the page become those of here, each once: what was put in is not looked at again. The longest counts. */
export function here(line: string, names: Names): string {
  const longest = names.toSorted(([a], [b]) => b.length - a.length);
  const all = new RegExp(
    longest.map(([name]) => name.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|'),
    'g',
  );
  return names.length === 0
    ? line
    : line.replaceAll(all, (name) => longest.find(([each]) => each === name)?.[1] ?? name);
}
