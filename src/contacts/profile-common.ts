/**
 * What every firmware profile says, whatever driver reads it. Channels and inputs count from 1, wire addresses from 0,
 * times are ms.
 */
import { z } from 'zod';

/** Longest wait that a profile may ask for, ms. */
const MAX_WAIT_MS = 60_000;
/**
 * Longest wait within what is under way on a wire, ms. A cut jumps the queue and waits for that alone: a profile that could keep a wire
 * for longer would keep every cut on it for longer. No known device needs more; `ipmitool` and its like come near.
 */
const MAX_BUSY_MS = 10_000;
/** Longest text for people, UTF-16 units. */
const MAX_TEXT = 1_000;
/** Most entries in a list of a profile. */
export const MAX_LIST = 64;

/** `maker/model`, which is also the file's path below `firmware-profiles` without `.yaml`. */
export const PROFILE_ID = /^[a-z0-9][a-z0-9-]{0,39}\/[a-z0-9][a-z0-9-]{0,59}$/;

/** Text for people. */
export const text = z.string().trim().min(1).max(MAX_TEXT);
/** A wait, ms. */
export const waitMs = z.int().min(0).max(MAX_WAIT_MS);
/** A wait for which nothing else is sent on the wire, ms. */
export const busyMs = z.int().min(0).max(MAX_BUSY_MS);
/** How sure we are of one behaviour: nobody tried it, somebody saw it on hardware, or hardware showed the opposite. */
export const certainty = z.enum(['unproven', 'proven', 'refuted']);

/** How a serial line is set. */
export const serialLine = z.strictObject({
  baud: z.int().min(300).max(1_000_000),
  data_bits: z.literal([7, 8]),
  parity: z.enum(['none', 'even', 'odd']),
  stop_bits: z.literal([1, 2]),
});

/** Timings of a device that answers on a wire. */
export const timings = z.strictObject({
  reply_timeout_ms: busyMs.min(1).describe('How long a reply may take before it counts as missing'),
  gap_ms: busyMs.describe('Least silence between a reply and the next request'),
  settle_ms: waitMs.describe('How long the contact may take to move after the reply'),
  worst_reply_delay_ms: busyMs
    .min(1)
    .describe('Longest time after which a reply may still arrive; a serial line is drained this long'),
});

/** The keys that every profile has. Spread into the strict object of a driver. */
export const profileCommon = {
  id: z
    .string()
    .regex(PROFILE_ID, { error: 'an id is maker/model in lower case letters, digits and dashes' }),
  maker: text,
  model: text,
  contact: z.enum(['fail-safe', 'holding']).describe('Whether the contact falls to isolated without power'),
  without_power: z
    .enum(['isolated', 'keeps', 'unknown'])
    .describe('Where the contact stands without power, wired as dangers say'),
  power_on: z
    .strictObject({ position: z.enum(['isolated', 'connected', 'keeps', 'unknown']), certainty })
    .describe('Where the contact goes when power returns'),
  unsuitable: text
    .describe('Why this device must not be a contact; `check` refuses it with this reason')
    .optional(),
  dangers: z.array(text).max(MAX_LIST).describe('What a person must know before wiring or arming this board'),
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
};
