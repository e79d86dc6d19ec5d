/** What a profile says of a contact that programs of this machine move: what to run, and what its output means. */
import { z } from 'zod';
import { busyMs, profileCommon, text, waitMs } from '../profile-common.ts';
import { MAX_LINE } from './meaning.ts';

/** Most words of a command. */
export const MAX_WORDS = 32;
const MAX_OUTPUT_TEXT = 4096;
const MAX_PATTERN = 200;

/** The name of a parameter. */
export const PARAMETER = /^[a-z][a-z0-9_]{0,31}$/;
/** A word of an argv that stands for a parameter: the whole word, never a part of one. */
export const PLACEHOLDER = /^\{([a-z][a-z0-9_]{0,31})\}$/;

const argv = z.array(z.string().min(1).max(256)).min(1).max(MAX_WORDS);
const pattern = z.string().min(1).max(MAX_PATTERN);
const exit = z.array(z.int().min(0).max(255)).min(1).max(16);
const sign = z.strictObject({
  exit: exit.describe('Exit codes, one of which it must end with'),
  some_line: pattern
    .describe(`A regular expression that some line of stdout matches; lines over ${MAX_LINE} mean nothing`)
    .optional(),
  no_line: pattern.describe('A regular expression that no line of stdout matches').optional(),
});
const timeoutMs = busyMs.min(1).describe('How long it may take before its process group is killed');

const example = z
  .discriminatedUnion('ask', [
    z.strictObject({
      ask: z.enum(['connect', 'isolate']),
      parameters: z.record(z.string(), z.string()).default({}),
      argv,
      exit: z.int().min(0).max(255),
      output: z.string().max(MAX_OUTPUT_TEXT),
      means: z.enum(['accepted', 'refused']),
    }),
    z.strictObject({
      ask: z.literal('read'),
      parameters: z.record(z.string(), z.string()).default({}),
      argv,
      exit: z.int().min(0).max(255),
      output: z.string().max(MAX_OUTPUT_TEXT),
      means: z.enum(['connected', 'isolated', 'unknown']),
    }),
  ])
  .describe('One run: the words that are run, what comes out, and what it means');

/** The shape of a profile whose driver is `command`. */
export const commandProfile = z.strictObject({
  driver: z.literal('command'),
  ...profileCommon,
  debian_package: z
    .string()
    .regex(/^[a-z0-9][a-z0-9+.-]{1,63}$/)
    .describe('Where the program is from')
    .optional(),
  parameters: z
    .record(
      z.string().regex(PARAMETER, { error: 'a parameter is lower case letters, digits and underscores' }),
      z.strictObject({
        pattern: pattern.describe('A regular expression that the whole word must match'),
        means: text,
      }),
    )
    .default({})
    .describe('Words that the configuration puts in: each stands for one whole word, written {name}'),
  connect: z.strictObject({ argv, timeout_ms: timeoutMs, done: sign }),
  isolate: z.strictObject({ argv, timeout_ms: timeoutMs, done: sign }),
  read: z.strictObject({ argv, timeout_ms: timeoutMs, connected: sign, isolated: sign }),
  settle_ms: waitMs.describe('How long the contact may take to move after the program has ended'),
  examples: z.array(example).min(1).max(64),
});

/** A contact moved by programs, as data. */
export type CommandProfile = z.infer<typeof commandProfile>;
/** One recorded run of a profile. */
export type CommandExample = CommandProfile['examples'][number];
