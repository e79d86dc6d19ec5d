/**
 * What systemd is told (sd_notify(3)): datagrams to the Unix socket that NOTIFY_SOCKET names. Node.js has no such sockets,
 * so the four calls go through koffi, which the interlock has loaded for the clock anyway.
 *
 * Nothing here throws or waits: a message that cannot be sent is one that systemd misses, and what it does then, it does
 * outside of this process.
 */
import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import type { Supervisor } from '../interlock/last-resort/life-signs.ts';
import { warn } from './exit.ts';

const AF_UNIX = 1;
/** SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC. */
const SOCKET_KIND = 0x80802;
/** MSG_DONTWAIT | MSG_NOSIGNAL. */
const SEND_FLAGS = 0x4040;
/** sizeof(sun_path). */
const PATH_BYTES = 108;
const MAX_STATUS_CHARS = 200;

/** systemd, or null when it did not start this process with `Type=notify`. Takes the variables away: they are not for children. */
export function serviceManager(environment: NodeJS.ProcessEnv = process.env): Supervisor | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = environment;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  if (socket === undefined || !/^[/@]./.test(socket)) return null;
  const send = sender(socket);
  if (send === null) return null;
  const isOurs = pid === undefined || pid === String(process.pid);
  const watchdogMs = usec !== undefined && isOurs && /^\d{1,15}$/.test(usec) ? Number(usec) / 1_000 : null;
  return {
    watchdogMs,
    // Ready and alive in one: the watchdog counts from here.
    ready: (status) => send(`READY=1\nWATCHDOG=1\n${statusLine(status)}`),
    alive: (status) => send(`WATCHDOG=1\n${statusLine(status)}`),
    stopping: () => send('STOPPING=1\nSTATUS=isolating every link before the end'),
  };
}

/** One line: whatever came from outside must not become another assignment. */
const statusLine = (status: string): string =>
  `STATUS=${status.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_STATUS_CHARS)}`;

function sender(path: string): ((message: string) => void) | null {
  const address = addressOf(path);
  if (address === null) {
    warn(`portcullis: NOTIFY_SOCKET is too long to be a Unix socket; systemd hears nothing`);
    return null;
  }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const libc = koffi.load('libc.so.6');
    const socket = libc.func('int socket(int domain, int type, int protocol)');
    const sendto = libc.func(
      'long sendto(int fd, void *message, unsigned long length, int flags, void *address, unsigned int size)',
    );
    const fd: unknown = socket(AF_UNIX, SOCKET_KIND, 0);
    if (typeof fd !== 'number' || fd < 0) throw new Error('socket() failed');
    return (message) => {
      const bytes = Buffer.from(message);
      sendto(fd, bytes, bytes.length, SEND_FLAGS, address, address.length);
    };
  } catch (error) {
    warn(`portcullis: systemd hears nothing from this process, and will end it: ${String(error)}`);
    return null;
  }
}

/** A struct sockaddr_un of exactly its length; a leading @ stands for the abstract namespace. */
function addressOf(path: string): Buffer | null {
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : path);
  if (name.length >= PATH_BYTES) return null;
  const family = Buffer.alloc(2);
  // In the order of this machine; every one that Node.js is built for here is little-endian.
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, name]);
}
