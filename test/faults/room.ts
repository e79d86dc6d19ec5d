/** A state directory that is a file system of its own: one that can be full, or break under the feet of its user. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const SMALL_BYTES = 512 * 1024;
const DISK_BYTES = 8 * 1024 * 1024;
const FILLER_BYTES = [65_536, 4_096, 512, 1];

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8' }).trim();

/** A mounted directory. */
export class Room {
  readonly path: string;
  readonly #image: string | null;
  #isFrozen = false;

  private constructor(path: string, image: string | null) {
    this.path = path;
    this.#image = image;
  }

  /** A small tmpfs at `path`; null, said aloud, where that is not permitted. */
  static small(path: string): Room | null {
    return Room.#made('full state directories', new Room(path, null), (room) => {
      run('mount', '-t', 'tmpfs', '-o', `size=${SMALL_BYTES},mode=0750`, 'tmpfs', room.path);
    });
  }

  /** An ext4 on a loop device that turns read-only at its first error; null, said aloud, where that is not permitted. */
  static breakable(path: string): Room | null {
    const image = `${path}.ext4`;
    return Room.#made('state directories that turn read-only', new Room(path, image), (room) => {
      writeFileSync(image, '');
      truncateSync(image, DISK_BYTES);
      run('mkfs.ext4', '-q', '-F', image);
      room.#mountImage();
    });
  }

  static #made(what: string, room: Room, mount: (room: Room) => void): Room | null {
    mkdirSync(room.path, { recursive: true });
    try {
      mount(room);
      return room;
    } catch (error) {
      const why = String((error as { stderr?: string }).stderr ?? error).trim();
      console.warn(
        `NOT TESTED: ${what}, for nothing can be mounted here (${why}); run as root with loop devices`,
      );
      return null;
    }
  }

  #mountImage(): void {
    run('mount', '-o', 'loop,errors=remount-ro', this.#image ?? '', this.path);
  }

  /** Fills it to the last byte; the returned function makes room again. */
  fill(): () => void {
    const filler = join(this.path, 'filler');
    for (const bytes of FILLER_BYTES) {
      try {
        for (;;) appendFileSync(filler, Buffer.alloc(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
    if (statfsSync(this.path).bavail !== 0) throw new Error(`${this.path} could not be filled`);
    return () => rmSync(filler);
  }

  /** What the kernel does when it finds the file system damaged: from now on nobody writes, whoever has files in hand. */
  break(): void {
    const device = basename(run('findmnt', '-no', 'SOURCE', this.path));
    writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'a test');
  }

  /** The disk hangs: whoever writes waits until it is thawed. */
  freeze(): void {
    run('fsfreeze', '--freeze', this.path);
    this.#isFrozen = true;
  }

  thaw(): void {
    run('fsfreeze', '--unfreeze', this.path);
    this.#isFrozen = false;
  }

  /** Checks and mounts it anew. Nobody may have files in hand. */
  repair(): void {
    run('umount', this.path);
    try {
      run('e2fsck', '-p', this.#image ?? '');
    } catch (error) {
      // 1: errors were found and corrected, as they had to be.
      if ((error as { status?: number }).status !== 1) throw error;
    }
    this.#mountImage();
  }

  /** For nobody to write from now on; nobody may have files in hand. */
  remount(how: 'ro' | 'rw'): void {
    run('mount', '-o', `remount,${how}`, this.path);
  }

  leave(): void {
    if (this.#isFrozen) this.thaw();
    run('umount', this.path);
  }
}
