/**
 * A container that is booted by the machine's own systemd, with the units of this repository in it. Its root is an empty
 * directory; programs come from the host's /usr, Portcullis from a build of this checkout. Nothing of the host is written.
 */
import { execFile, execFileSync, type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { commissionedAsConfigured } from '../commissioning/commissioned.ts';
import { build } from '../faults/build.ts';
import { eventually } from '../faults/child.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const UNITS = join(ROOT, 'systemd');
const IDS = { interlock: 64_001, controller: 64_002, group: 64_001 } as const;
const STATE = '/var/lib/portcullis';
/** Readable for root alone: the interlock gets it by LoadCredential. */
export const TOKEN = 'a-token-that-only-root-can-read';
const BOOT_MS = 60_000;
const POWEROFF_MS = 20_000;

/** Why no container can be booted here, or null. */
export function containerMissing(): string | null {
  if (process.getuid?.() !== 0) return 'only root can boot a container';
  for (const tool of ['systemd-nspawn', 'nsenter', 'ip'])
    if (!isThere(tool)) return `${tool} is missing (apt-get install systemd-container util-linux iproute2)`;
  if (!existsSync('/usr/lib/systemd/systemd')) return 'this machine has no systemd (apt-get install systemd)';
  return null;
}

const isThere = (tool: string): boolean => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;

/** What `systemctl show` says of a unit. */
export type Properties = Readonly<Record<string, string>>;

export class Container {
  readonly directory = mkdtempSync(join(tmpdir(), 'portcullis-nspawn-'));
  readonly tree = join(this.directory, 'tree');
  readonly state = join(this.tree, STATE);
  /** A network of its own, which outlives each boot: whoever shares it is reached at 127.0.0.1. */
  readonly network = `portcullis-${process.pid}`;
  #process: ChildProcess | null = null;
  #log = '';
  #leader = 0;

  /** Makes the tree. `lodge` may mount something on the state directory before anything is in it. */
  async make(config: string, lodge: (path: string) => void = () => undefined): Promise<void> {
    for (const name of [
      'etc/systemd/system',
      'etc/portcullis',
      'usr',
      'opt/portcullis',
      'tmp',
      'run',
      'proc',
      'sys',
      'dev',
      'root',
    ])
      mkdirSync(join(this.tree, name), { recursive: true });
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(this.tree, name));
    mkdirSync(this.state, { recursive: true });
    lodge(this.state);
    execFileSync('ip', ['netns', 'add', this.network]);
    execFileSync('ip', ['-n', this.network, 'link', 'set', 'lo', 'up']);
    this.#etc(config);
    // As a commissioning in the container would leave it; the record does not know where it lies.
    const copy = join(this.directory, 'portcullis.yaml');
    writeFileSync(copy, config.replace(STATE, this.state));
    await commissionedAsConfigured(copy);
    this.#own(this.state, IDS.interlock);
    mkdirSync(join(this.state, 'controller'), { recursive: true, mode: 0o700 });
    chownSync(join(this.state, 'controller'), IDS.controller, IDS.group);
  }

  #etc(config: string): void {
    const etc = join(this.tree, 'etc');
    const users = `root:x:0:0::/root:/bin/sh
portcullis-interlock:x:${IDS.interlock}:${IDS.group}::/:/usr/sbin/nologin
portcullis-controller:x:${IDS.controller}:${IDS.group}::/:/usr/sbin/nologin
nobody:x:65534:65534::/:/usr/sbin/nologin
`;
    writeFileSync(join(etc, 'passwd'), users);
    writeFileSync(
      join(etc, 'group'),
      `root:x:0:\ndialout:x:20:\ntty:x:5:\nportcullis:x:${IDS.group}:\nnogroup:x:65534:\n`,
    );
    writeFileSync(join(etc, 'nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files\n');
    writeFileSync(join(etc, 'hosts'), '127.0.0.1 localhost\n');
    // Not its first boot: nothing is enabled by default.
    writeFileSync(join(etc, 'machine-id'), `${'5'.repeat(32)}\n`);
    cpSync('/usr/lib/os-release', join(etc, 'os-release'));
    for (const name of ['ld.so.cache', 'alternatives'])
      if (existsSync(join('/etc', name)))
        cpSync(join('/etc', name), join(etc, name), { recursive: true, verbatimSymlinks: true });
    const system = join(etc, 'systemd/system');
    for (const name of readdirSync(UNITS).filter((each) => /\.(service|socket|slice)$/.test(each)))
      cpSync(join(UNITS, name), join(system, name));
    writeFileSync(join(system, 'appliance.target'), APPLIANCE_TARGET);
    writeFileSync(join(etc, 'portcullis/portcullis.yaml'), config, { mode: 0o640 });
    const secrets = join(etc, 'portcullis/secrets');
    mkdirSync(secrets, { mode: 0o700 });
    writeFileSync(join(secrets, 'alarm'), `${TOKEN}\n`, { mode: 0o600 });
    chownSync(join(etc, 'portcullis/portcullis.yaml'), 0, IDS.group);
    // Nobody tells a container on cgroup v1 that a group is empty: systemd waits for processes that are gone.
    if (!existsSync('/sys/fs/cgroup/cgroup.controllers')) {
      const impatient = join(system, 'portcullis-controller.service.d');
      mkdirSync(impatient);
      writeFileSync(join(impatient, 'cgroup-v1.conf'), '[Service]\nTimeoutStopSec=2\n');
    }
    const dropIn = join(system, 'portcullis-interlock.service.d');
    mkdirSync(dropIn);
    writeFileSync(
      join(dropIn, 'secrets.conf'),
      '[Service]\nLoadCredential=alarm:/etc/portcullis/secrets/alarm\n',
    );
  }

  #own(path: string, uid: number): void {
    execFileSync('chown', ['-R', `${uid}:${IDS.group}`, path]);
    execFileSync('chmod', ['0750', path]);
  }

  /** Boots; resolves when both units are active. */
  async boot(): Promise<void> {
    const built = dirname(dirname(build().main));
    const opt = (source: string, target: string): string => `--bind-ro=${source}:/opt/portcullis/${target}`;
    const args = [
      '-D',
      this.tree,
      '--register=no',
      '--keep-unit',
      '--console=pipe',
      `--network-namespace-path=/run/netns/${this.network}`,
      '--link-journal=no',
    ];
    args.push('--bind-ro=/usr', opt(join(built, 'dist'), 'dist'));
    args.push(opt(join(ROOT, 'bin'), 'bin'), opt(join(ROOT, 'package.json'), 'package.json'));
    args.push(
      opt(join(ROOT, 'node_modules'), 'node_modules'),
      opt(join(ROOT, 'firmware-profiles'), 'firmware-profiles'),
    );
    args.push(opt(process.execPath, 'runtime/bin/node'));
    args.push('--machine', `portcullis-${process.pid}`, '--boot', '--', '--unit=appliance.target');
    // A test run that is broken off must leave no container behind.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', 'systemd-nspawn', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-20_000);
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
    await this.active('portcullis-interlock', BOOT_MS);
    await this.active('portcullis-controller', BOOT_MS);
  }

  get socketDirectory(): string {
    return `/proc/${this.#leader}/root/run/portcullis`;
  }

  /** Runs a program in the container, as root. */
  async in(...argv: string[]): Promise<string> {
    return (
      await run('nsenter', ['-t', String(this.#leader), '-m', '-p', '-u', '-i', '-n', '--', ...argv], {
        timeout: 60_000,
      })
    ).stdout;
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

  /** Ends the container; whatever is mounted on the state directory is given back by whoever mounted it. */
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

  remove(): void {
    spawnSync('ip', ['netns', 'delete', this.network]);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
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

const APPLIANCE_TARGET = `
[Unit]
Description=The appliance, and nothing of the host
Requires=basic.target
After=basic.target
Wants=portcullis-interlock.service portcullis-controller.service
AllowIsolate=yes
`;
