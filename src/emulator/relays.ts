/** The relays of an emulated board: what was commanded, where the contacts are, and the timers that run. */
import type { Timers } from '../contacts/timers.ts';
import type { FaultList } from './faults.ts';

/** What an emulation needs of time. */
export type BoardTimers = Pick<Timers, 'now' | 'after'>;

export type ContactPosition = 'connected' | 'isolated';

/** What moved a contact; `frame` holds the bytes of the request that did. */
export type Cause =
  | { readonly kind: 'frame'; readonly frame: string }
  | { readonly kind: 'lease-ran-out' | 'watchdog' | 'fault' | 'reboot'; readonly frame: null };

interface Relay {
  coil: boolean;
  contact: boolean;
  lease: { readonly endsAt: number; readonly cancel: () => void } | null;
}

const positionOf = (connected: boolean): ContactPosition => (connected ? 'connected' : 'isolated');

/** Channels count from 1. Every relay begins isolated. */
export class Relays {
  readonly count: number;
  readonly #relays: readonly Relay[];
  readonly #timers: BoardTimers;
  readonly #faults: FaultList;
  readonly #moved: (channel: number, position: ContactPosition, cause: Cause) => void;

  constructor(
    count: number,
    timers: BoardTimers,
    faults: FaultList,
    moved: (channel: number, position: ContactPosition, cause: Cause) => void,
  ) {
    this.count = count;
    this.#relays = Array.from({ length: count }, () => ({ coil: false, contact: false, lease: null }));
    this.#timers = timers;
    this.#faults = faults;
    this.#moved = moved;
  }

  /** What was commanded, channel by channel. */
  coils(): readonly ContactPosition[] {
    return this.#relays.map(({ coil }) => positionOf(coil));
  }

  /** Where the contacts really are, channel by channel. */
  contacts(): readonly ContactPosition[] {
    return this.#relays.map(({ contact }) => positionOf(contact));
  }

  /** ms until each running lease ends. */
  leases(): readonly (number | null)[] {
    const now = this.#timers.now();
    return this.#relays.map(({ lease }) => (lease === null ? null : Math.max(lease.endsAt - now, 0)));
  }

  /** Throws RangeError for a channel that is not there. */
  isConnected(channel: number): boolean {
    return this.#relay(channel).contact;
  }

  /** A plain connect or isolate. `endsLease`: it ends a running lease; else it does nothing while one runs. */
  command(channel: number, connected: boolean, cause: Cause, endsLease = true): void {
    const relay = this.#relay(channel);
    if (this.#faults.has('echo-only')) return;
    const ignored = !endsLease || this.#faults.has('isolate-ignored-during-lease');
    if (!connected && relay.lease !== null && ignored) return;
    this.#move(channel, relay, connected, cause);
  }

  /** The board's own watchdog isolates everything. */
  trip(): void {
    this.#relays.forEach((relay, index) =>
      this.#move(index + 1, relay, false, { kind: 'watchdog', frame: null }),
    );
  }

  /** Connects for `ms`. */
  lease(channel: number, ms: number, cause: Cause): void {
    const relay = this.#relay(channel);
    if (this.#faults.has('echo-only')) return;
    if (relay.lease !== null && this.#faults.has('lease-not-renewable')) return;
    this.#move(channel, relay, true, cause);
    const cancel = this.#timers.after(ms, () =>
      this.#move(channel, relay, false, { kind: 'lease-ran-out', frame: null }),
    );
    relay.lease = { endsAt: this.#timers.now() + ms, cancel };
  }

  /** Power goes and returns. */
  powerCycle(position: 'isolated' | 'connected' | 'keeps' | 'unknown'): void {
    this.#relays.forEach((relay, index) => {
      const coil = position === 'connected' || (position === 'keeps' && relay.coil);
      this.#move(index + 1, relay, coil, { kind: 'reboot', frame: null });
    });
  }

  /** Puts every contact where coil and faults want it; after a change of faults. */
  settle(): void {
    this.#relays.forEach((relay, index) => this.#settle(index + 1, relay, { kind: 'fault', frame: null }));
  }

  /** Ends every timer. */
  close(): void {
    for (const relay of this.#relays) endLease(relay);
  }

  #move(channel: number, relay: Relay, connected: boolean, cause: Cause): void {
    endLease(relay);
    relay.coil = connected;
    this.#settle(channel, relay, cause);
  }

  #settle(channel: number, relay: Relay, cause: Cause): void {
    let connected = relay.coil;
    if (this.#faults.has('stuck-isolated', channel)) connected = false;
    if (this.#faults.has('welded', channel)) connected = true;
    if (connected === relay.contact) return;
    relay.contact = connected;
    this.#moved(channel, positionOf(connected), cause);
  }

  #relay(channel: number): Relay {
    const relay = this.#relays[channel - 1];
    if (relay === undefined) throw new RangeError(`channels are 1 to ${this.count}, not ${channel}`);
    return relay;
  }
}

function endLease(relay: Relay): void {
  relay.lease?.cancel();
  relay.lease = null;
}
