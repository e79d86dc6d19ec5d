import type { Board, Channel, Exchange } from '../exchange.ts';
import { meaningOf, requestFor } from './requests.ts';
import type { ModbusProfile } from './profile.ts';
import { ModbusExchange, type ModbusWire } from './exchange.ts';
import type { Reply } from './pdu.ts';

/** A start-up check and the question that answers it with what the registers hold. */
export interface SettingsCheck {
  readonly name: string;
  readonly address: number;
  readonly every: number;
  readonly danger: string;
  readonly exchange: Exchange<readonly number[]>;
}

/** A board as its profile describes it, at one unit of one bus. */
export class ModbusBoard implements Board {
  readonly label: string;
  readonly profile: ModbusProfile;
  readonly replyTimeoutMs: number;
  readonly gapMs: number;
  readonly worstReplyDelayMs: number;
  readonly isolateAll: Exchange<null> | null;
  /** Numbers of the channels that read connected, from 1. */
  readonly read: Exchange<ReadonlySet<number>>;
  /** Numbers of the inputs that read 1, from 1; `null` when the profile has no inputs. */
  readonly inputs: Exchange<ReadonlySet<number>> | null;
  readonly checks: readonly SettingsCheck[];
  readonly #wire: ModbusWire;
  readonly #unit: number;

  constructor(
    profile: ModbusProfile,
    place: { readonly wire: ModbusWire; readonly unit: number; readonly replyTimeoutMs?: number | undefined },
  ) {
    this.profile = profile;
    this.label = `unit ${place.unit}`;
    this.replyTimeoutMs = place.replyTimeoutMs ?? profile.timings.reply_timeout_ms;
    this.gapMs = profile.timings.gap_ms;
    this.worstReplyDelayMs = Math.max(profile.timings.worst_reply_delay_ms, this.replyTimeoutMs);
    this.#wire = place.wire;
    this.#unit = place.unit;
    this.isolateAll = profile.isolate_all === undefined ? null : this.#write({ ask: 'isolate-all' });
    this.read = new ModbusExchange(this.#place(), requestFor(profile, { ask: 'read' }), (reply) => {
      const meaning = meaningOf(profile, { ask: 'read' }, reply);
      return new Set(typeof meaning === 'object' && 'connected' in meaning ? meaning.connected : []);
    });
    this.inputs = profile.inputs === undefined ? null : this.#inputs();
    this.checks = profile.startup_checks.map(({ name, address, every, danger }) => {
      const request = requestFor(profile, { ask: 'startup-check', check: name });
      return {
        name,
        address,
        every,
        danger,
        exchange: new ModbusExchange(this.#place(), request, registersOf),
      };
    });
  }

  /** The commands of one channel. `leaseMs`: every connect is a hardware lease of this length; `null`: a permanent connect. */
  channel(name: string, channel: number, leaseMs: number | null): Channel {
    return {
      name,
      board: this,
      connect: this.#write(
        leaseMs === null ? { ask: 'connect', channel } : { ask: 'lease', channel, lease_ms: leaseMs },
      ),
      isolate: this.#write({ ask: 'isolate', channel }),
      probe: this.read,
    };
  }

  #write(ask: Parameters<typeof requestFor>[1]): Exchange<null> {
    return new ModbusExchange(this.#place(), requestFor(this.profile, ask), () => null);
  }

  #inputs(): Exchange<ReadonlySet<number>> {
    return new ModbusExchange(this.#place(), requestFor(this.profile, { ask: 'inputs' }), (reply) => {
      const meaning = meaningOf(this.profile, { ask: 'inputs' }, reply);
      return new Set(typeof meaning === 'object' && 'active' in meaning ? meaning.active : []);
    });
  }

  #place(): { readonly board: Board; readonly wire: ModbusWire; readonly unit: number } {
    return { board: this, wire: this.#wire, unit: this.#unit };
  }
}

/** The judge has made sure of the kind; anything else is a broken invariant. */
function registersOf(reply: Reply): readonly number[] {
  if (reply.kind !== 'registers') throw new TypeError(`registers are expected, not ${reply.kind}`);
  return reply.values;
}
