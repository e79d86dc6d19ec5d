/**
 * The machine's disk as it is delivered: Debian, Portcullis put there by bin/install, a configuration, and what a test needs
 * to get at it: a shell and the two sockets over the network of the machine, which leads to this test alone.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { commissionedAsConfigured } from '../commissioning/commissioned.ts';
import { build } from '../faults/build.ts';
import { stagedCheckout } from '../install/staged.ts';
import { type Debian, debian } from './debian.ts';

const ROOT = join(import.meta.dirname, '../..');
const CACHE = join(ROOT, '.toolchain/vm');
const STATE = '/var/lib/portcullis';
/** Readable for root alone: the interlock gets it by LoadCredential. */
export const TOKEN = 'a-token-that-only-root-can-read';
/** The machine's address, and the ports at which its services are reached. */
export const ADDRESS = '10.0.2.15';
export const PORTS = { trip: 8470, shell: 2301, interlock: 2302, presence: 2303 } as const;
const SIZE = '1500M';
/** Images that nobody has used for this long are removed, ms. */
const KEPT_MS = 6 * 60 * 60 * 1_000;
/** Raised when what is made here changes. */
const RECIPE = 1;

/** What a machine boots from. */
export interface Image {
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
}

/** One link with a mirror contact, on a board at the second serial port; a controller with nothing to do by itself. */
export const CONFIG = `\
state_directory: /var/lib/portcullis
runtime_directory: /run/portcullis
interlock: { listen: "${ADDRESS}:${PORTS.trip}", plain_http: ["${ADDRESS} carries secrets in the clear"] }
controller: { listen: "127.0.0.1:8480" }
clock: { trust: always }
buses:
  board: { transport: modbus-rtu, device: /dev/ttyS1, baud: 115200, reply_timeout: 2s, simulated: true }
links:
  vault:
    contacts:
      - { name: relay, profile: waveshare/modbus-rtu-relay-8ch-d, bus: board, unit: 1, channel: 1, hardware_lease: none }
    witnesses:
      - { name: mirror, type: modbus-discrete-input, bus: board, unit: 1, input: 0, isolated_when: 1 }
    settle: 0ms
    lease_timeout: 20s
    evidence_max_age: 15s
    isolate_timeout: 20s
    connect_timeout: 30s
    exposure_budget: 24h
    proof_test_max_age: 365d
sources:
  alarm: { verify: { type: bearer, token_file: /run/credentials/portcullis-interlock.service/alarm }, format: generic, trips: all }
windows:
  nightly:
    link: vault
    opens: "0 0 29 2 *"
    timezone: UTC
    lasts: 30m
    steps:
      - command: { command: [/bin/sleep, infinity], timeout: 29m }
  hog:
    link: vault
    opens: "0 0 29 2 *"
    timezone: UTC
    lasts: 10m
    steps:
      - command: { command: [/usr/bin/tail, /dev/zero], timeout: 9m }
  brief:
    link: vault
    opens: "0 0 29 2 *"
    timezone: UTC
    lasts: 10m
    steps:
      - command: { command: [/bin/sleep, "3"], timeout: 1m }
`;

/** Finds or makes it. Throws PartsMissing. */
export async function image(): Promise<Image> {
  const base = await debian(CACHE);
  const kept = join(CACHE, `image-${keyOf(base)}`);
  if (!existsSync(kept)) {
    removeOld();
    const draft = mkdtempSync(join(CACHE, 'work-'));
    try {
      await make(base, draft);
      renameSync(draft, kept);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      // Whoever was faster has made the same.
      if (!existsSync(kept)) throw error;
    }
  }
  const now = new Date();
  utimesSync(kept, now, now);
  return { disk: join(kept, 'disk'), kernel: base.kernel, initrd: join(kept, 'initrd') };
}

function keyOf({ digest }: Debian): string {
  const key = createHash('sha256').update(
    JSON.stringify([RECIPE, digest, build().id, process.version, CONFIG]),
  );
  for (const folder of ['bin', 'systemd', 'firmware-profiles', 'hardware/udev', 'test/vm/guest'])
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).toSorted()) {
      const path = join(ROOT, folder, name);
      if (statSync(path).isFile()) key.update(`${folder}/${name}\0`).update(readFileSync(path));
    }
  key.update(readFileSync(join(ROOT, 'package-lock.json')));
  return key.digest('hex').slice(0, 20);
}

function removeOld(): void {
  for (const name of readdirSync(CACHE).filter((each) => each.startsWith('image-'))) {
    const path = join(CACHE, name);
    if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

async function make(base: Debian, draft: string): Promise<void> {
  const tree = join(draft, 'tree');
  execFileSync('cp', ['-a', '--reflink=auto', base.tree, tree]);
  for (const name of ['proc', 'sys', 'dev', 'run', 'tmp', 'mnt/vault'])
    mkdirSync(join(tree, name), { recursive: true });
  const etc = join(tree, 'etc');
  writeFileSync(join(etc, 'nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files\n');
  writeFileSync(join(etc, 'hosts'), '127.0.0.1 localhost\n');
  writeFileSync(join(etc, 'hostname'), 'appliance\n');
  // Not its first boot: nothing is enabled by default.
  writeFileSync(join(etc, 'machine-id'), `${'5'.repeat(32)}\n`);
  execFileSync('systemd-sysusers', [`--root=${tree}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  install(tree);
  await configure(tree);
  cpSync(join(import.meta.dirname, 'guest/etc'), etc, { recursive: true });
  mkdirSync(join(etc, 'systemd/system/sockets.target.wants'), { recursive: true });
  for (const name of ['vm-shell', 'vm-interlock', 'vm-presence'])
    symlinkSync(
      `/etc/systemd/system/${name}.socket`,
      join(etc, `systemd/system/sockets.target.wants/${name}.socket`),
    );
  for (const name of NOT_WANTED) symlinkSync('/dev/null', join(etc, 'systemd/system', name));
  execFileSync('mke2fs', [
    '-q',
    '-t',
    'ext4',
    '-d',
    tree,
    '-E',
    'lazy_itable_init=0,lazy_journal_init=0',
    join(draft, 'disk'),
    SIZE,
  ]);
  initrd(base, draft);
  rmSync(tree, { recursive: true });
}

/** An emulated machine on a busy one takes minutes for what a Pi does in seconds; how long is not what is tried here. */
const SLOW = '[Service]\nTimeoutStartSec=900\nTimeoutStopSec=300\nWatchdogSec=300\n';

/** Of a machine with a screen and people who log in; here they would only cost time. */
const NOT_WANTED = [
  'getty.target',
  'systemd-logind.service',
  'serial-getty@ttyS0.service',
  'e2scrub_reap.service',
  'systemd-update-utmp.service',
  'systemd-update-utmp-runlevel.service',
  'systemd-ask-password-wall.path',
  'systemd-ask-password-console.path',
];

/** By bin/install, from a checkout that is prepared, into the tree: as an image for an SD card is made. */
function install(tree: string): void {
  const checkout = mkdtempSync(join(tmpdir(), 'portcullis-vm-checkout-'));
  try {
    stagedCheckout(checkout);
    execFileSync(join(checkout, 'bin/install'), ['--root', tree], { stdio: ['ignore', 'ignore', 'pipe'] });
  } finally {
    rmSync(checkout, { recursive: true, force: true });
  }
  const versions = join(tree, 'opt/portcullis/versions');
  for (const name of readdirSync(versions).filter((each) => !each.startsWith('.'))) {
    // The checkout holds a stand-in.
    const node = join(versions, name, 'runtime/bin/node');
    rmSync(node);
    cpSync(process.execPath, node, { dereference: true });
  }
}

async function configure(tree: string): Promise<void> {
  const { uid, gid } = owner(tree, 'portcullis-interlock');
  const directory = join(tree, 'etc/portcullis');
  writeFileSync(join(directory, 'portcullis.yaml'), CONFIG);
  mkdirSync(join(directory, 'secrets'), { mode: 0o700 });
  writeFileSync(join(directory, 'secrets/alarm'), `${TOKEN}\n`, { mode: 0o600 });
  const dropIn = join(tree, 'etc/systemd/system/portcullis-interlock.service.d');
  mkdirSync(dropIn, { recursive: true });
  writeFileSync(
    join(dropIn, 'secrets.conf'),
    '[Service]\nLoadCredential=alarm:/etc/portcullis/secrets/alarm\n',
  );
  writeFileSync(join(dropIn, 'slow.conf'), SLOW);
  mkdirSync(join(tree, 'etc/systemd/system/portcullis-controller.service.d'), { recursive: true });
  writeFileSync(join(tree, 'etc/systemd/system/portcullis-controller.service.d/slow.conf'), SLOW);
  const state = join(tree, STATE);
  // As a commissioning on the machine would leave it; the record does not know where it lies.
  const copy = join(tree, 'portcullis.yaml');
  writeFileSync(copy, CONFIG.replace(STATE, state));
  await commissionedAsConfigured(copy);
  rmSync(copy);
  for (const name of readdirSync(state, { recursive: true, encoding: 'utf8' }))
    if (!name.startsWith('controller')) chownSync(join(state, name), uid, gid);
}

/** User and main group of a service, as bin/install has made them in the tree. */
function owner(tree: string, name: string): { readonly uid: number; readonly gid: number } {
  const find = (file: string, key: string): string[] =>
    readFileSync(join(tree, 'etc', file), 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .find(([each]) => each === key) ?? [];
  const uid = Number(find('passwd', name)[2]);
  const gid = Number(find('group', 'portcullis')[2]);
  if (!(uid > 0 && gid > 0)) throw new Error(`bin/install has made no user ${name}`);
  return { uid, gid };
}

/** The first program: loads what the root file system and the network are on, and hands over to systemd. */
function initrd({ modules }: Debian, draft: string): void {
  const tree = join(draft, 'initrd-tree');
  for (const name of ['bin', 'proc', 'sys', 'dev', 'root', 'modules'])
    mkdirSync(join(tree, name), { recursive: true });
  cpSync(execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim(), join(tree, 'bin/busybox'), {
    dereference: true,
  });
  const names = modules.map((path) => {
    const name = basename(path).replace(/\.xz$/, '');
    if (path.endsWith('.xz'))
      execFileSync('sh', ['-c', 'xz -dc "$0" >"$1"', path, join(tree, 'modules', name)]);
    else cpSync(path, join(tree, 'modules', name));
    return name;
  });
  const script = readFileSync(join(import.meta.dirname, 'guest/init.sh'), 'utf8');
  writeFileSync(
    join(tree, 'init'),
    script.replace('@MODULES@', names.join(' ')).replace('@ADDRESS@', ADDRESS),
    { mode: 0o755 },
  );
  execFileSync('sh', ['-c', 'find . | busybox cpio -o -H newc 2>/dev/null >"$0"', join(draft, 'initrd')], {
    cwd: tree,
  });
  rmSync(tree, { recursive: true });
}
