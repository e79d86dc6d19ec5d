/**
 * By which interface would a packet to the vault leave? Where the vault's own interface goes away, its route goes with it, and restic calls
 * the same address through the default route: somebody else may answer there (measured: for 106 seconds).
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { ControllerFault } from '../fault.ts';

/** The way to a vault. */
export interface Way {
  /** An address, not a name: whoever answers for names must have no say here. */
  readonly host: string;
  readonly interface: string;
}

/** Any port: nothing is sent. */
const DISCARD_PORT = 9;
const PAUSE_MS = 200;
/** ms for an interface to have its route after the link has settled. */
export const ROUTE_TIMEOUT_MS = 15_000;

/** The address that the kernel would send from, or why it would not send. A connected UDP socket asks for the route and sends nothing. */
function sourceTowards(host: string): Promise<{ readonly from: string } | { readonly why: string }> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const end = (answer: { readonly from: string } | { readonly why: string }): void => {
      socket.close();
      resolve(answer);
    };
    socket.once('error', (error) => end({ why: error.message }));
    socket.connect(DISCARD_PORT, host, () => end({ from: socket.address().address }));
  });
}

/** Why a packet to the vault would not leave by its interface, or `null`. */
export async function wayProblem({ host, interface: name }: Way): Promise<string | null> {
  const mine = networkInterfaces()[name];
  // Without carrier it is not listed.
  if (mine === undefined) return `the interface ${name} towards ${host} is gone, down or without carrier`;
  const answer = await sourceTowards(host);
  if ('why' in answer) return `there is no route to ${host}: ${answer.why}`;
  const plain = answer.from.split('%', 1)[0] ?? answer.from;
  if (mine.some(({ address }) => address === plain)) return null;
  return `a packet to ${host} would not leave by ${name}: its sender would be ${plain}, which is not an address of ${name}`;
}

/** The fault that stands for a way that is not as configured. */
export const wayFault = (why: string): ControllerFault =>
  new ControllerFault(
    'ROUTE_ELSEWHERE',
    why,
    'see `ip route get`; an unreachable route with a worse metric keeps packets to the vault from following the default route',
  );

/** Waits until packets would leave by the right interface. Why they do not, or `null`. */
export async function untilWay(way: Way, timeoutMs: number, stop: AbortSignal): Promise<string | null> {
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- until it is right
    const why = await wayProblem(way);
    if (why === null || stop.aborted || performance.now() > endsAt) return why;
    // oxlint-disable-next-line no-await-in-loop
    await pause(PAUSE_MS, undefined, { signal: stop }).catch(() => undefined); // aborted: the loop looks
  }
}
