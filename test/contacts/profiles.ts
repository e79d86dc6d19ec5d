import { modbusProfile, type ModbusProfile } from '../../src/contacts/modbus/profile.ts';
import type { Profile } from '../../src/contacts/profile.ts';

/** A valid profile for tests, with what differs from an eight-coil board without special abilities. */
export function testProfile(difference: Partial<ModbusProfile> = {}): ModbusProfile {
  return {
    ...modbusProfile.parse({
      driver: 'modbus',
      id: 'test/board',
      maker: 'Test',
      model: 'board',
      transports: ['modbus-tcp', 'rtu-over-tcp', 'modbus-rtu'],
      serial: { baud: 115_200, data_bits: 8, parity: 'none', stop_bits: 1 },
      unit: 1,
      channels: 8,
      contact: 'fail-safe',
      without_power: 'isolated',
      power_on: { position: 'isolated', certainty: 'unproven' },
      connect: { function: 5, address: 0, value: 0xff00 },
      isolate: { function: 5, address: 0, value: 0 },
      read: { function: 1, address: 0, quantity: 8, connected_when: 1, reports: 'commanded' },
      // Long enough for a slave on a busy machine; what must be silent costs a test this much each time.
      timings: { reply_timeout_ms: 700, gap_ms: 5, settle_ms: 0, worst_reply_delay_ms: 500 },
      dangers: [],
      examples: [
        {
          ask: 'connect',
          channel: 1,
          framing: 'rtu',
          request: '01 05 00 00 FF 00 8C 3A',
          reply: '01 05 00 00 FF 00 8C 3A',
          means: 'accepted',
        },
      ],
      evidence: { grade: 'simulated', source: 'test', checked_on: '2026-11-21' },
    }),
    ...difference,
  };
}

/** Profiles by id, as the store gives them. */
export const byId = (...profiles: readonly Profile[]): ReadonlyMap<string, Profile> =>
  new Map(profiles.map((profile) => [profile.id, profile]));
