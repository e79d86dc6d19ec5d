/** Switches faults and inputs of a running emulation: one JSON object per line in, one per line out. */
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import type { PlayedBoard } from './played.ts';
import { FAULTS, parseFault, type FaultName } from './faults.ts';

/** Longest line, characters. */
const MAX_LINE = 4_096;
const MAX_CONNECTIONS = 16;

const bit = z.union([z.literal(0), z.literal(1), z.boolean()]);
const line = z.union([
  z.strictObject({
    fault: z.string().max(100),
    times: z.int().min(1).max(1_000_000).optional(),
    on: z.enum(['connect', 'isolate', 'read', 'other', 'any']).optional(),
  }),
  z.strictObject({ clear: z.union([z.literal(true), z.string().max(100)]) }),
  z.strictObject({ state: z.literal(true) }),
  z.strictObject({ input: z.int().min(1), value: bit }),
  z.strictObject({ register: z.int().min(0).max(0xffff), value: z.int().min(0).max(0xffff) }),
]);

const FORMS =
  '{"fault":"NAME[:NUMBER]","times":N,"on":"isolate"}, {"clear":true}, {"clear":"NAME"}, {"state":true}, {"input":N,"value":0|1} or {"register":N,"value":N}';

const isFaultName = (name: string): name is FaultName => Object.hasOwn(FAULTS, name);

/** Does what one control line says; returns the answer, `ok` or with an `error` that tells what is possible. */
export function control(board: PlayedBoard, text: string): Readonly<Record<string, unknown>> {
  const failed = (error: string): Readonly<Record<string, unknown>> => ({ ok: false, error });
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return failed(`no JSON; one line is one of ${FORMS}`);
  }
  const parsed = line.safeParse(raw);
  if (!parsed.success) return failed(`one line is one of ${FORMS}`);
  const order = parsed.data;
  try {
    if ('fault' in order) {
      const { on, times } = order;
      const scope = { ...(on === undefined ? {} : { on }), ...(times === undefined ? {} : { times }) };
      const reading = parseFault(order.fault, board.profile.channels, scope);
      if (reading.kind === 'problem') return failed(reading.what);
      board.addFault(reading.fault);
    } else if ('clear' in order) {
      if (order.clear === true) board.clearFaults();
      else if (isFaultName(order.clear)) board.clearFaults(order.clear);
      else return failed(`no such fault; known: ${Object.keys(FAULTS).join(', ')}`);
    } else if ('input' in order) board.setInput(order.input, Boolean(order.value));
    else if ('register' in order) board.setRegister(order.register, order.value);
  } catch (error) {
    // Only what the board says about a number that it does not have.
    if (error instanceof RangeError) return failed(error.message);
    throw error;
  }
  return { ok: true, state: board.state() };
}

/** Cuts text into lines for `take`; a line beyond the limit ends it. Returns false when that happened. */
export function lineTaker(take: (text: string) => void): (chunk: string) => boolean {
  let pending = '';
  return (chunk) => {
    pending += chunk;
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      const text = pending.slice(0, end).trim();
      pending = pending.slice(end + 1);
      if (text !== '') take(text);
    }
    return pending.length <= MAX_LINE;
  };
}

/** A control socket. */
export interface ControlService {
  readonly path: string;
  readonly close: () => Promise<void>;
}

/** Takes control lines on a Unix socket that only this user may use. Rejects when the path cannot be had. */
export async function serveControl(board: PlayedBoard, path: string): Promise<ControlService> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    const take = lineTaker((text) => socket.write(`${JSON.stringify(control(board, text))}\n`));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      if (!take(chunk)) socket.destroy();
    });
    // The peer went away; 'close' follows.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return {
    path,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
