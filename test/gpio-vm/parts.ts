/**
 * What the virtual machine is made of: Debian's kernel, and gpio-sim built for it from Debian's source of it (no Debian
 * kernel ships it). Everything comes by `apt-get download`, is unpacked below the ignored folder `.toolchain/vm`,
 * and is kept there. Nothing is installed.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** ms for a download of 150 MB, or for unpacking the kernel's source, on a slow machine. */
const STEP_TIMEOUT_MS = 300_000;

/** Files for the machine. */
export interface Parts {
  readonly kernel: string;
  /** In the order in which they are loaded. */
  readonly modules: readonly string[];
}

/** Something that is needed cannot be had; `message` says what. */
export class PartsMissing extends Error {
  override readonly name = 'PartsMissing';
}

const MODULES = ['configfs.ko', 'irqsim.ko', 'gpio-sim.ko'];
/** Raised when the recipe changes, so that parts of an older one are not used. */
const RECIPE = 1;

/** Finds or makes the parts below `directory`. Throws PartsMissing. */
export async function parts(directory: string): Promise<Parts> {
  if (arch() !== 'x64') throw new PartsMissing(`the machine is an x86-64 one, this is ${arch()}`);
  for (const program of ['qemu-system-x86_64', 'busybox', 'make', 'xz', 'gcc', 'dpkg-deb', 'apt-get']) {
    await run('which', [program]).catch(() => {
      throw new PartsMissing(`${program} is not installed (see test/debian-packages.txt)`);
    });
  }
  const kept = join(directory, `parts-${RECIPE}`);
  if (!existsSync(kept)) {
    await mkdir(directory, { recursive: true });
    const work = await mkdtemp(join(directory, 'work-'));
    try {
      await make(work);
      // Whoever comes second finds the first one's parts, which are as good.
      await rename(join(work, 'parts'), kept).catch((error: unknown) => {
        if (!existsSync(kept)) throw error;
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return { kernel: join(kept, 'vmlinuz'), modules: MODULES.map((name) => join(kept, name)) };
}

async function make(work: string): Promise<void> {
  const image = await dependency('linux-image-amd64', /^linux-image-\S+$/);
  const release = image.replace(/^linux-image-/, '');
  const headers = `linux-headers-${release}`;
  const common = await dependency(headers, /^linux-headers-\S+-common$/);
  const kbuild = await dependency(headers, /^linux-kbuild-\S+$/);
  const source = await dependency('linux-source', /^linux-source-\S+$/);
  await download(work, [image, headers, common, kbuild, source]);
  const root = join(work, 'root');
  for (const name of await readdir(work)) {
    if (name.endsWith('.deb')) await step('unpack', 'dpkg-deb', ['-x', join(work, name), root], work);
  }
  const build = join(root, 'usr/src', headers);
  // The package expects to be installed.
  const makefile = await readFile(join(build, 'Makefile'), 'utf8');
  await writeFile(join(build, 'Makefile'), makefile.replaceAll(' /usr/', ` ${root}/usr/`));
  const module = await sourceOf(work, join(root, 'usr/src', `${source}.tar.xz`), source);
  // Without type information for BPF, which would need one more tool.
  const settings = [`M=${module}`, 'CONFIG_DEBUG_INFO_BTF_MODULES='];
  await step('build gpio-sim', 'make', ['-C', build, ...settings, 'modules'], work);
  const done = join(work, 'parts');
  await mkdir(done);
  await cp(join(root, 'boot', `vmlinuz-${release}`), join(done, 'vmlinuz'));
  const modules = join(root, 'lib/modules', release, 'kernel');
  const configfs = existsSync(modules) ? modules : join(root, 'usr/lib/modules', release, 'kernel');
  await unpacked(join(configfs, 'fs/configfs/configfs.ko'), join(done, 'configfs.ko'));
  for (const name of ['irqsim.ko', 'gpio-sim.ko']) await cp(join(module, name), join(done, name));
}

/** The first package that `name` depends on and whose name is of the form wanted. */
async function dependency(name: string, form: RegExp): Promise<string> {
  const { stdout } = await run('apt-cache', ['depends', '--important', name]).catch(() => ({ stdout: '' }));
  const found = stdout
    .split('\n')
    .map((line) => line.replace(/^\s*Depends:\s*/, '').trim())
    .find((each) => each !== name && form.test(each));
  if (found === undefined) throw new PartsMissing(`apt knows no ${name}; run apt-get update as root`);
  return found;
}

async function download(work: string, packages: readonly string[]): Promise<void> {
  console.warn(`gpio-vm: downloading with apt into .toolchain/vm, once: ${packages.join(', ')} (220 MB)`);
  await step(`download ${packages.join(' ')}`, 'apt-get', ['-q', 'download', ...packages], work);
}

/** Runs a program of the making; what it printed. Throws PartsMissing. */
export async function step(
  what: string,
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  try {
    return (await run(program, args, { cwd, timeout: STEP_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES })).stdout;
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    const why = stderr?.trim().split('\n').slice(0, 3).join(' ') ?? String(error);
    throw new PartsMissing(`could not ${what}: ${why.slice(0, 500)}`, { cause: error });
  }
}

/** gpio-sim with the simulated interrupts that it needs, as modules that can be built outside of the kernel. */
async function sourceOf(work: string, archive: string, name: string): Promise<string> {
  const files = ['drivers/gpio/gpio-sim.c', 'drivers/gpio/gpiolib.h', 'kernel/irq/irq_sim.c'];
  const wanted = files.map((file) => `${name}/${file}`);
  await step('unpack the source', 'tar', ['-xJf', archive, '--occurrence=1', ...wanted], work);
  const module = join(work, 'module');
  await mkdir(module);
  const [simulator, header, interrupts] = wanted.map((file) => join(work, file));
  if (simulator === undefined || header === undefined || interrupts === undefined)
    throw new Error('no files');
  await cp(simulator, join(module, 'gpio-sim-core.c'));
  await cp(header, join(module, 'gpiolib.h'));
  const text = (await readFile(interrupts, 'utf8')).replace(
    // Not exported to modules; this does the same.
    'handle_simple_irq(irq_to_desc(irqnum))',
    'generic_handle_irq(irqnum)',
  );
  await writeFile(join(module, 'irq_sim.c'), `${text}\n#include <linux/module.h>\nMODULE_LICENSE("GPL");\n`);
  await writeFile(
    join(module, 'Makefile'),
    'obj-m := gpio-sim.o irqsim.o\ngpio-sim-y := gpio-sim-core.o\nirqsim-y := irq_sim.o\n',
  );
  return module;
}

/** Copies a module that may be compressed (Debian 13). */
async function unpacked(from: string, to: string): Promise<void> {
  if (existsSync(from)) await cp(from, to);
  else await step('unpack a module', 'sh', ['-c', `xz -dc "$0.xz" >"$1"`, from, to], '/');
}
