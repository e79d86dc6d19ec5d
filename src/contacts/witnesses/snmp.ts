import type { Position, Reading } from '../../core/evidence.ts';
import type { Bus } from '../bus.ts';
import type { Exchange } from '../exchange.ts';
import type { Witness } from '../port.ts';
import type { Timers } from '../timers.ts';

/** ifOperStatus (RFC 2863), by number from 1. */
const STATUS = ['up', 'down', 'testing', 'unknown', 'dormant', 'notPresent', 'lowerLayerDown'] as const;

/**
 * ifOperStatus of a switch port: the switch's view of the link itself, not of what it was told. Up: connected. Down or
 * lowerLayerDown: isolated. Testing, unknown and dormant say nothing about the cable; nor does notPresent, which a stack
 * also says of a member that left it and may forward on its own.
 *
 * Agents answer from a cache that may be seconds old (Debian's snmpd: up to 3 s after somebody else's change), and the reading
 * is dated from its question nevertheless: nothing in the answer tells its age.
 */
export class SnmpWitness implements Witness {
  readonly name: string;
  readonly type = 'snmp';
  readonly #bus: Bus;
  readonly #question: Exchange<number>;
  readonly #timers: Timers;
  #closed = false;

  constructor(parts: {
    readonly name: string;
    readonly bus: Bus;
    /** Asks for ifOperStatus of the port. */
    readonly question: Exchange<number>;
    readonly timers: Timers;
  }) {
    this.name = parts.name;
    this.#bus = parts.bus;
    this.#question = parts.question;
    this.#timers = parts.timers;
    parts.bus.retain(parts.question.board);
  }

  async read(): Promise<Reading> {
    const answer = await this.#bus.ask(this.#question);
    if (answer.kind !== 'answer') {
      return { position: 'unknown', takenAt: this.#timers.now(), detail: answer.why };
    }
    const status = STATUS[answer.answer - 1];
    const said = status === undefined ? `${answer.answer}, which means nothing` : status;
    return {
      position: positionOf(status),
      takenAt: answer.askedAt,
      detail: `the switch says the port is ${said} (its answer may be some seconds old)`,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#bus.release();
  }
}

function positionOf(status: (typeof STATUS)[number] | undefined): Position {
  switch (status) {
    case 'up':
      return 'connected';
    case 'down':
    case 'lowerLayerDown':
      return 'isolated';
    case 'testing':
    case 'unknown':
    case 'dormant':
    case 'notPresent':
    case undefined:
      return 'unknown';
  }
}
