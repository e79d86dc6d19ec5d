/**
 * The machine's disk, as a disk is: it has a cache of its own, and what was written but not flushed may be lost when the
 * power is cut, in part, in any order, torn between two sectors. What was flushed stays. An NBD server on a Unix socket
 * (protocol: github.com/NetworkBlockDevice/nbd, doc/proto.md) over an image that is only read.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

const BLOCK = 4_096;
/** What a disk writes whole, or not at all. */
const SECTOR = 512;
const OPTION_MAGIC = 0x49484156454f5054n;
const OPTION_REPLY_MAGIC = 0x3e889045565a9n;
const REQUEST_MAGIC = 0x25609513;
const REPLY_MAGIC = 0x67446698;
const FIXED_NEWSTYLE_NO_ZEROES = 3;
/** Has flags, takes flushes, takes FUA: so the machine's kernel orders its writes with them. */
const EXPORT_FLAGS = 1 | 4 | 8;
const OPTION = { exportName: 1, abort: 2, go: 7 } as const;
const REPLY = { acknowledged: 1, info: 3, unsupported: 0x80000001 } as const;
const COMMAND = { read: 0, write: 1, disconnect: 2, flush: 3 } as const;
const FUA = 1;
const INVALID = 22;
/** Bytes of one request; QEMU asks for no more than 32 MiB. */
const MAX_LENGTH = 64 * 1024 * 1024;

/** What a power cut did to the disk. */
export interface Loss {
  /** Writes since the last flush, and how many of them were lost whole or in part. */
  readonly unflushed: number;
  readonly lost: number;
}

/** What becomes of writes that were not flushed: all are lost, or chance decides for every one of them. */
export type Fate = 'all' | (() => number);

interface Write {
  readonly offset: number;
  readonly bytes: Buffer;
}

export class LossyDisk {
  readonly size: number;
  readonly socket: string;
  flushes = 0;
  readonly #image: number;
  /** Blocks as the machine reads them, and as they survive a power cut; those of the image are in neither. */
  #now = new Map<number, Buffer>();
  #kept = new Map<number, Buffer>();
  #pending: Write[] = [];
  /** How many writes it still takes, and who is told when it has taken the last; null while it has power. */
  #last: { writes: number; readonly taken: () => void } | null = null;
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  constructor(image: string, socket: string) {
    this.#image = openSync(image, 'r');
    this.size = fstatSync(this.#image).size;
    this.socket = socket;
  }

  async serve(): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined); // the machine was killed; it connects again
      serveClient(socket, this);
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.socket, resolve);
    });
  }

  /** Its power goes right after so many more writes: it answers nothing after the last. Resolves then. */
  failAfter(writes: number): Promise<void> {
    return new Promise((taken) => (this.#last = { writes, taken }));
  }

  get hasFailed(): boolean {
    return this.#last?.writes === 0;
  }

  /** The power goes: nobody talks to it any more, and what its cache held is lost as `fate` says. */
  cut(fate: Fate): Loss {
    for (const socket of this.#sockets) socket.destroy();
    this.#last = null;
    const unflushed = this.#pending.length;
    let lost = 0;
    for (const write of this.#pending) {
      const survived = fate === 'all' ? [] : surviving(write, fate);
      for (const part of survived) this.#put(this.#kept, part);
      if (survived.reduce((sum, { bytes }) => sum + bytes.length, 0) < write.bytes.length) lost += 1;
    }
    this.#pending = [];
    this.#now = new Map([...this.#kept].map(([at, block]) => [at, Buffer.from(block)]));
    return { unflushed, lost };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    if (server !== null) await new Promise((resolve) => server.close(resolve));
    closeSync(this.#image);
  }

  read(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#image, bytes, 0, length, offset);
    for (let at = offset - (offset % BLOCK); at < offset + length; at += BLOCK) {
      const block = this.#now.get(at);
      if (block === undefined) continue;
      const from = Math.max(at, offset);
      block.copy(bytes, from - offset, from - at, Math.min(at + BLOCK, offset + length) - at);
    }
    return bytes;
  }

  write(offset: number, bytes: Buffer): void {
    this.#put(this.#now, { offset, bytes });
    this.#pending.push({ offset, bytes });
    if (this.#last === null) return;
    this.#last.writes -= 1;
    if (this.#last.writes === 0) this.#last.taken();
  }

  flush(): void {
    this.flushes += 1;
    for (const write of this.#pending) this.#put(this.#kept, write);
    this.#pending = [];
  }

  #put(blocks: Map<number, Buffer>, { offset, bytes }: Write): void {
    for (let at = offset - (offset % BLOCK); at < offset + bytes.length; at += BLOCK) {
      let block = blocks.get(at);
      if (block === undefined) {
        block = Buffer.alloc(BLOCK);
        // What survives is what was flushed before, else the image: never what the machine wrote meanwhile.
        readSync(this.#image, block, 0, BLOCK, at);
        blocks.set(at, block);
      }
      const from = Math.max(at, offset);
      bytes.copy(block, from - at, from - offset, Math.min(at + BLOCK, offset + bytes.length) - offset);
    }
  }
}

/** A third of the writes stays, a third is lost, and of a third each sector stays or is lost by itself. */
function surviving(write: Write, random: () => number): readonly Write[] {
  const fate = random();
  if (fate < 1 / 3) return [write];
  if (fate < 2 / 3) return [];
  const parts: Write[] = [];
  for (let at = 0; at < write.bytes.length; at += SECTOR)
    if (random() < 1 / 2)
      parts.push({ offset: write.offset + at, bytes: write.bytes.subarray(at, at + SECTOR) });
  return parts;
}

/** Speaks NBD with one client until it leaves. */
function serveClient(socket: Socket, disk: LossyDisk): void {
  let buffered: Buffer[] = [];
  let length = 0;
  let wanted = 4;
  const greeting = Buffer.alloc(18);
  greeting.write('NBDMAGICIHAVEOPT');
  greeting.writeUInt16BE(FIXED_NEWSTYLE_NO_ZEROES, 16);
  socket.write(greeting);
  const talk = conversation(disk, (bytes) => void socket.write(bytes));
  talk.next();
  socket.on('data', (chunk: Buffer) => {
    buffered.push(chunk);
    length += chunk.length;
    while (length >= wanted) {
      const all = buffered.length === 1 && buffered[0] !== undefined ? buffered[0] : Buffer.concat(buffered);
      const next = talk.next(all.subarray(0, wanted));
      buffered = [all.subarray(wanted)];
      length = all.length - wanted;
      if (next.done === true) return void socket.end();
      wanted = next.value;
    }
  });
}

/** Yields how many bytes it wants next. */
function* conversation(disk: LossyDisk, send: (bytes: Buffer) => void): Generator<number, void, Buffer> {
  yield 4;
  for (;;) {
    const head = yield 16;
    if (head.readBigUInt64BE(0) !== OPTION_MAGIC) return;
    const option = head.readUInt32BE(8);
    const size = head.readUInt32BE(12);
    if (size > MAX_LENGTH) return;
    if (size > 0) yield size;
    if (option === OPTION.abort) return;
    if (option === OPTION.exportName) {
      send(exported(disk));
      break;
    }
    if (option !== OPTION.go) {
      send(optionReply(option, REPLY.unsupported));
      continue;
    }
    send(optionReply(option, REPLY.info, Buffer.concat([Buffer.alloc(2), exported(disk)])));
    send(optionReply(option, REPLY.acknowledged));
    break;
  }
  yield* transmission(disk, send);
}

function* transmission(disk: LossyDisk, send: (bytes: Buffer) => void): Generator<number, void, Buffer> {
  for (;;) {
    const head = yield 28;
    if (head.readUInt32BE(0) !== REQUEST_MAGIC) return;
    const [flags, command] = [head.readUInt16BE(4), head.readUInt16BE(6)];
    // Kept: the bytes of a request are overwritten by the next.
    const handle = Buffer.from(head.subarray(8, 16));
    const offset = Number(head.readBigUInt64BE(16));
    const length = head.readUInt32BE(24);
    if (command === COMMAND.disconnect || length > MAX_LENGTH) return;
    if (disk.hasFailed) {
      if (command === COMMAND.write) yield length;
      continue;
    }
    if (command === COMMAND.read) send(Buffer.concat([reply(handle, 0), disk.read(offset, length)]));
    else if (command === COMMAND.write) {
      disk.write(offset, Buffer.from(yield length));
      if (disk.hasFailed) continue;
      if ((flags & FUA) !== 0) disk.flush();
      send(reply(handle, 0));
    } else if (command === COMMAND.flush) {
      disk.flush();
      send(reply(handle, 0));
    } else send(reply(handle, INVALID));
  }
}

function exported({ size }: LossyDisk): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeBigUInt64BE(BigInt(size), 0);
  bytes.writeUInt16BE(EXPORT_FLAGS, 8);
  return bytes;
}

function optionReply(option: number, type: number, data: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(20);
  head.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  head.writeUInt32BE(option, 8);
  head.writeUInt32BE(type, 12);
  head.writeUInt32BE(data.length, 16);
  return Buffer.concat([head, data]);
}

function reply(handle: Buffer, error: number): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(REPLY_MAGIC, 0);
  head.writeUInt32BE(error, 4);
  handle.copy(head, 8);
  return head;
}
