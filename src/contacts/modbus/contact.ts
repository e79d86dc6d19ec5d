import type { Reading } from '../../core/evidence.ts';
import type { Bus } from '../bus.ts';
import type { GroupedContact } from '../cut.ts';
import type { Channel } from '../exchange.ts';
import type { CommandOutcome, Fence, IsolateReceipt } from '../port.ts';
import type { Timers } from '../timers.ts';
import type { ModbusBoard } from './board.ts';

/** Where a Modbus contact sits and what it may do. */
export interface ModbusContactParts {
  readonly name: string;
  readonly bus: Bus;
  readonly board: ModbusBoard;
  /** From 1. */
  readonly channel: number;
  /** ms; `null`: connect without the board's own timer. */
  readonly hardwareLeaseMs: number | null;
  readonly timers: Timers;
}

/**
 * One relay channel of a Modbus board. What it reads is what the board was told, not where the contact is.
 *
 * A communication watchdog is no hardware lease: whatever feeds it, be it a reading of another channel, keeps every contact of
 * the device where it is. It covers the death of this program, its host and the cable; never a lease that was not renewed.
 */
export class ModbusContact implements GroupedContact {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  readonly hardwareLeaseMs: number | null;
  readonly group: Bus;
  readonly channel: Channel;
  readonly #board: ModbusBoard;
  readonly #number: number;
  readonly #timers: Timers;

  constructor(parts: ModbusContactParts) {
    this.name = parts.name;
    this.kind = parts.board.profile.contact;
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
    const answer = await this.group.ask(this.#board.read);
    if (answer.kind !== 'answer') {
      return { position: 'unknown', takenAt: this.#timers.now(), detail: answer.why };
    }
    const unclear = answer.answer.unknown.includes(this.#number);
    if (unclear) {
      const detail = `channel ${this.#number} reads neither connected nor isolated`;
      return { position: 'unknown', takenAt: answer.askedAt, detail };
    }
    const connected = answer.answer.connected.includes(this.#number);
    const source =
      this.#board.profile.read.reports === 'commanded' ? 'the board was told' : 'the board measures';
    return {
      position: connected ? 'connected' : 'isolated',
      takenAt: answer.askedAt,
      detail: `channel ${this.#number} reads ${connected ? 'connected' : 'isolated'} (${source})`,
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
