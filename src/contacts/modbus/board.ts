import type { ChannelsRead, RelayBoard, SettingsCheck } from '../board-contact.ts';
import type { Board, Channel, Exchange } from '../exchange.ts';
import { type Ask, channelsOf, meaningOf, requestFor, requestsFor } from './requests.ts';
import type { ModbusProfile } from './profile.ts';
import { ModbusExchange, ModbusSequence, type ModbusWire } from './exchange.ts';
import { settingProblem, settingRequest, valuesOf } from './settings.ts';

/** A board as its profile describes it, at one unit of one bus. */
export class ModbusBoard implements RelayBoard {
  readonly label: string;
  readonly profile: ModbusProfile;
  readonly kind: RelayBoard['kind'];
  readonly reports: RelayBoard['reports'];
  readonly replyTimeoutMs: number;
  readonly gapMs: number;
  readonly worstReplyDelayMs: number;
  readonly isolateAll: Exchange<null> | null;
  /** Numbers of the inputs that read 1, from 1; `null` when the profile has no inputs. */
  readonly inputs: Exchange<ReadonlySet<number>> | null;
  readonly checks: readonly SettingsCheck[];
  readonly #wire: ModbusWire;
  readonly #unit: number;
  /** What every channel reads. */
  readonly #read: Exchange<ChannelsRead>;

  constructor(
    profile: ModbusProfile,
    place: { readonly wire: ModbusWire; readonly unit: number; readonly replyTimeoutMs?: number | undefined },
  ) {
    this.profile = profile;
    this.kind = profile.contact;
    this.reports = profile.read.reports;
    this.label = `unit ${place.unit}`;
    this.replyTimeoutMs = place.replyTimeoutMs ?? profile.timings.reply_timeout_ms;
    this.gapMs = profile.timings.gap_ms;
    this.worstReplyDelayMs = Math.max(profile.timings.worst_reply_delay_ms, this.replyTimeoutMs);
    this.#wire = place.wire;
    this.#unit = place.unit;
    this.isolateAll = profile.isolate_all === undefined ? null : this.#write({ ask: 'isolate-all' });
    this.#read = new ModbusExchange(this.#place(), requestFor(profile, { ask: 'read' }), (reply) =>
      channelsOf(profile, reply),
    );
    this.inputs = profile.inputs === undefined ? null : this.#inputs();
    this.checks = profile.startup_checks.map((check) => ({
      name: check.name,
      exchange: new ModbusExchange(this.#place(), settingRequest(check), (reply) =>
        settingProblem(check, valuesOf(reply), { label: this.label, unit: place.unit }),
      ),
    }));
  }

  channel(name: string, channel: number, leaseMs: number | null): Channel {
    return {
      name,
      board: this,
      connect: this.#write(
        leaseMs === null ? { ask: 'connect', channel } : { ask: 'lease', channel, lease_ms: leaseMs },
      ),
      isolate: this.#isolate({ ask: 'isolate', channel }),
      probe: this.#read,
    };
  }

  reading(): Exchange<ChannelsRead> {
    return this.#read;
  }

  #write(ask: Ask): Exchange<null> {
    return new ModbusExchange(this.#place(), requestFor(this.profile, ask), () => null);
  }

  #isolate(ask: Ask): Exchange<null> {
    const requests = requestsFor(this.profile, ask);
    if (requests.length === 1) return this.#write(ask);
    return new ModbusSequence(
      this.#place(),
      requests,
      (replies) => meaningOf(this.profile, ask, replies) === 'accepted',
    );
  }

  #inputs(): Exchange<ReadonlySet<number>> {
    return new ModbusExchange(this.#place(), requestFor(this.profile, { ask: 'inputs' }), (reply) => {
      const meaning = meaningOf(this.profile, { ask: 'inputs' }, [reply]);
      return new Set(typeof meaning === 'object' && 'active' in meaning ? meaning.active : []);
    });
  }

  #place(): { readonly board: Board; readonly wire: ModbusWire; readonly unit: number } {
    return { board: this, wire: this.#wire, unit: this.#unit };
  }
}
