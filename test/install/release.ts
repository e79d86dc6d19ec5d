/**
 * A clean tree of one Debian release, as debootstrap makes it, with a person who may use sudo and this checkout as git
 * clones it. Packages come over this machine's network before the tree is booted; booted it has a network of its own,
 * which nothing leaves.
 */
import { execa } from 'execa';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containerMissing, isThere, Machine } from '../systemd/machine.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** What a person's Debian has and minbase lacks. What bin/install needs besides it must fetch itself. */
const INCLUDED = 'sudo,systemd,systemd-sysv,dbus,git';
const PERSON = 1_000;
/** What this machine may need to reach its registries; a file is brought along. */
const PASSED = [
  'NODE_EXTRA_CA_CERTS',
  'npm_config_cafile',
  'npm_config_registry',
  'http_proxy',
  'https_proxy',
  'no_proxy',
];
const TREE_MS = 900_000;
const INSTALL_MS = 900_000;

/** Why no tree can be made here, or null. */
export function releaseMissing(): string | null {
  const container = containerMissing();
  if (container !== null) return container;
  for (const tool of ['debootstrap', 'git'])
    if (!isThere(tool)) return `${tool} is missing (apt-get install ${tool})`;
  return mirror() === null ? "apt knows no Debian mirror here (Components 'main')" : null;
}

/** Where apt takes Debian itself from on this machine. */
function mirror(): string | null {
  const format = '$(REPO_URI) $(COMPONENT) $(LABEL)';
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', format], { encoding: 'utf8' });
  const line = /^(\S+) main Debian$/m.exec(stdout);
  return line?.[1] ?? null;
}

/** One command in the tree: how it ended, and all that it said. */
export interface Said {
  readonly exitCode?: number;
  readonly all: string;
  readonly stdout: string;
}

export class Release {
  readonly directory: string;
  readonly tree: string;
  /** With a blank in it, as some have. */
  readonly checkout = '/home/ada/port cullis';
  readonly network: string;
  readonly machine: Machine;
  readonly #name: string;
  #environment: Readonly<Record<string, string>> = {};

  constructor(name: string) {
    this.#name = name;
    this.directory = join(tmpdir(), `portcullis-release-${name}-${process.pid}`);
    this.tree = join(this.directory, 'tree');
    this.network = `portcullis-${name}-${process.pid}`;
    this.machine = new Machine(this.tree, this.network);
  }

  at(path: string): string {
    return join(this.tree, path);
  }

  async make(): Promise<void> {
    mkdirSync(this.directory, { mode: 0o700 });
    const words = ['--variant=minbase', `--include=${INCLUDED}`, this.#name, this.tree, mirror() ?? ''];
    await execa('debootstrap', words, { timeout: TREE_MS });
    // As Debian's installer leaves it: with the way to security fixes, and a name.
    writeFileSync(this.at('etc/hostname'), 'box\n');
    writeFileSync(this.at('etc/hosts'), '127.0.0.1 localhost box\n');
    execFileSync('chroot', [this.tree, 'useradd', '-m', '-s', '/bin/bash', '-u', String(PERSON), 'ada']);
    this.#pass();
    const kept = Object.keys(this.#environment).join(' ');
    const sudoers = `ada ALL=(ALL) NOPASSWD: ALL\n${kept === '' ? '' : `Defaults env_keep += "${kept}"\n`}`;
    writeFileSync(this.at('etc/sudoers.d/ada'), sudoers, { mode: 0o440 });
    const clone = ['-c', 'safe.directory=*', 'clone', '--quiet', '--no-hardlinks', ROOT];
    execFileSync('git', [...clone, this.at(this.checkout)]);
    execFileSync('chown', ['-R', `${PERSON}:${PERSON}`, this.at(this.checkout)]);
    execFileSync('ip', ['netns', 'add', this.network]);
    execFileSync('ip', ['-n', this.network, 'link', 'set', 'lo', 'up']);
  }

  #pass(): void {
    mkdirSync(this.at('etc/from-host'));
    const passed = PASSED.flatMap((name) => {
      const value = process.env[name] ?? '';
      if (value === '') return [];
      if (!existsSync(value)) return [[name, value] as const];
      const place = `etc/from-host/${name}`;
      cpSync(value, this.at(place));
      return [[name, `/${place}`] as const];
    });
    this.#environment = Object.fromEntries(passed);
  }

  #words(): readonly string[] {
    const kept = Object.entries(this.#environment).map(([name, value]) => `${name}=${value}`);
    const person = ['setpriv', `--reuid=${PERSON}`, `--regid=${PERSON}`, '--init-groups'];
    return [...person, 'env', 'HOME=/home/ada', ...kept, 'bash', '-c'];
  }

  /** Runs a line of the person's shell before the tree is booted, with this machine's network. */
  before(line: string): Promise<Said> {
    const own = ['-q', '-D', this.tree, '--register=no', '--keep-unit', '--console=pipe', '--hostname=box'];
    // As on boxes that are kept tidy: nothing in /tmp may be executed.
    const name = ['--tmpfs=/tmp:mode=1777,noexec', '--machine', `${this.network}-before`, '--'];
    return execa('systemd-nspawn', [...own, ...name, ...this.#words(), this.#in(line)], {
      all: true,
      reject: false,
      timeout: INSTALL_MS,
      stdin: 'ignore',
    });
  }

  /** The same in the booted tree. */
  person(line: string): Promise<Said> {
    const [enter = '', ...words] = this.machine.entering();
    return execa(enter, [...words, ...this.#words(), this.#in(line)], {
      all: true,
      reject: false,
      timeout: INSTALL_MS,
      stdin: 'ignore',
    });
  }

  /** Nothing of the session may decide how things are installed. */
  #in(line: string): string {
    return `umask 077; cd '${this.checkout}' && ${line}`;
  }

  /** On a Debian of today there is one hierarchy of control groups, whatever this machine has. */
  async boot(): Promise<void> {
    const unified = { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' };
    await this.machine.boot(this.network, ['--hostname=box'], [], unified);
  }

  end(): Promise<void> {
    return this.machine.end();
  }

  remove(): void {
    spawnSync('ip', ['netns', 'delete', this.network]);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
