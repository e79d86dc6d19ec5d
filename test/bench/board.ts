/** A Modbus TCP board as plain as can be, in the measuring process: stamps each isolate frame in the tick of its arrival. */
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { nowMs } from './figures.ts';

export interface PlainBoard {
  readonly port: number;
  /** Called with the monotonic ms of arrival of every frame that isolates, and the unit it is for. */
  onIsolate: (at: number, unit: number) => void;
  close(): void;
}

const WRITE_COIL = 0x05;
const READ_COILS = 0x01;
const WRITE_COILS = 0x0f;
const READ_REGISTERS = 0x03;
const ALL_COILS = 0xff;
const FLASH_BASE = 0x0200;

/** Starts a board with eight coils on loopback. */
export function startBoard(): Promise<PlainBoard> {
  let coils = 0;
  const sockets = new Set<Socket>();
  const board: PlainBoard = {
    port: 0,
    onIsolate: () => undefined,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  const answer = (frame: Buffer, at: number): Buffer => {
    const code = frame[7];
    const address = frame.readUInt16BE(8);
    const value = frame.readUInt16BE(10);
    const reply = (pdu: readonly number[]): Buffer => {
      const head = Buffer.from(frame.subarray(0, 7));
      head.writeUInt16BE(pdu.length + 1, 4);
      return Buffer.concat([head, Buffer.from(pdu)]);
    };
    switch (code) {
      case WRITE_COIL: {
        const bits =
          address === ALL_COILS ? 0xff : 1 << (address >= FLASH_BASE ? address - FLASH_BASE : address);
        const isolates = address < FLASH_BASE && value === 0;
        if (isolates) board.onIsolate(at, frame.readUInt8(6));
        coils = isolates ? coils & ~bits : coils | bits;
        return frame;
      }
      case WRITE_COILS:
        board.onIsolate(at, frame.readUInt8(6));
        coils = 0;
        return reply([...frame.subarray(7, 12)]);
      case READ_COILS:
        return reply([READ_COILS, 1, coils]);
      case READ_REGISTERS:
        return reply([READ_REGISTERS, value * 2, ...Array.from({ length: value * 2 }, () => 0)]);
      default:
        return reply([(code ?? 0) | 0x80, 1]);
    }
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      const at = nowMs();
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 6 && rest.length >= 6 + rest.readUInt16BE(4)) {
        const end = 6 + rest.readUInt16BE(4);
        socket.write(answer(rest.subarray(0, end), at));
        rest = rest.subarray(end);
      }
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve(Object.assign(board, { port: (server.address() as AddressInfo).port })),
    );
  });
}
