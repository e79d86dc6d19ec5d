/**
 * What a firmware profile may say. This zod schema is the one definition: the type, the check of every file and
 * `firmware-profiles/profile.schema.json` (for editors) all come from it. Channels and inputs count from 1,
 * wire addresses from 0, times are ms.
 */
import { z } from 'zod';

/** Coil value that energises; the only one that connects. */
export const COIL_CONNECT = 0xff00;
/** Coil value that releases; the only one that isolates. */
export const COIL_ISOLATE = 0x0000;
/** Coil value that some boards take for "the other way round". A lost reply makes its effect unknowable, so it is refused everywhere. */
export const COIL_TOGGLE = 0x5500;
/** Most channels and inputs a profile may have: one FC01 reply of 32 bytes. */
export const MAX_CHANNELS = 256;
const MAX_WORD = 0xffff;
/** Longest wait that a profile may ask for, ms. */
const MAX_WAIT_MS = 60_000;
const MAX_TEXT = 1_000;
const MAX_LIST = 64;
/** 256 bytes in hexadecimal with a space after each. */
const MAX_FRAME_TEXT = 768;

/** `maker/model`, which is also the file's path below `firmware-profiles` without `.yaml`. */
export const PROFILE_ID = /^[a-z0-9][a-z0-9-]{0,39}\/[a-z0-9][a-z0-9-]{0,59}$/;

const hex = (value: unknown): string =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0
    ? `0x${value.toString(16).toUpperCase().padStart(4, '0')}`
    : (JSON.stringify(value)?.slice(0, 40) ?? 'nothing');

const word = z.int().min(0).max(MAX_WORD);
const count = z.int().min(1).max(MAX_CHANNELS);
const waitMs = z.int().min(0).max(MAX_WAIT_MS);
const text = z.string().trim().min(1).max(MAX_TEXT);
/** How sure we are of one behaviour: nobody tried it, somebody saw it on hardware, or hardware showed the opposite. */
const certainty = z.enum(['unproven', 'proven', 'refuted']);

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

const isolateAll = z.discriminatedUnion('function', [
  z
    .strictObject({ function: z.literal(5), address: word, value: isolateValue })
    .describe('Write-single-coil to the address that stands for all channels'),
  z
    .strictObject({ function: z.literal(15), address: word, quantity: count })
    .describe('Write-multiple-coils with every bit 0, from the first channel on'),
]);

const hardwareLease = z
  .strictObject({
    function: z.literal(5),
    address: word.describe('Address of channel 1; channel n follows at + n - 1'),
    unit_ms: z.int().min(1).max(MAX_WAIT_MS).describe('What 1 in the value field lasts, ms'),
    min: z.int().min(1).max(MAX_WORD).describe('Smallest value field'),
    max: z.int().min(1).max(MAX_WORD).describe('Largest value field'),
    default_ms: z.int().min(1).describe('What is asked for unless the configuration says otherwise, ms'),
    evidence: z
      .strictObject({
        renewal: certainty.describe('A repeated command starts the time anew'),
        isolate_cancels: certainty.describe('A plain isolate ends a running lease at once'),
        connect_makes_permanent: certainty.describe(
          'A plain connect during a lease ends the timer, not the connection',
        ),
      })
      .describe('What hardware has shown about the timer'),
  })
  .describe('A timer in the device that isolates by itself unless it is started anew');

const startupCheck = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  function: z.literal(3),
  address: word,
  quantity: z.int().min(1).max(125),
  every: word.describe('What each of these registers must hold'),
  danger: text.describe('What may happen when one of them holds anything else'),
});

const timings = z.strictObject({
  reply_timeout_ms: waitMs.min(1).describe('How long a reply may take before it counts as missing'),
  gap_ms: waitMs.describe('Least silence between a reply and the next request'),
  settle_ms: waitMs.describe('How long the contact may take to move after the reply'),
  worst_reply_delay_ms: waitMs
    .min(1)
    .describe('Longest time after which a reply may still arrive; a serial line is drained this long'),
});

const frame = z
  .string()
  .max(MAX_FRAME_TEXT)
  .regex(/^[0-9A-Fa-f]{2}( [0-9A-Fa-f]{2})*$/, {
    error: 'bytes are pairs of hexadecimal digits with one space between',
  });
const framing = z.enum(['rtu', 'modbus-tcp']);
const channel = count.describe('Channel, from 1');
const exchange = { framing, request: frame, reply: frame };
const accepted = z.literal('accepted');

const example = z
  .discriminatedUnion('ask', [
    z.strictObject({ ask: z.literal('connect'), channel, ...exchange, means: accepted }),
    z.strictObject({ ask: z.literal('isolate'), channel, ...exchange, means: accepted }),
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
        .strictObject({ connected: z.array(channel).max(MAX_CHANNELS) })
        .describe('Channels that read connected; all others isolated'),
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

/** The schema of one file below `firmware-profiles`. Unknown keys are errors. */
export const profileSchema = z
  .strictObject({
    id: z
      .string()
      .regex(PROFILE_ID, { error: 'an id is maker/model in lower case letters, digits and dashes' }),
    maker: text,
    model: text,
    transports: z
      .array(z.enum(['modbus-rtu', 'modbus-tcp', 'rtu-over-tcp']))
      .min(1)
      .max(3)
      .describe(
        'How the board can be reached, itself or through a gateway; the first is how it leaves the factory',
      ),
    serial: z
      .strictObject({
        baud: z.int().min(300).max(1_000_000),
        data_bits: z.literal([7, 8]),
        parity: z.enum(['none', 'even', 'odd']),
        stop_bits: z.literal([1, 2]),
      })
      .describe('Factory settings of the serial side; needed for modbus-rtu')
      .optional(),
    tcp_ports: z
      .strictObject({ 'modbus-tcp': z.int().min(1).max(65_535), 'rtu-over-tcp': z.int().min(1).max(65_535) })
      .partial()
      .describe('Factory TCP port of each transport over a network')
      .optional(),
    unit: z.int().min(1).max(255).describe('Factory unit id; never 0, which is every board on the bus'),
    channels: count,
    contact: z.enum(['fail-safe', 'holding']).describe('Whether the contact falls to isolated without power'),
    without_power: z
      .enum(['isolated', 'keeps', 'unknown'])
      .describe('Where the contact stands without power, wired as dangers say'),
    power_on: z
      .strictObject({ position: z.enum(['isolated', 'connected', 'keeps', 'unknown']), certainty })
      .describe('Where the contact goes when power returns'),
    connect: z.strictObject({ function: z.literal(5), address: word, value: connectValue }),
    isolate: z.strictObject({ function: z.literal(5), address: word, value: isolateValue }),
    isolate_all: isolateAll.optional(),
    read: z.strictObject({
      function: z.literal(1),
      address: word,
      quantity: count,
      connected_when: z.literal(1),
      reports: z
        .enum(['commanded', 'measured'])
        .describe('Whether the answer is what was commanded or where the contact is'),
    }),
    inputs: z.strictObject({ function: z.literal(2), address: word, quantity: count }).optional(),
    hardware_lease: hardwareLease.optional(),
    startup_checks: z.array(startupCheck).max(MAX_LIST).default([]),
    timings,
    dangers: z
      .array(text)
      .max(MAX_LIST)
      .describe('What a person must know before wiring or arming this board'),
    examples: z.array(example).min(1).max(256),
    evidence: z
      .strictObject({
        grade: z
          .enum(['paper', 'simulated', 'bench', 'field'])
          .describe('Below bench nothing may be called verified'),
        source: text,
        checked_on: z.iso.date(),
        notes: z
          .string()
          .trim()
          .max(4 * MAX_TEXT)
          .default(''),
      })
      .describe('What this profile rests on'),
  })
  .meta({ title: 'Portcullis firmware profile' });

/** One board as data. */
export type Profile = z.infer<typeof profileSchema>;
/** One recorded exchange of a profile. */
export type ProfileExample = Profile['examples'][number];
/** How the board is reached. */
export type Transport = Profile['transports'][number];
/** How a Modbus PDU is wrapped. */
export type Framing = z.infer<typeof framing>;

/** The framing that a transport uses. */
export function framingOf(transport: Transport): Framing {
  switch (transport) {
    case 'modbus-rtu':
    case 'rtu-over-tcp':
      return 'rtu';
    case 'modbus-tcp':
      return 'modbus-tcp';
  }
}

/** The JSON schema for editors, as text; `firmware-profiles/profile.schema.json` holds exactly this. */
export function profileJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(profileSchema, { target: 'draft-7', io: 'input' }), null, 2)}\n`;
}
