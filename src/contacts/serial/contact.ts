import type { Reading } from '../../core/evidence.ts';
import type { Bus } from '../bus.ts';
import type { GroupedContact } from '../cut.ts';
import type { Channel } from '../exchange.ts';
import type { CommandOutcome, Fence, IsolateReceipt } from '../port.ts';
import type { Timers } from '../timers.ts';
import type { SerialBoard } from './board.ts';

/** Where a serial contact sits and what it may do. */
export interface SerialContactParts {
  readonly name: string;
  readonly bus: Bus;
  readonly board: SerialBoard;
  /** From 1. */
  readonly channel: number;
  /** ms; `null`: connect without the board's own timer. */
  readonly hardwareLeaseMs: number | null;
  readonly timers: Timers;
}

/**
 * One relay channel of a serial board. What it reads is what the board was told, not where the contact is. A board that
 * cannot be read makes every command `unknown` and every reading `unknown`: then only a witness can tell.
 */
export class SerialContact implements GroupedContact {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  readonly hardwareLeaseMs: number | null;
  readonly group: Bus;
  readonly channel: Channel;
  readonly #board: SerialBoard;
  readonly #number: number;
  readonly #timers: Timers;

  constructor(parts: SerialContactParts) {
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
    const unknown = (detail: string): Reading => ({
      position: 'unknown',
      takenAt: this.#timers.now(),
      detail,
    });
    const question = this.#board.reading(this.#number);
    if (question === null) return unknown('this board cannot be read; only a witness can tell');
    const answer = await this.group.ask(question);
    if (answer.kind !== 'answer') return unknown(answer.why);
    const connected = answer.answer.has(this.#number);
    const measured = this.#board.profile.read?.reports === 'measured';
    return {
      position: connected ? 'connected' : 'isolated',
      takenAt: answer.askedAt,
      detail: `channel ${this.#number} reads ${connected ? 'connected' : 'isolated'} (the board ${measured ? 'measures' : 'was told'})`,
    };
  }

  async settingsProblems(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const check of this.#board.checks) {
      const answer = await this.group.ask(check.exchange);
      if (answer.kind !== 'answer') {
        problems.push(`${check.name} of ${this.#board.label} could not be read: ${answer.why}`);
      } else if (answer.answer !== null) {
        problems.push(`${check.name} of ${this.#board.label} ${answer.answer}. ${check.danger}`);
      }
    }
    return problems;
  }

  async close(): Promise<void> {
    this.group.detach(this.channel);
  }
}
