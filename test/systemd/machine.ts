/** A directory tree that systemd-nspawn boots, in a network of its own, and what is asked of it from outside. */
import { execFile, type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { eventually } from '../faults/child.ts';

const run = promisify(execFile);
const BOOT_MS = 60_000;
const POWEROFF_MS = 20_000;
const COMMAND_MS = 60_000;
const LOG_KEPT = 20_000;

/** Why nothing can be booted here, or null. */
export function containerMissing(): string | null {
  if (process.getuid?.() !== 0) return 'only root can boot a container';
  for (const tool of ['systemd-nspawn', 'nsenter', 'ip'])
    if (!isThere(tool)) return `${tool} is missing (apt-get install systemd-container util-linux iproute2)`;
  if (!existsSync('/usr/lib/systemd/systemd')) return 'this machine has no systemd (apt-get install systemd)';
  return null;
}

/** Whether the shell finds a program of this name. */
export const isThere = (tool: string): boolean => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;

/** What `systemctl show` says of a unit. */
export type Properties = Readonly<Record<string, string>>;

export class Machine {
  readonly #tree: string;
  readonly #name: string;
  #process: ChildProcess | null = null;
  #log = '';
  #leader = 0;

  /** `name` is unique on this machine. */
  constructor(tree: string, name: string) {
    this.#tree = tree;
    this.#name = name;
  }

  /** The tree as its processes see it, with what is mounted there. */
  get root(): string {
    return `/proc/${this.#leader}/root`;
  }

  /** Boots in the network namespace; resolves when its first process is there. */
  async boot(
    network: string,
    args: readonly string[],
    init: readonly string[] = [],
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<void> {
    const own = [
      '-D',
      this.#tree,
      '--register=no',
      '--keep-unit',
      '--console=pipe',
      `--network-namespace-path=/run/netns/${network}`,
      '--link-journal=no',
    ];
    const words = [...own, ...args, '--machine', this.#name, '--boot', '--', ...init];
    // A test run that is broken off must leave no container behind.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', 'systemd-nspawn', ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-LOG_KEPT);
      });
    await eventually(
      'the container to boot',
      () => {
        if (child.exitCode !== null) throw new Error(`the container ended: ${this.#log}`);
        this.#leader = leaderOf(child.pid ?? 0);
        return this.#leader !== 0;
      },
      BOOT_MS,
    );
  }

  /** Words before a program that runs in it, as root: `nsenter …`. */
  entering(): readonly string[] {
    return ['nsenter', '-t', String(this.#leader), '-m', '-p', '-u', '-i', '-n', '--'];
  }

  /** Runs a program in it, as root. */
  async in(...argv: string[]): Promise<string> {
    const [enter = '', ...words] = this.entering();
    return (await run(enter, [...words, ...argv], { timeout: COMMAND_MS })).stdout;
  }

  async show(unit: string): Promise<Properties> {
    const text = await this.in('systemctl', 'show', unit);
    return Object.fromEntries(
      text.split('\n').map((line): [string, string] => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)];
      }),
    );
  }

  async active(unit: string, withinMs = 30_000): Promise<Properties> {
    try {
      return await eventually(
        `${unit} to be active`,
        async () => {
          const shown = await this.show(unit).catch(() => null);
          return shown?.['ActiveState'] === 'active' ? shown : null;
        },
        withinMs,
      );
    } catch (error) {
      throw new Error(`${String(error)}\n${await this.log(unit)}\n${this.#log.slice(-3_000)}`, {
        cause: error,
      });
    }
  }

  /** Process id of the main process, as this machine counts. */
  async mainPid(unit: string): Promise<number> {
    const inside = Number((await this.show(unit))['MainPID']);
    if (!(inside > 0)) throw new Error(`${unit} has no main process`);
    const root = readlinkOf(`/proc/${this.#leader}/ns/pid`);
    if (root === '') throw new Error('the container is gone');
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name) || readlinkOf(`/proc/${name}/ns/pid`) !== root) continue;
      const status = textOf(`/proc/${name}/status`);
      if (/^NSpid:.*\s(\d+)$/m.exec(status)?.[1] === String(inside)) return Number(name);
    }
    throw new Error(`process ${inside} of ${unit} is not there`);
  }

  log(unit: string): Promise<string> {
    return this.in('journalctl', '--no-pager', '-o', 'cat', '-n', '40', '-u', unit).catch(String);
  }

  /** Ends it in order; whatever is mounted in the tree is given back by whoever mounted it. */
  async end(): Promise<void> {
    const child = this.#process;
    if (child !== null && child.exitCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      // SIGRTMIN+4 is the end in order; without register there is nobody else to ask.
      await this.in('systemctl', 'poweroff', '--force').catch(() => undefined);
      const late = setTimeout(() => child.kill('SIGKILL'), POWEROFF_MS);
      await gone;
      clearTimeout(late);
    }
    this.#process = null;
  }

  /** As when the supply is pulled: every process is gone at once, and nobody isolates. What was written stays written. */
  async cutPower(): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    process.kill(this.#leader, 'SIGKILL');
    await gone;
    this.#process = null;
  }
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
};

const readlinkOf = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

/** Process id of the first process of the container that this nspawn holds; 0 before there is one. */
function leaderOf(nspawn: number): number {
  const children = textOf(`/proc/${nspawn}/task/${nspawn}/children`).split(' ').filter(Boolean).map(Number);
  return children.find((pid) => /^NSpid:.*\s1$/m.test(textOf(`/proc/${pid}/status`))) ?? 0;
}
