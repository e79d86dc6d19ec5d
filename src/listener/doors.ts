/**
 * Several accepting sockets on one address and port (SO_REUSEPORT). The event loop takes one connection a turn from each
 * accepting socket; with only one, a crowd that dials again and again keeps a good request in the queue for seconds.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Accepting sockets for each place. */
const DOORS = 16;
/** Connections that wait at each door; the system may take fewer. */
const BACKLOG = 511;

/** Where to accept. */
interface At {
  readonly host: string;
  readonly port: number;
}

/**
 * `server` listens, and `further` servers beside it hand it their connections. Resolves with the port and the further
 * ones; rejects when somebody else has the address. A system without SO_REUSEPORT gets along with one door.
 */
export async function listenAtDoors(
  server: Server,
  at: At,
): Promise<{ readonly port: number; readonly further: readonly Server[] }> {
  // Alone first: beside a stranger's SO_REUSEPORT socket ours would get half of the alarms, and nobody would say so.
  const alone = createServer();
  const port = await listening(alone, { ...at, backlog: 1 });
  await new Promise((resolve) => alone.close(resolve));
  const here = { host: at.host, port, backlog: BACKLOG };
  try {
    await listening(server, { ...here, reusePort: true });
  } catch {
    return { port: await listening(server, here), further: [] };
  }
  const further = Array.from({ length: DOORS - 1 }, () =>
    createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
      server.emit('connection', socket);
    }),
  );
  try {
    await Promise.all(further.map((door) => listening(door, { ...here, reusePort: true })));
  } catch (error) {
    for (const door of further) door.close();
    throw error;
  }
  return { port, further };
}

function listening(server: Server, options: At & { backlog: number; reusePort?: boolean }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      // The listener lives as long as its process; accepting may fail while descriptors are short, and goes on after.
      server.on('error', () => undefined);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
