/** Boots the virtual machine and hears what its tests say. */
import { execFile, spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { GuestResult } from './guest-suite.ts';
import type { Parts } from './parts.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
/** ms after which a machine is ended. It needs half a minute; a loaded one several times that. */
export const MACHINE_TIMEOUT_MS = 400_000;
/** What the firmware and the kernel draw with. */
const ESCAPES = new RegExp(`${String.fromCharCode(27)}(c|\\[[0-9;?]*[A-Za-z])`, 'g');
/** What the guest runs. */
const ENTRY = 'test/gpio-vm/guest.ts';
/** What the guest gets of the checkout. */
const SOURCES = ['package.json', 'src/core', 'src/contacts', 'test/contacts', 'test/gpio-vm'];
const PACKAGES = ['onoff', 'epoll', 'bindings', 'file-uri-to-path', 'lodash.debounce', 'koffi', '@koromix'];

/** What a run of the machine came to. */
export interface MachineReport {
  readonly results: readonly GuestResult[];
  /** The guest said that it had run everything. */
  readonly ended: boolean;
  /** Kernel messages and the guest's errors. */
  readonly console: string;
}

/** Boots, runs the scenarios, and ends. */
export async function runMachine(parts: Parts): Promise<MachineReport> {
  const work = await mkdtemp(join(tmpdir(), 'portcullis-gpio-vm-'));
  try {
    const initrd = await makeInitrd(work, parts);
    const results = join(work, 'results');
    const messages = join(work, 'console');
    await boot(parts.kernel, initrd, messages, results);
    const lines = (await readFile(results, 'utf8'))
      .split(/\r?\n/)
      .filter((line) => line.startsWith('{'))
      .map(
        (line) => JSON.parse(line) as GuestResult | { readonly end: true } | { readonly uncaught: string },
      );
    const uncaught = lines.flatMap((line) => ('uncaught' in line ? [line.uncaught] : []));
    return {
      results: lines.filter((line) => 'group' in line),
      ended: lines.some((line) => 'end' in line),
      console: [...uncaught, (await readFile(messages, 'utf8')).replaceAll(ESCAPES, '').slice(-4_000)].join(
        '\n',
      ),
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function boot(kernel: string, initrd: string, messages: string, results: string): Promise<void> {
  // Never KVM: it is not everywhere, and where it is, not every kernel boots with it.
  const args = ['-accel', 'tcg', '-machine', 'q35', '-m', '1024', '-smp', '2', '-nographic', '-nodefaults'];
  args.push('-monitor', 'none', '-no-reboot', '-serial', `file:${messages}`, '-serial', `file:${results}`);
  args.push('-kernel', kernel, '-initrd', initrd);
  args.push('-append', `console=ttyS0 quiet panic=-1 rdinit=/init -- ${ENTRY}`);
  // A test run that is broken off must leave no machine behind.
  const bound = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args];
  const machine = spawn('setpriv', bound, { stdio: ['ignore', 'ignore', 'inherit'] });
  const limit = setTimeout(() => machine.kill('SIGKILL'), MACHINE_TIMEOUT_MS);
  try {
    await new Promise((resolve, reject) => {
      machine.once('exit', resolve);
      machine.once('error', reject);
    });
  } finally {
    clearTimeout(limit);
  }
}

/** Everything the guest sees: Node.js of this very process with its libraries, the modules, and what is tested. */
async function makeInitrd(work: string, { modules }: Parts): Promise<string> {
  const tree = join(work, 'tree');
  for (const name of ['bin', 'proc', 'sys', 'dev', 'tmp', 'modules', 'app'])
    await mkdir(join(tree, name), { recursive: true });
  await copy((await run('which', ['busybox'])).stdout.trim(), join(tree, 'bin/busybox'));
  await copy(process.execPath, join(tree, 'bin/node'));
  for (const library of await librariesOf(process.execPath)) await copy(library, join(tree, library));
  for (const module of modules) await copy(module, join(tree, 'modules', basename(module)));
  await copy(join(import.meta.dirname, 'guest-init.sh'), join(tree, 'init'));
  await chmod(join(tree, 'init'), 0o755);
  for (const name of SOURCES) await copy(join(root, name), join(tree, 'app', name));
  for (const name of PACKAGES)
    await copy(join(root, 'node_modules', name), join(tree, 'app/node_modules', name));
  const initrd = join(work, 'initrd');
  const pack = spawn('sh', ['-c', 'find . | busybox cpio -o -H newc 2>/dev/null'], { cwd: tree });
  await pipeline(pack.stdout, createWriteStream(initrd));
  await rm(tree, { recursive: true, force: true });
  return initrd;
}

async function copy(from: string, to: string): Promise<void> {
  if (!existsSync(from)) throw new Error(`${from} is missing`);
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, dereference: true, preserveTimestamps: true });
}

/** The shared libraries that the loader would load, and the loader itself. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout } = await run('ldd', [program]);
  return stdout.split('\n').flatMap((line) => /(\/\S+)/.exec(line)?.[1] ?? []);
}
