/**
 * What a profile says of a board that is reached by bytes or text on a serial line or a TCP connection. Frames are
 * templates (see template.ts). Channels count from 1, times are ms.
 */
import { z } from 'zod';
import { busyMs, certainty, MAX_LIST, profileCommon, serialLine, text, timings } from '../profile-common.ts';
import { MAX_TEMPLATE } from './template.ts';

/** Most channels of a serial board. */
export const MAX_SERIAL_CHANNELS = 64;
/** Card addresses are one byte. */
const MAX_ADDRESS = 255;
const MAX_LEASE_FIELD = 0xffff;
const MAX_UNIT_MS = 60_000;
const MAX_ATTEMPTS = 16;
const MAX_INITIALISE = 8;
/** An example is a frame without gaps, in the same notation; bytes take three characters each. */
const MAX_EXAMPLE = 1_000;

const channel = z.int().min(1).max(MAX_SERIAL_CHANNELS).describe('Channel, from 1');
const template = z.string().min(1).max(MAX_TEMPLATE);
const send = template.describe('The frame that is written');
const reply = template.describe('What comes back, to the byte; left out: the board says nothing to this');
const refused = template.describe('What comes back instead when the board says no').optional();
const command = z.strictObject({ send, reply: reply.optional(), refused });
const bit = z.literal([0, 1]);

const state = z
  .discriminatedUnion('form', [
    z
      .strictObject({ form: z.literal('word'), connected: template, isolated: template })
      .describe('One word (or byte) for the one channel that was asked for'),
    z
      .strictObject({ form: z.literal('words'), connected: template, isolated: template })
      .describe('One word (or byte) for each channel, channel 1 first'),
    z
      .strictObject({
        form: z.literal('bitmap'),
        first: z.enum(['lowest-bit', 'highest-bit']).describe('The bit of every byte that is counted first'),
        connected_when: bit,
        order: z
          .array(channel)
          .min(1)
          .max(MAX_SERIAL_CHANNELS)
          .describe('The channel of each bit, as counted; left out: 1, 2, 3, …')
          .optional(),
      })
      .describe('Whole bytes of bits'),
    z
      .strictObject({
        form: z.literal('hex'),
        digits: z
          .int()
          .min(1)
          .max(MAX_SERIAL_CHANNELS / 4),
        connected_when: bit,
      })
      .describe('One hexadecimal number in text whose lowest bit is channel 1'),
  ])
  .describe('What {state} looks like');

const initialise = z.strictObject({
  send,
  wait_ms: busyMs.min(1).describe('How long the answer may take; whatever comes in that time is forgotten'),
  attempts: z
    .int()
    .min(1)
    .max(MAX_ATTEMPTS)
    .default(1)
    .describe('Sent again, up to so often, until anything comes back'),
});

const read = z.strictObject({
  send,
  reply: template.describe('The answer, with {state} where the channels are'),
  state,
  reports: z
    .enum(['commanded', 'measured'])
    .describe('Whether the answer is what was commanded or where the contact is'),
});

const hardwareLease = z
  .strictObject({
    send: template.describe('The frame that connects for a time, with {lease} where the time goes'),
    reply: reply.optional(),
    refused,
    unit_ms: z.int().min(1).max(MAX_UNIT_MS).describe('What 1 in the field lasts, ms'),
    min: z.int().min(1).max(MAX_LEASE_FIELD).describe('Smallest value of the field'),
    max: z.int().min(1).max(MAX_LEASE_FIELD).describe('Largest value of the field'),
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
  send,
  reply: template.describe('The answer, with {value} where the setting is'),
  must_be: template.describe('What {value} must be'),
  danger: text.describe('What may be the case when it is anything else'),
});

const address = z.int().min(0).max(MAX_ADDRESS).describe('Card address').optional();
const bytes = z.string().min(1).max(MAX_EXAMPLE);
const accepted = z.enum(['accepted', 'refused', 'nothing-said']);
const said = { request: bytes, reply: bytes.optional() };

const example = z
  .discriminatedUnion('ask', [
    z.strictObject({ ask: z.literal('connect'), channel, address, ...said, means: accepted }),
    z.strictObject({ ask: z.literal('isolate'), channel, address, ...said, means: accepted }),
    z.strictObject({ ask: z.literal('isolate-all'), address, ...said, means: accepted }),
    z.strictObject({
      ask: z.literal('lease'),
      channel,
      address,
      lease_ms: z.int().min(1),
      ...said,
      means: accepted,
    }),
    z.strictObject({
      ask: z.literal('read'),
      channel: channel
        .describe('The channel that is asked for, where the board is asked about one')
        .optional(),
      address,
      request: bytes,
      reply: bytes,
      means: z
        .strictObject({ connected: z.array(channel).max(MAX_SERIAL_CHANNELS) })
        .describe('Channels that read connected; all others asked for isolated'),
    }),
    z.strictObject({
      ask: z.literal('startup-check'),
      check: z.string().describe('Name of the start-up check'),
      address,
      request: bytes,
      reply: bytes,
      means: z.enum(['passed', 'failed']),
    }),
    z.strictObject({
      ask: z.literal('initialise'),
      step: z.int().min(1).max(MAX_INITIALISE).describe('Which step, from 1'),
      address,
      request: bytes,
    }),
  ])
  .describe('One exchange, byte for byte; tests play it both ways');

/** A board on a serial line, or behind a plain TCP connection. */
export const serialProfile = z.strictObject({
  driver: z.literal('serial'),
  ...profileCommon,
  transports: z
    .array(z.enum(['serial', 'tcp']))
    .min(1)
    .max(2)
    .describe('How the board can be reached; the first is how it leaves the factory'),
  serial: serialLine.describe('Factory settings of the serial line; needed for serial').optional(),
  control_lines: z
    .enum(['released', 'as-opened'])
    .default('as-opened')
    .describe('released: DTR and RTS are let go after opening, and closing does not hang up'),
  tcp_port: z.int().min(1).max(65_535).describe('Factory TCP port; needed for tcp').optional(),
  channels: z.int().min(1).max(MAX_SERIAL_CHANNELS),
  addresses: z
    .strictObject({ first: z.int().min(0).max(MAX_ADDRESS), last: z.int().min(0).max(MAX_ADDRESS) })
    .describe('Card addresses that {address} may be; left out: the board has none')
    .optional(),
  speaks: z
    .enum(['bytes', 'text'])
    .describe('How the frames below are written: "A0 {channel} 01 {sum8}" or "relay on {channel0}{cr}"'),
  initialise: z
    .array(initialise)
    .max(MAX_INITIALISE)
    .default([])
    .describe('What a board needs before it obeys; sent when it does not answer on a fresh wire'),
  connect: command,
  isolate: command,
  isolate_all: command.describe('Isolates every channel of the board with one frame').optional(),
  confirmed_by: z
    .enum(['reply', 'read-back', 'nothing'])
    .describe('What makes a command done: its reply, reading the state after it, or nothing at all'),
  read: read.optional(),
  hardware_lease: hardwareLease.optional(),
  startup_checks: z.array(startupCheck).max(MAX_LIST).default([]),
  timings,
  examples: z.array(example).min(1).max(256),
});

/** One serial board as data. */
export type SerialProfile = z.infer<typeof serialProfile>;
/** One recorded exchange of a serial profile. */
export type SerialExample = SerialProfile['examples'][number];
