/** What strangers do to a listener. Every attack goes on until its process is killed. */
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** What an attack has done until now. */
export interface Done {
  /** Requests, or pieces of requests. */
  sent: number;
  /** Connections that were begun. */
  begun: number;
  /** Connections that stand. */
  standing: number;
  /** Pieces of answers that came. */
  answered: number;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

type Attack = (target: Target, done: Done) => void;

/** Loopback has many addresses; an attacker has as many as the test gives it. */
const ADDRESSES = Array.from({ length: 16 }, (_, index) => `127.0.1.${index + 1}`);
const TICK_MS = 50;

/** Keeps `count` connections standing, one after another from every address; each is begun with `begin`. */
function keep(
  { host, port }: Target,
  done: Done,
  count: number,
  begin: (socket: Socket) => void,
  addresses: readonly string[] = ADDRESSES,
): ReadonlySet<Socket> {
  const standing = new Set<Socket>();
  const dial = (): void => {
    const localAddress = addresses[done.begun % addresses.length] ?? '127.0.0.1';
    done.begun += 1;
    const socket = connect({ host, port, localAddress, allowHalfOpen: true });
    socket.once('connect', () => {
      standing.add(socket);
      done.standing = standing.size;
      begin(socket);
    });
    socket.on('data', () => {
      done.answered += 1;
    });
    socket.on('error', () => undefined);
    socket.once('end', () => socket.destroy());
    socket.once('close', () => {
      standing.delete(socket);
      done.standing = standing.size;
    });
  };
  const fill = (): void => {
    // As fast as a stranger can, within reason: who was pushed out comes again.
    for (let missing = Math.min(count - standing.size, 100); missing > 0; missing -= 1) dial();
  };
  fill();
  setInterval(fill, TICK_MS);
  return standing;
}

const request = (headers: readonly string[], body: string | Buffer = ''): Buffer =>
  Buffer.concat([
    Buffer.from(['POST /trip/alarm HTTP/1.1', 'Host: box', ...headers, '', ''].join('\r\n'), 'latin1'),
    Buffer.from(body),
  ]);

const WRONG = 'Authorization: Bearer 000000000000000000000000';
const sized = (body: string | Buffer, ...headers: string[]): Buffer =>
  request([WRONG, ...headers, `Content-Length: ${Buffer.byteLength(body)}`], body);

/** Sends each of these on a connection of its own, again and again, `perTick` every tick. */
function shower(
  target: Target,
  done: Done,
  perTick: number,
  pieces: readonly Buffer[],
  isHalfClosed = false,
): void {
  setInterval(() => {
    for (let index = 0; index < perTick; index += 1) {
      const piece = pieces[done.begun % pieces.length] ?? Buffer.alloc(0);
      const localAddress = ADDRESSES[done.begun % ADDRESSES.length] ?? '127.0.0.1';
      done.begun += 1;
      const socket = connect({ ...target, localAddress, allowHalfOpen: true });
      socket
        .on('error', () => undefined)
        .on('data', () => {
          done.answered += 1;
        });
      socket.once('connect', () => {
        done.sent += 1;
        if (isHalfClosed) socket.end(piece);
        else socket.write(piece);
      });
      if (!isHalfClosed) socket.once('end', () => socket.destroy());
    }
  }, TICK_MS);
}

/** 2,000 requests with a wrong token a second, over connections that are kept. */
const flood: Attack = (target, done) => {
  const PER_SECOND = 2_000;
  const CONNECTIONS = 20;
  const bad = sized('{"status":"firing","reason":"let me in"}');
  const standing = keep(target, done, CONNECTIONS, () => undefined);
  const began = performance.now();
  setInterval(() => {
    for (const due = ((performance.now() - began) / 1_000) * PER_SECOND; done.sent < due;) {
      if (standing.size === 0) return;
      for (const socket of standing) {
        socket.write(bad);
        done.sent += 1;
      }
    }
  }, 10);
};

/** Requests in a row on each connection, and no answer is ever read. */
const pipelined: Attack = (target, done) => {
  const many = Buffer.concat(Array.from({ length: 200 }, () => sized('{}')));
  const standing = keep(target, done, 30, (socket) => socket.pause());
  setInterval(() => {
    for (const socket of standing) {
      if (socket.writableLength > 0) continue;
      socket.write(many);
      done.sent += 200;
    }
  }, TICK_MS);
};

/** A thousand connections that send their headers a byte at a time. */
const slowLoris: Attack = (target, done) => {
  const standing = keep(target, done, 1_000, (socket) => socket.write('POST /trip/alarm HTTP/1.1\r\nX-A: '));
  setInterval(() => {
    for (const socket of standing) socket.write('a');
    done.sent += standing.size;
  }, 500);
};

/** A thousand connections from one address that say nothing at all. */
const silent: Attack = (target, done) => {
  keep(target, done, 1_000, () => undefined, ['127.0.1.1']);
  setInterval(() => {
    done.sent = done.begun;
  }, TICK_MS);
};

/** Two million bytes: declared, in chunks; and 900 kB that never end on as many connections as there may be, and only those are counted. */
const bodies: Attack = (target, done) => {
  const two = Buffer.alloc(2_000_000, '[');
  const chunk = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
  const chunked = request([WRONG, 'Transfer-Encoding: chunked']);
  shower(target, { ...done }, 2, [
    sized(two),
    Buffer.concat([chunked, chunk(two), Buffer.from('0\r\n\r\n')]),
  ]);
  const unending = Buffer.concat([chunked, chunk(Buffer.alloc(900_000, '['))]);
  keep(target, done, 250, (socket) => {
    done.sent += 1;
    socket.write(unending);
  });
};

const headers: Attack = (target, done) => {
  const of = (length: number, one: (index: number) => string): Buffer =>
    request([WRONG, ...Array.from({ length }, (_, index) => one(index)), 'Content-Length: 0']);
  shower(target, done, 20, [
    of(1, () => `X-Long: ${'a'.repeat(100_000)}`),
    of(1, () => `${'N'.repeat(100_000)}: a`),
    of(20_000, (index) => `X-${index}: a`),
    of(1_500, (index) => `X${index}:a`),
    of(3_000, () => 'a:'),
    Buffer.from(`POST /trip/${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`),
    Buffer.from(`POST /trip/${'/'.repeat(10_000)} HTTP/1.1\r\n\r\n`),
  ]);
};

/** Bombs, depth, bytes that are no text, and requests that two readers read differently. */
const tricks: Attack = (target, done) => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  const deep = '['.repeat(500_000);
  shower(target, done, 20, [
    sized(bomb, 'Content-Encoding: gzip', 'Content-Type: application/json'),
    sized(bomb, 'Content-Encoding: gzip, gzip, br'),
    sized(deep, 'Content-Type: application/json'),
    sized('{"a":'.repeat(100_000)),
    sized(Buffer.alloc(10_000, 0xff)),
    sized(Buffer.from([0xed, 0xa0, 0x80, 0xf8, 0x88, 0x80, 0x80, 0x80])),
    request([WRONG, WRONG, 'Content-Length: 2'], '{}'),
    request([WRONG, 'Content-Length: 2', 'Content-Length: 3'], '{}'),
    request([WRONG, 'Content-Length: 2', 'Transfer-Encoding: chunked'], '2\r\n{}\r\n0\r\n\r\n'),
    request([WRONG, 'Transfer-Encoding: chunked, identity'], '0\r\n\r\n'),
    request([WRONG, 'Transfer-Encoding: chunked'], 'ffffffffffffffff\r\n'),
    request([WRONG, 'Content-Length: -1'], '{}'),
    Buffer.from('POST /trip/\xff\xfe%ff%00 HTTP/1.1\r\nHost: \xff\r\n\r\n', 'latin1'),
    Buffer.from('\x00\x01\x02 nonsense \r\n\r\n', 'latin1'),
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    request([WRONG, 'Expect: 100-continue', 'Content-Length: 1000000']),
    request([WRONG, 'Upgrade: websocket', 'Connection: Upgrade', 'Content-Length: 0']),
  ]);
};

/** Said half, then the sending side is closed; the other half is left standing. */
const halfClosed: Attack = (target, done) => {
  shower(
    target,
    done,
    20,
    [Buffer.alloc(0), Buffer.from('POST /tr'), sized('{"status":"firing"}').subarray(0, -3), sized('{}')],
    true,
  );
};

/** The beginning of a TLS handshake (a ClientHello that names more than follows), then nothing. */
const handshakes: Attack = (target, done) => {
  const hello = Buffer.from('1603010200010001fc0303', 'hex');
  keep(target, done, 1_000, (socket) => socket.write(Buffer.concat([hello, Buffer.alloc(100, 7)])));
  shower(target, done, 10, [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from('150301000202280a', 'hex'),
    Buffer.alloc(5_000, 0x16),
  ]);
};

/** Every attack, by its name. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  flood,
  pipelined,
  'slow-loris': slowLoris,
  silent,
  bodies,
  headers,
  tricks,
  'half-closed': halfClosed,
  handshakes,
};
