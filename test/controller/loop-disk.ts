/** Disks of vaults that can be attached and torn out: images on loop devices, and a place to mount them that nobody can write to. Needs root. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Why no disk can be mounted here, or `null`. Says so aloud: a skipped test proves nothing. */
export function missingDisks(): string | null {
  const tried = process.getuid?.() === 0 ? spawnSync('losetup', ['-f'], { encoding: 'utf8' }) : null;
  if (tried?.status === 0 && spawnSync('mkfs.ext4', ['-V']).status === 0) return null;
  const why = `NOT TESTED: disks of vaults, for ${tried === null ? 'this is not root' : `there is no loop device or mkfs.ext4 (apt-get install e2fsprogs): ${tried.stderr}`}`;
  console.warn(why);
  return why;
}

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** An empty mount point on a file system that is read-only: nobody can write into it, not even root. */
export class Place {
  readonly at: string;
  readonly #base: string;

  constructor(directory: string, name = 'place') {
    this.#base = join(directory, name);
    this.at = join(this.#base, 'vault');
    mkdirSync(this.#base);
    run('mount', '-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', this.#base);
    mkdirSync(this.at);
    this.writable(false);
  }

  writable(is: boolean): void {
    run('mount', '-o', `remount,${is ? 'rw' : 'ro'}`, this.#base);
  }

  /** Whatever is mounted there goes, too. */
  remove(): void {
    while (spawnSync('umount', ['-l', this.at]).status === 0);
    spawnSync('umount', ['-l', this.#base]);
  }
}

/** A disk with ext4 on it. */
export class LoopDisk {
  readonly uuid: string;
  readonly image: string;
  /** /dev/loopN while it is plugged in. */
  device: string | null = null;

  constructor(directory: string, name: string, megabytes: number, copyOf?: LoopDisk) {
    this.image = join(directory, `${name}.img`);
    if (copyOf === undefined) {
      run('truncate', '-s', `${megabytes}M`, this.image);
      run('mkfs.ext4', '-q', '-F', '-m', '0', this.image);
    } else copyFileSync(copyOf.image, this.image);
    this.uuid = run('blkid', '-p', '-s', 'UUID', '-o', 'value', this.image);
  }

  /** Never a second device of the same disk. */
  plug(): void {
    if (this.device !== null) return;
    this.released();
    this.device = run('losetup', '-f', '--show', this.image);
  }

  /**
   * Waits until no loop device is left of the disk. Whoever has one open holds it: a killed restic that waited for the disk, and any `blkid`
   * of another suite, which opens every device. Until then it is there with its UUID, and beside a second one none would be mounted.
   */
  released(): void {
    for (let count = 0; count < 100 && this.#isHeld(); count += 1) spawnSync('sleep', ['0.1']);
    if (this.#isHeld()) throw new Error(`the disk ${this.image} is still held by somebody`);
  }

  #isHeld(): boolean {
    return run('losetup', '-n', '-O', 'NAME', '-j', this.image) !== '';
  }

  /** Detached when its last user lets go. */
  unplug(): void {
    if (this.device !== null) spawnSync('losetup', ['-d', this.device]);
    this.device = null;
  }

  /** `major:minor`. */
  get number(): string {
    return run('lsblk', '-n', '-d', '-o', 'MAJ:MIN', this.device ?? '').trim();
  }
}

/** Mounts by hand, as somebody else would. */
export const mountByHand = (disk: LoopDisk, at: string): void => void run('mount', disk.device ?? '', at);
