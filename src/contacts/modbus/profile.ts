/**
 * What a profile says of a board that is reached by Modbus. Channels and inputs count from 1, wire addresses from 0,
 * times are ms.
 */
import { z } from 'zod';
import { certainty, MAX_LIST, profileCommon, serialLine, timings } from '../profile-common.ts';
import { communicationWatchdog, startupCheck } from './settings.ts';

/** Coil value that energises; the only one that connects. */
export const COIL_CONNECT = 0xff00;
/** Coil value that releases; the only one that isolates. */
export const COIL_ISOLATE = 0x0000;
/** Coil value that some boards take for "the other way round". A lost reply makes its effect unknowable, so it is refused everywhere. */
export const COIL_TOGGLE = 0x5500;
/** Most channels and inputs a profile may have: one FC01 reply of 32 bytes. */
export const MAX_CHANNELS = 256;
const MAX_WORD = 0xffff;
/** Most registers that one request reads (Modbus Application Protocol V1.1b3, 6.3). */
const MAX_REGISTERS = 125;
/** Longest time that one unit of a timer may last, ms. */
const MAX_UNIT_MS = 60_000;
/** 256 bytes in hexadecimal with a space after each. */
const MAX_FRAME_TEXT = 768;

const hex = (value: unknown): string =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0
    ? `0x${value.toString(16).toUpperCase().padStart(4, '0')}`
    : (JSON.stringify(value)?.slice(0, 40) ?? 'nothing');

const word = z.int().min(0).max(MAX_WORD);
const count = z.int().min(1).max(MAX_CHANNELS);

const connectValue = z.literal(COIL_CONNECT, {
  error: (issue) =>
    issue.input === COIL_TOGGLE
      ? `${hex(issue.input)} toggles: after a lost reply nobody knows where the contact stands`
      : `${hex(issue.input)} does not connect; a coil is energised by 0xFF00 only`,
});
const isolateValue = z.literal(COIL_ISOLATE, {
  error: (issue) =>
    issue.input === COIL_TOGGLE
      ? `${hex(issue.input)} toggles: after a lost reply nobody knows where the contact stands`
      : `${hex(issue.input)} does not isolate; a coil is released by 0x0000 only`,
});

/** Most frames that one isolate may take, after the first. */
const MAX_FOLLOWING = 3;

const connect = z.discriminatedUnion('function', [
  z
    .strictObject({ function: z.literal(5), address: word, value: connectValue })
    .describe('Write-single-coil'),
  z
    .strictObject({ function: z.literal(6), address: word, value: word })
    .describe('Write-single-register, where the register is a command'),
]);

const readBack = z
  .boolean()
  .describe('The board is asked afterwards, and what still reads connected counts as not done')
  .optional();

const isolate = z.discriminatedUnion('function', [
  z
    .strictObject({
      function: z.literal(5),
      address: word.describe('Address of channel 1; channel n follows at + n - 1'),
      value: isolateValue,
      read_back: readBack,
    })
    .describe('Write-single-coil'),
  z
    .strictObject({
      function: z.literal(6),
      address: word.describe('Address of channel 1; channel n follows at + n - 1'),
      value: word.describe('The command that isolates, whatever runs'),
      followed_by: z
        .array(word)
        .min(1)
        .max(MAX_FOLLOWING)
        .describe('Written after it to the same register, one by one, even where the board refused one')
        .optional(),
      read_back: readBack,
    })
    .describe('Write-single-register, where the register is a command'),
]);

const isolateAll = z.discriminatedUnion('function', [
  z
    .strictObject({ function: z.literal(5), address: word, value: isolateValue })
    .describe('Write-single-coil to the address that stands for all channels'),
  z
    .strictObject({ function: z.literal(15), address: word, quantity: count })
    .describe('Write-multiple-coils with every bit 0, from the first channel on'),
  z
    .strictObject({ function: z.literal(6), address: word, value: word })
    .describe('Write-single-register to the address that stands for all channels'),
]);

const reports = z
  .enum(['commanded', 'measured'])
  .describe('Whether the answer is what was commanded or where the contact is');

const read = z.discriminatedUnion('function', [
  z
    .strictObject({
      function: z.literal(1),
      address: word,
      quantity: count,
      connected_when: z.literal(1),
      reports,
    })
    .describe('Coils, one for each channel'),
  z
    .strictObject({
      function: z.literal(3),
      address: word,
      quantity: z.int().min(1).max(MAX_REGISTERS),
      layout: z
        .enum(['register-per-channel', 'bitmap'])
        .describe('bitmap: channel 1 is the lowest bit of the first register, and 1 is connected'),
      connected_when: word.describe('What a register holds whose channel is connected; bitmap: 1'),
      isolated_when: word.describe('What it holds when isolated; anything else is unknown; bitmap: 0'),
      reports,
    })
    .describe('Holding registers'),
]);

const leaseTime = {
  address: word.describe('Address of channel 1; channel n follows at + n - 1'),
  unit_ms: z.int().min(1).max(MAX_UNIT_MS).describe('What 1 in the time lasts, ms'),
  min: z.int().min(1).max(MAX_WORD).describe('Smallest time, in units'),
  max: z.int().min(1).max(MAX_WORD).describe('Largest time, in units'),
  default_ms: z.int().min(1).describe('What is asked for unless the configuration says otherwise, ms'),
  evidence: z
    .strictObject({
      renewal: certainty.describe('A repeated command starts the time anew'),
      isolate_cancels: certainty.describe('What this profile calls isolate ends a running lease at once'),
      connect_makes_permanent: certainty.describe(
        'A plain connect during a lease ends the timer, not the connection',
      ),
    })
    .describe('What hardware has shown about the timer'),
};

const hardwareLease = z
  .discriminatedUnion('function', [
    z
      .strictObject({ function: z.literal(5), ...leaseTime })
      .describe('Write-single-coil whose value is the time'),
    z
      .strictObject({
        function: z.literal(6),
        opcode: word.describe('What the time is added to, such as 0x0600 where the low byte is the time'),
        ended_by: word
          .describe('The only value that ends a running time; left out, any isolate does')
          .optional(),
        ...leaseTime,
      })
      .describe('Write-single-register whose value is a command and the time'),
  ])
  .describe('A timer in the device that isolates by itself unless it is started anew');

const frame = z
  .string()
  .max(MAX_FRAME_TEXT)
  .regex(/^[0-9A-Fa-f]{2}( [0-9A-Fa-f]{2})*$/, {
    error: 'bytes are pairs of hexadecimal digits with one space between',
  });
const framing = z.enum(['rtu', 'modbus-tcp']);
const channel = count.describe('Channel, from 1');
const exchange = { framing, request: frame, reply: frame };
const followedBy = z
  .array(z.strictObject({ request: frame, reply: frame }))
  .min(1)
  .max(MAX_FOLLOWING + 1)
  .describe('The frames after the first, where the command takes several')
  .optional();
const accepted = z.literal('accepted');

const example = z
  .discriminatedUnion('ask', [
    z.strictObject({ ask: z.literal('connect'), channel, ...exchange, means: accepted }),
    z.strictObject({
      ask: z.literal('isolate'),
      channel,
      ...exchange,
      followed_by: followedBy,
      means: z.enum(['accepted', 'refused']).describe('refused: a channel still reads connected'),
    }),
    z.strictObject({ ask: z.literal('isolate-all'), ...exchange, means: accepted }),
    z.strictObject({
      ask: z.literal('lease'),
      channel,
      lease_ms: z.int().min(1),
      ...exchange,
      means: accepted,
    }),
    z.strictObject({
      ask: z.literal('read'),
      ...exchange,
      means: z
        .strictObject({
          connected: z.array(channel).max(MAX_CHANNELS),
          unknown: z.array(channel).max(MAX_CHANNELS).optional(),
        })
        .describe('Channels that read connected, and those whose value says neither; all others isolated'),
    }),
    z.strictObject({
      ask: z.literal('inputs'),
      ...exchange,
      means: z
        .strictObject({ active: z.array(count).max(MAX_CHANNELS) })
        .describe('Inputs that read 1; all others 0'),
    }),
    z.strictObject({
      ask: z.literal('startup-check'),
      check: z.string().describe('Name of the start-up check'),
      ...exchange,
      means: z.enum(['passed', 'failed']),
    }),
  ])
  .describe('One exchange, byte for byte; tests play it both ways');

/** A board that is reached by Modbus. */
export const modbusProfile = z.strictObject({
  driver: z.literal('modbus'),
  ...profileCommon,
  transports: z
    .array(z.enum(['modbus-rtu', 'modbus-tcp', 'rtu-over-tcp']))
    .min(1)
    .max(3)
    .describe(
      'How the board can be reached, itself or through a gateway; the first is how it leaves the factory',
    ),
  serial: serialLine.describe('Factory settings of the serial side; needed for modbus-rtu').optional(),
  tcp_ports: z
    .strictObject({ 'modbus-tcp': z.int().min(1).max(65_535), 'rtu-over-tcp': z.int().min(1).max(65_535) })
    .partial()
    .describe('Factory TCP port of each transport over a network')
    .optional(),
  unit: z.int().min(1).max(255).describe('Factory unit id; never 0, which is every board on the bus'),
  channels: count,
  connect: connect.describe('Address of channel 1; channel n follows at + n - 1'),
  isolate,
  isolate_all: isolateAll.optional(),
  read,
  inputs: z
    .strictObject({
      function: z.literal([1, 2]).describe('2: discrete inputs; 1 where the board shows them as coils'),
      address: word,
      quantity: count,
    })
    .optional(),
  hardware_lease: hardwareLease.optional(),
  communication_watchdog: communicationWatchdog.optional(),
  startup_checks: z.array(startupCheck).max(MAX_LIST).default([]),
  timings,
  examples: z.array(example).min(1).max(256),
});

/** One Modbus board as data. */
export type ModbusProfile = z.infer<typeof modbusProfile>;
/** One recorded exchange of a profile. */
export type ModbusExample = ModbusProfile['examples'][number];
/** How the board is reached. */
export type ModbusTransport = ModbusProfile['transports'][number];
/** How a Modbus PDU is wrapped. */
export type Framing = z.infer<typeof framing>;

/** The framing that a transport uses. */
export function framingOf(transport: ModbusTransport): Framing {
  switch (transport) {
    case 'modbus-rtu':
    case 'rtu-over-tcp':
      return 'rtu';
    case 'modbus-tcp':
      return 'modbus-tcp';
  }
}
