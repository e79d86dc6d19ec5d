/** The two system calls that Node.js lacks, by koffi. Loaded with the first call: most installations have no GPIO. */
import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import type Koffi from 'koffi';
import { GpioFailure } from './failure.ts';

/** What the character device needs of the C library. */
export interface KernelCalls {
  /** Throws an error with the code of the system's, as those of node:fs have. */
  ioctl(fd: number, request: number, argument: Buffer): void;
  /** What of POLLIN, POLLERR and POLLHUP holds for `fd` now; does not wait. */
  poll(fd: number): number;
}

/** Bits of `revents` in <poll.h>. */
export const POLL = { in: 0x001, error: 0x008, hangUp: 0x010, invalid: 0x020 } as const;

let loaded: KernelCalls | null = null;

/** The calls of this process. Throws GpioFailure where koffi has no library for this machine. */
export function kernelCalls(): KernelCalls {
  loaded ??= load();
  return loaded;
}

function load(): KernelCalls {
  let koffi: typeof Koffi;
  try {
    // A CommonJS module with a native part. Its own types say what it is.
    koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new GpioFailure(`the GPIO character device needs koffi, which cannot be loaded: ${why}`);
  }
  const libc = koffi.load('libc.so.6');
  const ioctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)') as (
    fd: number,
    request: number,
    argument: Buffer,
  ) => number;
  const poll = libc.func('int poll(void *fds, unsigned long count, int timeout)') as (
    fds: Buffer,
    count: number,
    timeoutMs: number,
  ) => number;
  const failed = (what: string): Error => {
    const code = getSystemErrorName(-koffi.errno());
    return Object.assign(new Error(`${what}: ${code}`), { code });
  };
  const pollFd = Buffer.alloc(8);
  return {
    ioctl: (fd, request, argument) => {
      if (ioctl(fd, request, argument) < 0) throw failed('ioctl');
    },
    poll: (fd) => {
      pollFd.writeInt32LE(fd, 0);
      pollFd.writeInt16LE(POLL.in, 4);
      pollFd.writeInt16LE(0, 6);
      if (poll(pollFd, 1, 0) < 0) throw failed('poll');
      return pollFd.readInt16LE(6);
    },
  };
}
