/**
 * Makes a TCP socket as dead as one on a pulled cable: the kernel drops every segment that arrives for it, before it is
 * acknowledged. No FIN, no RST, no ACK; a listening socket leaves connection attempts unanswered. Needs no privilege
 * (a socket filter that accepts nothing, SO_ATTACH_FILTER, socket(7)). Linux on little- and big-endian machines alike.
 */
import koffi from 'koffi';

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_DETACH_FILTER = 27;
/** One instruction of a socket filter: return so many bytes of the packet; 0 drops it (linux/filter.h BPF_RET | BPF_K). */
const DROP_EVERYTHING = { code: 0x06, jt: 0, jf: 0, k: 0 };
const INT_BYTES = 4;

interface Filter {
  readonly attach: (fd: number) => number;
  readonly detach: (fd: number) => number;
}

let loaded: Filter | null = null;

function filter(): Filter {
  if (loaded !== null) return loaded;
  const own = koffi.load(null);
  koffi.struct('sock_filter', { code: 'uint16_t', jt: 'uint8_t', jf: 'uint8_t', k: 'uint32_t' });
  const program = koffi.struct('sock_fprog', { len: 'uint16_t', filter: 'sock_filter *' });
  const size = koffi.sizeof(program);
  const attach = own.func(
    'int setsockopt(int fd, int level, int name, const sock_fprog *value, uint32_t size)',
  );
  const detach = own.func('int setsockopt(int fd, int level, int name, const int *value, uint32_t size)');
  loaded = {
    attach: (fd) =>
      Number(attach(fd, SOL_SOCKET, SO_ATTACH_FILTER, { len: 1, filter: [DROP_EVERYTHING] }, size)),
    detach: (fd) => Number(detach(fd, SOL_SOCKET, SO_DETACH_FILTER, [0], INT_BYTES)),
  };
  return loaded;
}

/** The file descriptor behind a Node socket or server; Node has no public way to it. -1: closed, or not a TCP one. */
function descriptorOf(holder: object): number {
  const handle: unknown = '_handle' in holder ? holder._handle : null;
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return -1;
  return typeof handle.fd === 'number' ? handle.fd : -1;
}

/** Deafens a TCP socket or listening server. False: the kernel would not, or it has no descriptor any more. */
export function deafen(holder: object): boolean {
  const fd = descriptorOf(holder);
  return fd >= 0 && filter().attach(fd) === 0;
}

/** Ends `deafen`. */
export function undeafen(holder: object): boolean {
  const fd = descriptorOf(holder);
  return fd >= 0 && filter().detach(fd) === 0;
}
