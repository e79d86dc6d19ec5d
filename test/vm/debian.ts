/**
 * A small Debian for the machine: the packages that an appliance needs on an empty disk, and Debian's kernel with the
 * modules of a virtual machine. Everything comes by apt from the release that this machine runs, is unpacked below the
 * ignored folder `.toolchain/vm`, and is kept there. Nothing is installed, and no package's script runs.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { PartsMissing, step } from '../gpio-vm/parts.ts';

/** What a Debian without a desktop has, as far as the appliance calls it; libeatmydata1 is for a planted fault. */
const PACKAGES = [
  'base-files bash ca-certificates coreutils curl dash e2fsprogs findutils grep hostname kmod libc-bin libeatmydata1',
  'libstdc++6 linux-image-amd64 mount procps restic sed systemd-sysv udev util-linux',
].flatMap((line) => line.split(' '));
/** Folders and files of modules that are taken; a whole kernel has 400 MB of them. */
const MODULES = [
  'modules.builtin* modules.order kernel/arch/x86/crypto/crc32* kernel/crypto/crc32* kernel/lib/crc*',
  'kernel/drivers/virtio kernel/drivers/block/virtio_blk* kernel/drivers/net/virtio_net* kernel/drivers/net/net_failover*',
  'kernel/net/core/failover* kernel/fs/ext4 kernel/fs/jbd2 kernel/fs/mbcache* kernel/fs/configfs kernel/fs/autofs',
  'kernel/drivers/char/hw_random/rng-core* kernel/drivers/char/hw_random/virtio-rng* kernel/drivers/hid/hid.ko*',
  'kernel/drivers/usb/common kernel/drivers/usb/core kernel/drivers/usb/class/cdc-acm* kernel/drivers/usb/host/xhci*',
  'kernel/drivers/usb/serial/usbserial* kernel/drivers/usb/serial/ftdi_sio* kernel/drivers/usb/storage/usb-storage*',
  'kernel/drivers/scsi/scsi_mod* kernel/drivers/scsi/scsi_common* kernel/drivers/scsi/sd_mod* kernel/drivers/watchdog/i6300esb*',
].flatMap((line) => line.split(' '));
const LEFT_OUT = ['./usr/share/doc/*', './usr/share/man/*', './usr/share/locale/*', './usr/share/info/*'];
/** What the first program of the machine loads, with what these need. */
export const ROOT_MODULES = ['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_rng', 'ext4', 'crc32c'];
/** Raised when the recipe changes, so that a tree of an older one is not used. */
const RECIPE = 1;

/** Where its parts lie. */
export interface Debian {
  /** The root of its file system. */
  readonly tree: string;
  readonly kernel: string;
  /** Paths of modules for the root file system and the network, in the order in which they are loaded. */
  readonly modules: readonly string[];
  /** Tells one Debian from another. */
  readonly digest: string;
}

/** Finds or makes it below `directory`. Throws PartsMissing. */
export async function debian(directory: string): Promise<Debian> {
  if (arch() !== 'x64') throw new PartsMissing(`the machine is an x86-64 one, this is ${arch()}`);
  if (process.getuid?.() !== 0) throw new PartsMissing('only root can make a file system with its owners');
  for (const program of [
    'qemu-system-x86_64',
    'busybox',
    'dpkg-deb',
    'apt-get',
    'mke2fs',
    'chroot',
    'systemd-sysusers',
  ])
    await step(`find ${program}`, 'which', [program], '/').catch(() => {
      throw new PartsMissing(`${program} is not installed (see test/debian-packages.txt)`);
    });
  const kept = join(directory, `debian-${RECIPE}`);
  if (!existsSync(kept)) {
    await mkdir(directory, { recursive: true });
    const work = await mkdtemp(join(directory, 'work-'));
    try {
      await make(work);
      // Whoever comes second finds the first one's tree, which is as good.
      await rename(join(work, 'debian'), kept).catch((error: unknown) => {
        if (!existsSync(kept)) throw error;
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const list = await readFile(join(kept, 'packages'), 'utf8');
  const modules = (await readFile(join(kept, 'modules'), 'utf8')).split('\n').filter(Boolean);
  return {
    tree: join(kept, 'tree'),
    kernel: join(kept, 'vmlinuz'),
    modules: modules.map((path) => join(kept, 'tree', path)),
    digest: createHash('sha256').update(list).digest('hex'),
  };
}

async function make(work: string): Promise<void> {
  const archives = join(work, 'archives');
  await mkdir(join(archives, 'partial'), { recursive: true });
  console.warn('vm: downloading a small Debian with apt into .toolchain/vm, once (126 MB)');
  await download(work, archives);
  const tree = join(work, 'debian/tree');
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(tree, 'usr', name), { recursive: true });
    await symlink(`usr/${name}`, join(tree, name));
  }
  const names = (await readdir(archives)).filter((name) => name.endsWith('.deb')).toSorted();
  for (const name of names) await unpack(join(archives, name), tree);
  const [release = ''] = await readdir(join(tree, 'lib/modules'));
  await rename(join(tree, `boot/vmlinuz-${release}`), join(work, 'debian/vmlinuz'));
  await step('list the modules', 'chroot', [tree, 'depmod', release], work);
  const listed = `for each in ${ROOT_MODULES.join(' ')}; do modprobe -S ${release} --show-depends "$each"; done | sed -n 's/^insmod \\(\\S*\\).*/\\1/p'`;
  const paths = await step('order the modules', 'chroot', [tree, 'bash', '-c', listed], work);
  await writeFile(join(work, 'debian/modules'), [...new Set(paths.split('\n'))].join('\n'));
  await writeFile(join(work, 'debian/packages'), `${RECIPE}\n${names.join('\n')}\n`);
}

/** As onto an empty disk: apt is told that nothing is installed. */
async function download(work: string, archives: string): Promise<void> {
  await writeFile(join(work, 'status'), '');
  const options = [`Dir::State::status=${join(work, 'status')}`, `Dir::Cache::archives=${archives}`];
  options.push(
    'Debug::NoLocking=1',
    'APT::Sandbox::User=root',
    `Dir::Cache::pkgcache=${join(work, 'pkgcache')}`,
  );
  const args = [
    '-q',
    '-y',
    '--no-install-recommends',
    '--download-only',
    ...options.flatMap((each) => ['-o', each]),
  ];
  await step(
    'download a small Debian (apt-get update as root?)',
    'apt-get',
    [...args, 'install', ...PACKAGES],
    work,
  );
}

async function unpack(archive: string, tree: string): Promise<void> {
  const parts = /\/linux-image-\d/.test(archive)
    ? [
        '--wildcards',
        '*/vmlinuz-*',
        ...MODULES.flatMap((name) => [`./lib/modules/*/${name}`, `./usr/lib/modules/*/${name}`]),
      ]
    : LEFT_OUT.map((name) => `--exclude=${name}`);
  // A module that this kernel has built in, or keeps elsewhere, is not found: what matters is missed when it is loaded.
  const script =
    'archive=$1; shift; dpkg-deb --fsys-tarfile "$archive" | tar -x --keep-directory-symlink "$@"';
  await step(
    `unpack ${archive}`,
    'bash',
    ['-c', `${script} 2>/dev/null; test "\${PIPESTATUS[0]}" = 0`, 'unpack', archive, '-C', tree, ...parts],
    '/',
  );
}
