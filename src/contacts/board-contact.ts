import type { Reading } from '../core/evidence.ts';
import type { Bus } from './bus.ts';
import type { GroupedContact } from './cut.ts';
import type { Board, Channel, Exchange } from './exchange.ts';
import type { CommandOutcome, Fence, IsolateReceipt } from './port.ts';
import type { Timers } from './timers.ts';

/** Channels from 1 by what they read; whoever is in neither list reads isolated. */
export interface ChannelsRead {
  readonly connected: readonly number[];
  readonly unknown: readonly number[];
}

/** A start-up check and the question that answers it: `null` when the setting is right, else what is wrong, in a sentence. */
export interface SettingsCheck {
  readonly name: string;
  readonly exchange: Exchange<string | null>;
}

/** A board whose relays are contacts, whatever it speaks. */
export interface RelayBoard extends Board {
  readonly kind: 'fail-safe' | 'holding';
  /** Whether a reading is what was commanded or where the contact is. */
  readonly reports: 'commanded' | 'measured';
  readonly checks: readonly SettingsCheck[];
  /** The commands of one channel. `leaseMs`: every connect is a hardware lease of this length; `null`: a permanent connect. */
  channel(name: string, channel: number, leaseMs: number | null): Channel;
  /** The question that tells where a channel stands, perhaps among others; `null`: the board cannot be read. */
  reading(channel: number): Exchange<ChannelsRead> | null;
}

/** Where a contact sits and what it may do. */
export interface BoardContactParts {
  readonly name: string;
  readonly bus: Bus;
  readonly board: RelayBoard;
  /** From 1. */
  readonly channel: number;
  /** ms; `null`: connect without the board's own timer. */
  readonly hardwareLeaseMs: number | null;
  readonly timers: Timers;
}

/**
 * One relay channel of a board. A board that cannot be read makes every reading `unknown`: then only a witness can tell.
 *
 * A communication watchdog is no hardware lease: whatever feeds it, be it a reading of another channel, keeps every contact of
 * the device where it is. It covers the death of this program, its host and the cable; never a lease that was not renewed.
 */
export class BoardContact implements GroupedContact {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  readonly hardwareLeaseMs: number | null;
  readonly group: Bus;
  readonly channel: Channel;
  readonly #board: RelayBoard;
  readonly #number: number;
  readonly #timers: Timers;

  constructor(parts: BoardContactParts) {
    this.name = parts.name;
    this.kind = parts.board.kind;
    this.hardwareLeaseMs = parts.hardwareLeaseMs;
    this.group = parts.bus;
    this.#board = parts.board;
    this.#number = parts.channel;
    this.#timers = parts.timers;
    this.channel = parts.board.channel(parts.name, parts.channel, parts.hardwareLeaseMs);
    parts.bus.attach(this.channel);
  }

  connect(fence: Fence): Promise<CommandOutcome> {
    return this.group.connect(this.channel, fence);
  }

  isolate(): IsolateReceipt {
    const [receipt] = this.group.isolate([this.channel]);
    if (receipt === undefined) throw new Error('a bus returned no receipt for an isolate');
    return receipt;
  }

  async read(): Promise<Reading> {
    const unknown = (detail: string, takenAt = this.#timers.now()): Reading => ({
      position: 'unknown',
      takenAt,
      detail,
    });
    const question = this.#board.reading(this.#number);
    if (question === null) return unknown('this board cannot be read; only a witness can tell');
    const answer = await this.group.ask(question);
    if (answer.kind !== 'answer') return unknown(answer.why);
    if (answer.answer.unknown.includes(this.#number))
      return unknown(`channel ${this.#number} reads neither connected nor isolated`, answer.askedAt);
    const position = answer.answer.connected.includes(this.#number) ? 'connected' : 'isolated';
    const source = this.#board.reports === 'commanded' ? 'the board was told' : 'the board measures';
    return {
      position,
      takenAt: answer.askedAt,
      detail: `channel ${this.#number} reads ${position} (${source})`,
    };
  }

  async settingsProblems(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const check of this.#board.checks) {
      const answer = await this.group.ask(check.exchange);
      if (answer.kind !== 'answer') {
        problems.push(`${check.name} of ${this.#board.label} could not be read: ${answer.why}`);
      } else if (answer.answer !== null) problems.push(answer.answer);
    }
    return problems;
  }

  async close(): Promise<void> {
    this.group.detach(this.channel);
  }
}
