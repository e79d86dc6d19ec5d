/** The demo as a newcomer meets it: `bin/demo`, and the commands of the README from another terminal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../faults/child.ts';
import { environment, placeProgram } from './box.ts';
import { elsewhere, goesOn, type Place, type Story, typed } from './rows.ts';
import { type Names, Terminal } from './terminal.ts';

const READY = 'Waiting for the next window';

export class Tour implements Place {
  readonly terminal: Terminal;
  readonly demo: Child;
  readonly #directory = mkdtempSync(join(tmpdir(), 'portcullis-tour-'));
  /** The id of the cause, once a reset was refused with it. */
  cause = '';

  /** Begins the demo; it takes half a minute of its own. */
  constructor(command: string) {
    placeProgram(this.#directory);
    const env = environment(this.#directory);
    this.terminal = new Terminal(env, this.#directory);
    this.demo = new Child('demo', 'bash', ['-c', `cd '${this.#directory}' && exec ${command}`], env);
  }

  names(): Names {
    const said = (pattern: RegExp): string => pattern.exec(this.demo.stdout)?.[1] ?? '';
    return [
      ['FILE', said(/configuration {2}(\S+)/)],
      ['TOKEN', said(/Bearer ([0-9a-f]+)/)],
      ['http://127.0.0.1:8470', said(/(http:\/\/[\d.:]+)\/trip\/demo/)],
      ['--cause ID', `--cause ${this.cause}`],
    ];
  }

  /** The demo was begun before: it goes on. */
  goesOn(): Child {
    return this.demo;
  }

  async end(): Promise<void> {
    this.terminal.end();
    if (this.demo.ended === null) this.demo.signal('SIGTERM');
    await this.demo.exited;
    rmSync(this.#directory, { recursive: true });
  }
}

/** The README, from top to bottom. */
export const TOUR: Story<Tour> = {
  page: 'README.md',
  steps: [
    goesOn('bin/demo ', READY, { beside: 9 }),
    elsewhere('bin/test ', '.ci/run', 'exec bin/test'),
    typed('curl -X POST http://127.0.0.1:8470/trip/demo', { says: ['"vault"'] }),
    typed('bin/portcullis status', {
      says: [/^vault: TRIPPED since .*; shown by a witness/m, 'source:demo'],
    }),
    typed('bin/portcullis journal tail', { says: ['link.tripped'] }),
    typed('bin/portcullis journal head'),
    typed('bin/portcullis journal verify --head'),
    typed("bin/portcullis reset vault --reason 'looked into it' --config", {
      code: 1,
      says: ['--cause'],
      look: ({ said }, tour) => (tour.cause = /--cause (\w+)/.exec(said)?.[1] ?? '') !== '',
    }),
    typed("bin/portcullis reset vault --reason 'looked into it' --cause ID", { again: true }),
    // One of the schedule may be at work: the demo has one every three minutes.
    typed('bin/portcullis window run every-three-minutes', { again: true }),
  ],
};
