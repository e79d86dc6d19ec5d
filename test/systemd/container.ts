/**
 * A container that is booted by the machine's own systemd, with the units of this repository in it. Its root is an empty
 * directory; programs come from the host's /usr, Portcullis from a build of this checkout. Nothing of the host is written.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { commissionedAsConfigured } from '../commissioning/commissioned.ts';
import { build } from '../faults/build.ts';
import { Machine } from './machine.ts';

const ROOT = join(import.meta.dirname, '../..');
const UNITS = join(ROOT, 'systemd');
const IDS = { interlock: 64_001, controller: 64_002, group: 64_001 } as const;
const STATE = '/var/lib/portcullis';
/** Readable for root alone: the interlock gets it by LoadCredential. */
export const TOKEN = 'a-token-that-only-root-can-read';
const BOOT_MS = 60_000;

export class Container {
  readonly directory = mkdtempSync(join(tmpdir(), 'portcullis-nspawn-'));
  readonly tree = join(this.directory, 'tree');
  readonly state = join(this.tree, STATE);
  /** A network of its own, which outlives each boot: whoever shares it is reached at 127.0.0.1. */
  readonly network = `portcullis-${process.pid}`;
  readonly machine = new Machine(this.tree, `portcullis-${process.pid}`);

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
    const args = ['--bind-ro=/usr', opt(join(built, 'dist'), 'dist')];
    args.push(opt(join(ROOT, 'bin'), 'bin'), opt(join(ROOT, 'package.json'), 'package.json'));
    args.push(
      opt(join(ROOT, 'node_modules'), 'node_modules'),
      opt(join(ROOT, 'firmware-profiles'), 'firmware-profiles'),
    );
    args.push(opt(process.execPath, 'runtime/bin/node'));
    await this.machine.boot(this.network, args, ['--unit=appliance.target']);
    await this.machine.active('portcullis-interlock', BOOT_MS);
    await this.machine.active('portcullis-controller', BOOT_MS);
  }

  get socketDirectory(): string {
    return join(this.machine.root, 'run/portcullis');
  }

  remove(): void {
    spawnSync('ip', ['netns', 'delete', this.network]);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

const APPLIANCE_TARGET = `
[Unit]
Description=The appliance, and nothing of the host
Requires=basic.target
After=basic.target
Wants=portcullis-interlock.service portcullis-controller.service
AllowIsolate=yes
`;
