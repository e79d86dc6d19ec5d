import { BoardContact } from '../board-contact.ts';
import { Bus } from '../bus.ts';
import { type BusWorker, type ContactOrder, misplaced } from '../bus-worker.ts';
import type { Board } from '../exchange.ts';
import type { BusWitnessSettings, ModbusBus } from '../hardware-settings.ts';
import type { Contact, Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import { lineOf, SerialTransport } from '../transport-serial.ts';
import { TcpTransport } from '../transport-tcp.ts';
import type { Transport } from '../transport.ts';
import { DiscreteInputWitness } from '../witnesses/discrete-input.ts';
import { ModbusBoard } from './board.ts';
import { ModbusExchange, ModbusWire } from './exchange.ts';
import type { Reply } from './pdu.ts';
import { framingOf, type ModbusProfile } from './profile.ts';

/** ms for an input board of which nothing is known but its unit. */
const UNKNOWN_BOARD = { replyTimeoutMs: 500, gapMs: 50, worstReplyDelayMs: 1000 };

/** The transport that a bus asks for; `profiles` are those of the boards on it. */
export function modbusTransport(settings: ModbusBus, profiles: readonly ModbusProfile[]): Transport {
  switch (settings.transport) {
    case 'modbus-tcp':
    case 'rtu-over-tcp':
      return new TcpTransport(settings);
    case 'modbus-rtu': {
      const factory = profiles.find((profile) => profile.serial !== undefined)?.serial;
      return new SerialTransport(lineOf(settings, factory));
    }
  }
}

/** One Modbus wire, its boards by unit, and the framing on it. */
export class ModbusWorker implements BusWorker {
  readonly #settings: ModbusBus;
  readonly #timers: Timers;
  readonly #wire: ModbusWire;
  readonly #bus: Bus;
  readonly #boards = new Map<number, ModbusBoard>();

  constructor(settings: ModbusBus, transport: Transport, timers: Timers) {
    this.#settings = settings;
    this.#timers = timers;
    this.#wire = new ModbusWire(framingOf(settings.transport));
    this.#bus = new Bus({ transport, timers, framesHaveIds: this.#wire.framing === 'modbus-tcp' });
  }

  contact({ name, profile, place, hardwareLeaseMs }: ContactOrder): Contact {
    if (profile.driver !== 'modbus' || place.driver !== 'modbus') throw misplaced(profile.id, 'Modbus');
    const board = this.#boardAt(place.unit, profile);
    const { channel } = place;
    return new BoardContact({ name, bus: this.#bus, board, channel, hardwareLeaseMs, timers: this.#timers });
  }

  witness(settings: BusWitnessSettings): Witness {
    if (settings.type !== 'modbus-discrete-input') throw misplaced(`a ${settings.type} witness`, 'Modbus');
    return new DiscreteInputWitness({
      name: settings.name,
      bus: this.#bus,
      isolatedWhen: settings.isolated_when,
      timers: this.#timers,
      ...this.#inputAt(settings.unit, settings.input),
    });
  }

  #boardAt(unit: number, profile: ModbusProfile): ModbusBoard {
    const known = this.#boards.get(unit);
    if (known !== undefined) return known;
    const replyTimeoutMs = this.#settings.reply_timeout;
    const board = new ModbusBoard(profile, { wire: this.#wire, unit, replyTimeoutMs });
    this.#boards.set(unit, board);
    return board;
  }

  /** The question that reads an input: the block of the board's profile when it covers the address, else that input alone. */
  #inputAt(
    unit: number,
    address: number,
  ): Pick<ConstructorParameters<typeof DiscreteInputWitness>[0], 'board' | 'question' | 'input'> {
    const known = this.#boards.get(unit);
    const block = known?.profile.inputs;
    const whole = known?.inputs ?? null;
    if (known !== undefined && whole !== null && block !== undefined) {
      const input = address - block.address + 1;
      if (input >= 1 && input <= block.quantity) return { board: known, question: whole, input };
    }
    const timeout = this.#settings.reply_timeout;
    const board: Board = known ?? {
      label: `unit ${unit}`,
      ...UNKNOWN_BOARD,
      ...(timeout === undefined ? {} : { replyTimeoutMs: timeout }),
      isolateAll: null,
    };
    const place = { board, wire: this.#wire, unit };
    const request = { function: 2, address, quantity: 1 } as const;
    return { board, input: 1, question: new ModbusExchange(place, request, firstBit) };
  }
}

function firstBit(reply: Reply): ReadonlySet<number> {
  return new Set(reply.kind === 'bits' && reply.bits[0] === true ? [1] : []);
}
