/** What a request asks of a board, by the addresses and commands of its profile. Pure. */
import type { Request } from '../contacts/modbus/pdu.ts';
import type { ModbusProfile } from '../contacts/modbus/profile.ts';
import type { RequestKind } from './faults.ts';

/** The value that sets a coil with function 5. */
export const COIL_SET = 0xff00;
/** The value that releases a coil with function 5. */
export const COIL_RELEASED = 0x0000;

const ILLEGAL_VALUE = 3;

/** What one channel is told. */
export type Move =
  | { readonly act: 'connect'; readonly channel: number }
  /** `ends`: it ends a running time, too. */
  | { readonly act: 'isolate'; readonly channel: number; readonly ends: boolean }
  | { readonly act: 'lease'; readonly channel: number; readonly ms: number };

/** What a write comes to. `elsewhere`: it is for no relay. */
export type Order =
  | { readonly kind: 'moves'; readonly moves: readonly Move[] }
  | { readonly kind: 'exception'; readonly code: number }
  | { readonly kind: 'elsewhere' };

type Write = Extract<Request, { readonly function: 5 | 6 | 15 | 16 }>;

const ELSEWHERE: Order = { kind: 'elsewhere' };
const refused = (code: number): Order => ({ kind: 'exception', code });
const moves = (...list: readonly Move[]): Order => ({ kind: 'moves', moves: list });
const allOf = ({ channels }: ModbusProfile): readonly number[] =>
  Array.from({ length: channels }, (_, index) => index + 1);

/** The channel whose address this is in a block that begins at `base`. */
export function channelAt({ channels }: ModbusProfile, address: number, base: number): number | null {
  const channel = address - base + 1;
  return channel >= 1 && channel <= channels ? channel : null;
}

/** What a write asks of the relays. */
export function orderOf(profile: ModbusProfile, request: Write): Order {
  switch (request.function) {
    case 5:
      return coilOrder(profile, request.address, request.value);
    case 6:
      return registerOrder(profile, request.address, request.value);
    case 15: {
      if (profile.connect.function !== 5) return ELSEWHERE;
      const first = request.address - profile.connect.address;
      if (first < 0 || request.bits.length < 1 || first + request.bits.length > profile.channels)
        return ELSEWHERE;
      return moves(...request.bits.map((bit, index) => plain(profile, first + index + 1, bit)));
    }
    case 16:
      return ELSEWHERE;
  }
}

/** A command without a time, in a coil. */
function plain({ hardware_lease: lease }: ModbusProfile, channel: number, connect: boolean): Move {
  if (connect) return { act: 'connect', channel };
  return { act: 'isolate', channel, ends: lease?.function !== 6 || lease.ended_by === undefined };
}

function coilOrder(profile: ModbusProfile, address: number, value: number): Order {
  const { connect, hardware_lease: lease, isolate_all: all } = profile;
  if (lease?.function === 5) {
    const channel = channelAt(profile, address, lease.address);
    if (channel !== null) {
      if (value < lease.min || value > lease.max) return refused(ILLEGAL_VALUE);
      return moves({ act: 'lease', channel, ms: value * lease.unit_ms });
    }
  }
  const single = connect.function === 5 ? channelAt(profile, address, connect.address) : null;
  const channels =
    all?.function === 5 && address === all.address ? allOf(profile) : single === null ? [] : [single];
  if (channels.length === 0) return ELSEWHERE;
  if (value !== COIL_SET && value !== COIL_RELEASED) return refused(ILLEGAL_VALUE);
  return moves(...channels.map((channel) => plain(profile, channel, value === COIL_SET)));
}

function registerOrder(profile: ModbusProfile, address: number, value: number): Order {
  const { connect, isolate, hardware_lease: lease, isolate_all: all } = profile;
  const endedBy = lease?.function === 6 ? lease.ended_by : undefined;
  const ends = endedBy === undefined || value === endedBy;
  if (all?.function === 6 && address === all.address) {
    if (value !== all.value) return refused(ILLEGAL_VALUE);
    return moves(...allOf(profile).map((channel) => ({ act: 'isolate', channel, ends }) as const));
  }
  if (lease?.function === 6) {
    const channel = channelAt(profile, address, lease.address);
    const time = value - lease.opcode;
    if (channel !== null && time >= lease.min && time <= lease.max)
      return moves({ act: 'lease', channel, ms: time * lease.unit_ms });
  }
  const channel = connect.function === 6 ? channelAt(profile, address, connect.address) : null;
  if (channel === null) return ELSEWHERE;
  if (value === connect.value) return moves({ act: 'connect', channel });
  const following = isolate.function === 6 ? (isolate.followed_by ?? []) : [];
  if (value === isolate.value || following.includes(value)) return moves({ act: 'isolate', channel, ends });
  return refused(ILLEGAL_VALUE);
}

/** What kind of request this is, as faults are scoped to kinds. */
export function requestKind(profile: ModbusProfile, request: Request): RequestKind {
  switch (request.function) {
    case 1:
    case 2:
    case 3:
    case 4:
      return 'read';
    case 5:
    case 6:
    case 15:
    case 16: {
      const order = orderOf(profile, request);
      if (order.kind !== 'moves')
        return order.kind === 'exception' && isLease(profile, request) ? 'connect' : 'other';
      return order.moves.some(({ act }) => act !== 'isolate') ? 'connect' : 'isolate';
    }
  }
}

/** A lease whose time the board refuses is an attempt to connect all the same. */
function isLease(profile: ModbusProfile, { function: code, address }: Write): boolean {
  const lease = profile.hardware_lease;
  return lease?.function === 5 && code === 5 && channelAt(profile, address, lease.address) !== null;
}
