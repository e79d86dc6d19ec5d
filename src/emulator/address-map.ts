/** What an emulated board has at which address, and what its reads and writes do. */
import type { Reply, Request } from '../contacts/modbus/pdu.ts';
import type { ModbusProfile } from '../contacts/modbus/profile.ts';
import type { FaultList } from './faults.ts';
import type { Inputs } from './inputs.ts';
import type { Cause, Relays } from './relays.ts';
import { COIL_SET, type Move, orderOf } from './request-kind.ts';
import type { Settings, Space } from './settings.ts';

const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;
const BITS_PER_REGISTER = 16;

const exception = (code: number): Reply => ({ kind: 'exception', code });
const ECHO: Reply = { kind: 'echo' };

/** What stands behind the addresses. */
export interface AddressMapParts {
  readonly profile: ModbusProfile;
  readonly relays: Relays;
  readonly inputs: Inputs;
  readonly settings: Settings;
  readonly faults: FaultList;
  /** Whether commands are taken and not followed. */
  readonly isLocked: () => boolean;
}

/** The addresses of one board. */
export class AddressMap {
  readonly #parts: AddressMapParts;

  constructor(parts: AddressMapParts) {
    this.#parts = parts;
  }

  /** Does what a request says; the reply. */
  execute(request: Request, cause: Cause): Reply {
    switch (request.function) {
      case 1:
      case 2:
      case 3:
        return this.#read(request.function, request.address, request.quantity);
      case 4:
        return exception(ILLEGAL_FUNCTION);
      case 5:
      case 6:
      case 15:
      case 16:
        return this.#write(request, cause);
    }
  }

  #read(space: Space, address: number, quantity: number): Reply {
    const { read, inputs } = this.#parts.profile;
    if (space === 2 && inputs?.function !== 2 && !this.#parts.settings.knows(2))
      return exception(ILLEGAL_FUNCTION);
    if (quantity === 0) return exception(space === 3 ? ILLEGAL_VALUE : ILLEGAL_ADDRESS);
    const blocks = [
      ...(read.function === space ? [{ first: read.address, values: this.#channelValues() }] : []),
      ...(inputs?.function === space
        ? [{ first: inputs.address, values: this.#parts.inputs.list().map(Number) }]
        : []),
    ];
    const block = blocks.find(
      ({ first, values }) => address >= first && address + quantity <= first + values.length,
    );
    const values =
      block === undefined
        ? this.#parts.settings.read(space, address, quantity)
        : block.values.slice(address - block.first, address - block.first + quantity);
    if (values === null) return exception(ILLEGAL_ADDRESS);
    return space === 3 ? { kind: 'registers', values } : { kind: 'bits', bits: values.map(Boolean) };
  }

  /** What was commanded, as the profile's read tells it. */
  #channelValues(): readonly number[] {
    const { read } = this.#parts.profile;
    const lying = this.#parts.faults.has('lying-read-back');
    const connected = this.#parts.relays.coils().map((coil) => coil === 'connected' && !lying);
    if (read.function === 1) return connected.map(Number);
    if (read.layout === 'register-per-channel')
      return connected.map((is) => (is ? read.connected_when : read.isolated_when));
    return Array.from({ length: read.quantity }, (_, register) =>
      connected
        .slice(register * BITS_PER_REGISTER, (register + 1) * BITS_PER_REGISTER)
        .reduce((word, is, bit) => word | (Number(is) << bit), 0),
    );
  }

  #write(request: Extract<Request, { readonly function: 5 | 6 | 15 | 16 }>, cause: Cause): Reply {
    const order = orderOf(this.#parts.profile, request);
    switch (order.kind) {
      case 'exception':
        return order;
      case 'moves':
        // A device whose watchdog waits for a person takes commands and does not follow them.
        if (!this.#parts.isLocked()) for (const move of order.moves) this.#move(move, cause);
        return ECHO;
      case 'elsewhere':
        return this.#writeSettings(request);
    }
  }

  #move(move: Move, cause: Cause): void {
    switch (move.act) {
      case 'connect':
        this.#parts.relays.command(move.channel, true, cause);
        return;
      case 'isolate':
        this.#parts.relays.command(move.channel, false, cause, move.ends);
        return;
      case 'lease':
        this.#parts.relays.lease(move.channel, move.ms, cause);
    }
  }

  #writeSettings(request: Extract<Request, { readonly function: 5 | 6 | 15 | 16 }>): Reply {
    const space = request.function === 5 || request.function === 15 ? 1 : 3;
    const values =
      'values' in request
        ? request.values
        : 'bits' in request
          ? request.bits.map(Number)
          : [request.function === 5 ? Number(request.value === COIL_SET) : request.value];
    if (!this.#parts.settings.has(space, request.address, values.length)) return exception(ILLEGAL_ADDRESS);
    if (!this.#parts.faults.has('echo-only')) this.#parts.settings.write(space, request.address, values);
    return ECHO;
  }
}
