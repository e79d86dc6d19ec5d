/** A made-up machine for checks of configuration texts: files with secrets by name, interfaces, profiles. */
import type { ModbusProfile } from '../../src/contacts/modbus/profile.ts';
import { checkText, type Loaded, type Machine } from '../../src/config/load.ts';
import { secretPaths, type SecretFile } from '../../src/config/secret-files.ts';

const read = (text: string, worldReadable = false): SecretFile => ({
  kind: 'read',
  worldReadable,
  bytes: Buffer.from(text),
});

const LONG = '0123456789abcdef0123456789abcdef\n';

/** What the last part of a secret file's path makes of it; every other path is a good secret. */
const FILES: Readonly<Record<string, SecretFile>> = {
  missing: { kind: 'unusable', why: 'there is no such file' },
  forbidden: { kind: 'unusable', why: 'this user may not read it' },
  empty: read(''),
  blank: read(' \n\n'),
  short: read('hunter2\n'),
  everybody: read(LONG, true),
  three: read('first-secret-of-three\nsecond-secret-of-three\nthird-secret-of-three\n'),
  spaced: read('a secret with blanks in it\n'),
  'scripts.secret': read('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n'),
  'notify.secret': read('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n'),
  'public.key': read('whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=\n'),
  'gitlab.secret': read('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n'),
};

export const machine: Machine = {
  interfaces: ['lo', 'eth0', 'eth1'],
  secretsIn: async (config) =>
    new Map(
      secretPaths(config, 'all').map((path) => [path, FILES[path.split('/').at(-1) ?? ''] ?? read(LONG)]),
    ),
};

const board: ModbusProfile = {
  id: 'test/board',
  driver: 'modbus',
  maker: 'Test',
  model: 'board',
  unit: 1,
  without_power: 'isolated',
  power_on: { position: 'isolated', certainty: 'unproven' },
  connect: { function: 5, address: 0, value: 0xff00 },
  isolate: { function: 5, address: 0, value: 0 },
  read: { function: 1, address: 0, quantity: 8, connected_when: 1, reports: 'commanded' },
  startup_checks: [],
  dangers: [],
  examples: [],
  transports: ['modbus-rtu', 'rtu-over-tcp'],
  channels: 8,
  contact: 'fail-safe',
  serial: { baud: 9600, data_bits: 8, parity: 'none', stop_bits: 1 },
  hardware_lease: {
    function: 5,
    address: 0x200,
    unit_ms: 100,
    min: 1,
    max: 0x7fff,
    default_ms: 10_000,
    evidence: { renewal: 'unproven', isolate_cancels: 'unproven', connect_makes_permanent: 'unproven' },
  },
  inputs: { function: 2, address: 0, quantity: 8 },
  timings: { reply_timeout_ms: 200, gap_ms: 50, settle_ms: 20, worst_reply_delay_ms: 500 },
  evidence: { grade: 'paper', source: 'made up for tests', checked_on: '2026-01-01', notes: '' },
};

const { serial: _serial, hardware_lease: _lease, inputs: _inputs, ...plain } = board;

export const profiles: ReadonlyMap<string, ModbusProfile> = new Map<string, ModbusProfile>([
  ['waveshare/modbus-rtu-relay-8ch-d', board],
  ['waveshare/modbus-poe-eth-relay-8ch', { ...board, transports: ['modbus-tcp', 'rtu-over-tcp'] }],
  ['generic/latching', { ...board, contact: 'holding' }],
  ['generic/plain', plain],
]);

/** Checks a text on the made-up machine. */
export const check = (text: string): Promise<Exclude<Loaded, { kind: 'unreadable' }>> =>
  checkText(text, profiles, machine);
