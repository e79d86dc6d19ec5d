import { BoardContact } from '../board-contact.ts';
import { Bus } from '../bus.ts';
import { type BusWorker, type ContactOrder, misplaced } from '../bus-worker.ts';
import type { BusWitnessSettings, StreamBus } from '../hardware-settings.ts';
import type { Contact, Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import { lineOf, SerialTransport } from '../transport-serial.ts';
import { TcpTransport } from '../transport-tcp.ts';
import type { Transport } from '../transport.ts';
import { SerialBoard } from './board.ts';
import type { SerialProfile } from './profile.ts';

/** The way to a serial board; `profile` of the boards on it, or `null` when there is none yet. */
export function serialTransport(settings: StreamBus, profile: SerialProfile | null): Transport {
  if (settings.transport === 'tcp') return new TcpTransport(settings);
  return new SerialTransport({
    ...lineOf(settings, profile?.serial),
    controlLines: profile?.control_lines ?? 'as-opened',
  });
}

/** One wire to a serial board, or to a cascade of cards of one kind, by card address. */
export class SerialWorker implements BusWorker {
  readonly #settings: StreamBus;
  readonly #timers: Timers;
  readonly #bus: Bus;
  readonly #boards = new Map<number, SerialBoard>();

  constructor(settings: StreamBus, transport: Transport, timers: Timers) {
    this.#settings = settings;
    this.#timers = timers;
    this.#bus = new Bus({ transport, timers, framesHaveIds: false });
  }

  contact({ name, profile, place, hardwareLeaseMs }: ContactOrder): Contact {
    if (profile.driver !== 'serial' || place.driver !== 'serial')
      throw misplaced(profile.id, 'a serial board');
    const board = this.#boardAt(place.unit, profile);
    const { channel } = place;
    return new BoardContact({ name, bus: this.#bus, board, channel, hardwareLeaseMs, timers: this.#timers });
  }

  witness(settings: BusWitnessSettings): Witness {
    throw misplaced(`a ${settings.type} witness`, 'a serial board');
  }

  #boardAt(address: number, profile: SerialProfile): SerialBoard {
    const known = this.#boards.get(address);
    if (known !== undefined) return known;
    const board = new SerialBoard(profile, { address, replyTimeoutMs: this.#settings.reply_timeout });
    this.#boards.set(address, board);
    return board;
  }
}
