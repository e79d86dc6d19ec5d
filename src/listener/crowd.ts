/**
 * Who gives way when too many are connected. Pure: knows names of connections, no sockets.
 *
 * Whoever comes now is heard. What gives way is the connection that was silent for longest, of the address that holds
 * most: one address with a thousand connections pushes out its own, and nobody else's. Addresses that have proven
 * who they are give way last.
 */

/** Connections at one time. */
export const MAX_CONNECTIONS = 256;
/** Connections at one time from one address; with IPv6 from one /64, for that is what one sender owns. */
export const MAX_CONNECTIONS_PER_ADDRESS = 64;
/** Addresses remembered as having proven who they are. */
const MAX_VOUCHED = 64;
/** Groups of 16 bits that name the network of an IPv6 address. */
const NETWORK_GROUPS = 4;
const IPV6_GROUPS = 8;
const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

interface Member {
  readonly dismiss: () => void;
  /** Grows with every word of anybody. */
  lastWord: number;
}

/** How many may be connected. */
export interface CrowdLimits {
  readonly together: number;
  readonly perAddress: number;
}

/** The connections that stand. */
export class Crowd {
  readonly #limits: CrowdLimits;
  /** By network, then by connection; the one that was silent for longest is the first of its network. */
  readonly #networks = new Map<string, Map<string, Member>>();
  readonly #vouched = new Set<string>();
  #size = 0;
  #words = 0;

  constructor(limits: CrowdLimits = { together: MAX_CONNECTIONS, perAddress: MAX_CONNECTIONS_PER_ADDRESS }) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes a connection in; `dismiss` is called when it must give way. */
  admit(id: string, address: string, dismiss: () => void): void {
    const network = networkOf(address);
    const members = this.#networks.get(network) ?? new Map<string, Member>();
    this.#networks.set(network, members);
    members.set(id, { dismiss, lastWord: ++this.#words });
    this.#size += 1;
    if (members.size > this.#limits.perAddress) this.#dismissFirst(network, members);
    else if (this.#size > this.#limits.together) this.#dismissFirst(...this.#mostCrowded(network, members));
  }

  /** It said something whole. */
  heard(id: string, address: string): void {
    const members = this.#networks.get(networkOf(address));
    const member = members?.get(id);
    if (members === undefined || member === undefined) return;
    members.delete(id);
    members.set(id, member);
    member.lastWord = ++this.#words;
  }

  /** Somebody at this address proved who they are. */
  vouch(address: string): void {
    const network = networkOf(address);
    this.#vouched.delete(network);
    this.#vouched.add(network);
    const [oldest] = this.#vouched;
    if (this.#vouched.size > MAX_VOUCHED && oldest !== undefined) this.#vouched.delete(oldest);
  }

  /** It is gone. */
  left(id: string, address: string): void {
    const network = networkOf(address);
    const members = this.#networks.get(network);
    if (members?.delete(id) !== true) return;
    this.#size -= 1;
    if (members.size === 0) this.#networks.delete(network);
  }

  /** The network that must give one up: not vouched for before vouched for, then the largest, then the longest silent. */
  #mostCrowded(
    network: string,
    members: Map<string, Member>,
  ): readonly [string, ReadonlyMap<string, Member>] {
    const ranked = (name: string, its: ReadonlyMap<string, Member>): readonly [number, number, number] => [
      this.#vouched.has(name) ? 0 : 1,
      its.size,
      -(its.values().next().value?.lastWord ?? 0),
    ];
    let first = { name: network, its: members, rank: ranked(network, members) };
    for (const [name, its] of this.#networks) {
      const rank = ranked(name, its);
      if (isBefore(rank, first.rank)) first = { name, its, rank };
    }
    return [first.name, first.its];
  }

  #dismissFirst(network: string, members: ReadonlyMap<string, Member>): void {
    const [first] = members;
    if (first === undefined) return;
    const [id, { dismiss }] = first;
    this.left(id, network);
    dismiss();
  }
}

const isBefore = (a: readonly number[], b: readonly number[]): boolean => {
  const differs = a.findIndex((value, index) => value !== b[index]);
  return differs !== -1 && (a[differs] ?? 0) > (b[differs] ?? 0);
};

/** What counts as one sender: an IPv4 address, or the /64 network of an IPv6 address. */
export function networkOf(address: string): string {
  const embedded = IPV4_IN_IPV6.exec(address)?.[1];
  if (embedded !== undefined) return embedded;
  if (!address.includes(':') || address.endsWith('/64')) return address;
  const [front = '', back] = (address.split('%', 1)[0] ?? '').split('::', 2);
  const before = front === '' ? [] : front.split(':');
  const after = back === undefined || back === '' ? [] : back.split(':');
  const zeros = Math.max(0, IPV6_GROUPS - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}/64`;
}
