/** What a profile says of a relay board on GPIO lines: which level energises, and what feeds it. */
import { z } from 'zod';
import { MAX_LIST, profileCommon, text, waitMs } from '../profile-common.ts';
import type { Level } from './lines.ts';

/** Highest offset of a line that a profile may name. */
const MAX_LINE = 1_023;
const level = z.literal([0, 1]).describe('Level of the pin');

const example = z
  .discriminatedUnion('ask', [
    z.strictObject({ ask: z.literal('connect'), level }),
    z.strictObject({ ask: z.literal('isolate'), level }),
    z.strictObject({
      ask: z.literal('read'),
      level,
      means: z.enum(['connected', 'isolated']).describe('What the pin was told; never where the contact is'),
    }),
  ])
  .describe('What is written to the pin, or what a level read from it means');

/** The part of a profile that driver `gpio` reads. */
export const gpioProfile = z.strictObject({
  driver: z.literal('gpio'),
  ...profileCommon,
  active: z.enum(['high', 'low']).describe('Level of the pin that energises the relay'),
  lines: z
    .array(z.int().min(0).max(MAX_LINE))
    .min(1)
    .max(MAX_LIST)
    .describe('The only lines the board is wired to; left out, any line may be wired to it')
    .optional(),
  input_pull: z
    .enum(['up', 'down', 'none', 'unknown'])
    .describe('Resistor of the board at its input: decides while nobody drives the pin'),
  input_supply: z
    .enum(['none', 'controller', 'coil', 'unknown'])
    .describe(
      'What feeds the input besides the pin: nothing (a transistor), a supply that dies with the controller (its 3.3 V pin), or the supply of the coil',
    ),
  coil_supply: z
    .strictObject({
      volts: z.number().min(1).max(60),
      from: z
        .enum(['controller', 'separate', 'either'])
        .describe('Whether the coil loses its supply with the controller'),
    })
    .describe('What moves the relay; a button in series with it is the last word'),
  settle_ms: waitMs.describe('How long the contact may take to move after the pin'),
  contact_rating: text.describe('What the contact may switch, from the data sheet').optional(),
  examples: z.array(example).min(1).max(MAX_LIST),
});

/** One relay board on GPIO as data. */
export type GpioProfile = z.infer<typeof gpioProfile>;

/** The level of the pin that connects. */
export const connectedLevel = (profile: Pick<GpioProfile, 'active'>): Level =>
  profile.active === 'high' ? 1 : 0;
