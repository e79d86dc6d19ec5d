/** Measures one process from outside (the kernel's own figures) and from inside (what is left after garbage collection). */
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { type Child, eventually } from '../faults/child.ts';
import type { Told } from './inside.ts';

/** Figures of one process at one moment. Bytes, counts. */
export interface Reading {
  readonly heap: number;
  readonly code: number;
  readonly committed: number;
  readonly external: number;
  readonly resident: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly children: number;
  /** Printed so far. */
  readonly log: number;
}

/** Names of the figures in which a leak shows. */
export const LEAKING = ['heap', 'external', 'resident', 'descriptors', 'threads', 'children'] as const;

/** A process under measurement. It writes what it says of itself to `file`. */
export class Gauge {
  readonly #child: Child;
  readonly #file: string;
  #number = 0;

  constructor(child: Child, file: string) {
    this.#child = child;
    this.#file = file;
  }

  async read(): Promise<Reading> {
    this.#number += 1;
    this.#child.signal('SIGUSR2');
    const told = await eventually(
      `${this.#child.name} to say how much it holds; ${this.#child.words()}`,
      () => {
        const said = this.#told();
        return said?.number === this.#number ? said : null;
      },
    );
    const { pid, stdout, stderr } = this.#child;
    const { heap, code, committed, external } = told;
    return {
      heap,
      code,
      committed,
      external,
      resident: residentOf(pid),
      descriptors: descriptorsOf(pid).length,
      threads: readdirSync(`/proc/${pid}/task`).length,
      children: readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).length,
      log: Buffer.byteLength(stdout) + Buffer.byteLength(stderr),
    };
  }

  /** Before another process writes there. */
  end(): void {
    rmSync(this.#file, { force: true });
  }

  #told(): Told | null {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as Told;
    } catch {
      return null; // not yet
    }
  }
}

/** What the descriptors of a process lead to. */
export function descriptorsOf(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
}

function residentOf(pid: number): number {
  const kB = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kB ?? Number.NaN) * 1_024;
}
