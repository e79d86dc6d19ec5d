/** Which request this is for a board, by the addresses of its profile. Pure. */
import type { Request } from '../contacts/modbus/pdu.ts';
import type { ModbusProfile } from '../contacts/modbus/profile.ts';
import type { RequestKind } from './faults.ts';

/** The value that sets a coil with function 5. */
export const COIL_SET = 0xff00;
/** The value that releases a coil with function 5. */
export const COIL_RELEASED = 0x0000;

/** The channel whose address this is in a block that begins at `base`. */
export function channelAt({ channels }: ModbusProfile, address: number, base: number): number | null {
  const channel = address - base + 1;
  return channel >= 1 && channel <= channels ? channel : null;
}

/** What kind of request this is, as faults are scoped to kinds. */
export function requestKind(profile: ModbusProfile, request: Request): RequestKind {
  const { isolate_all: all, hardware_lease: lease, connect } = profile;
  if (request.function <= 4) return 'read';
  if (request.function === 15) return request.bits.some(Boolean) ? 'connect' : 'isolate';
  if (request.function !== 5) return 'other';
  const leased = lease !== undefined && channelAt(profile, request.address, lease.address) !== null;
  if (leased) return 'connect';
  const known =
    channelAt(profile, request.address, connect.address) !== null ||
    (all?.function === 5 && request.address === all.address);
  if (!known) return 'other';
  return request.value === COIL_SET ? 'connect' : request.value === COIL_RELEASED ? 'isolate' : 'other';
}
