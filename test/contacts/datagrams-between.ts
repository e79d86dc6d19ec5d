/** A UDP wire to an agent whose middle is ours. */
import { createSocket, type Socket } from 'node:dgram';

/** One datagram on its way. */
export interface Crossing {
  readonly direction: 'request' | 'reply';
  readonly bytes: Buffer;
  /** Sends on in the same direction, as often as it is called. */
  readonly pass: (bytes: Buffer) => void;
  /** Sends back to where this came from. */
  readonly answer: (bytes: Buffer) => void;
}

/** A wire that passes datagrams on, or does with them what `behave` says. */
export interface DatagramsBetween {
  readonly port: number;
  /** Every datagram of the manager, in order. */
  readonly requests: readonly Buffer[];
  behave: (crossing: Crossing) => void;
  /** From how many ports managers have spoken. */
  readonly managers: () => number;
  readonly stop: () => Promise<void>;
}

/** Passes on. */
export const passing = (crossing: Crossing): void => crossing.pass(crossing.bytes);

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.close(() => resolve()));

/** Starts a wire to `host:port`. */
export async function datagramsBetween(host: string, port: number): Promise<DatagramsBetween> {
  const near = createSocket('udp4');
  const requests: Buffer[] = [];
  /** One socket towards the agent for each port of the manager: late answers find their way. */
  const far = new Map<number, Socket>();
  const wire: DatagramsBetween = {
    port: 0,
    requests,
    behave: passing,
    managers: () => far.size,
    stop: async () => {
      await Promise.all([near, ...far.values()].map(closed));
    },
  };
  const towards = (managerPort: number): Socket => {
    const known = far.get(managerPort);
    if (known !== undefined) return known;
    const socket = createSocket('udp4');
    far.set(managerPort, socket);
    socket.on('error', () => undefined);
    socket.on('message', (bytes) => {
      wire.behave({
        direction: 'reply',
        bytes,
        pass: (sent) => near.send(sent, managerPort, '127.0.0.1'),
        answer: (sent) => socket.send(sent, port, host),
      });
    });
    return socket;
  };
  near.on('error', () => undefined);
  near.on('message', (bytes, { port: managerPort }) => {
    requests.push(bytes);
    const socket = towards(managerPort);
    wire.behave({
      direction: 'request',
      bytes,
      pass: (sent) => socket.send(sent, port, host),
      answer: (sent) => near.send(sent, managerPort, '127.0.0.1'),
    });
  });
  await new Promise<void>((resolve) => near.bind(0, '127.0.0.1', resolve));
  return Object.assign(wire, { port: near.address().port });
}
