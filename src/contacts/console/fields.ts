/**
 * What a profile says of a switch on a console, apart from what all profiles share. Lines are typed as they stand, with
 * `{port}` for the port; what the switch prints is described in the notation of pattern.ts. Times are ms.
 */
import { z } from 'zod';
import { busyMs, certainty, serialLine, text, waitMs } from '../profile-common.ts';
import { MAX_PATTERN } from './pattern.ts';

/** Most characters of a line that is typed. */
export const MAX_TYPED = 100;
/** Longest time for which a profile may keep our hands off, ms. */
const MAX_HANDS_OFF_MS = 600_000;
const MAX_LIST = 16;
const MAX_PRINTED = 4_000;

const printable = /^[\u0020-\u007E]+$/;
const typed = z
  .string()
  .min(1)
  .max(MAX_TYPED)
  .regex(printable, { error: 'a line of printable ASCII without a line end' })
  .describe('A line that is typed; {port} is the port');
const like = z
  .string()
  .min(1)
  .max(MAX_PATTERN)
  .regex(printable, { error: 'a pattern of printable ASCII' })
  .describe('A whole line: * is a run without blanks, ** any run, {port} the port');
const lines = z.array(typed).min(1).max(MAX_LIST);
const likes = z.array(like).min(1).max(MAX_LIST);
const noneOrMore = z.array(like).max(MAX_LIST).default([]);

/** Keys that are pressed by themselves. */
export const keys = z.enum(['ctrl-c', 'ctrl-u', 'ctrl-z', 'enter', 'space', 'q', 'n']);
/** One key. */
export type Key = z.infer<typeof keys>;

/** What a question of the switch is about; a question about saving is answered no whatever it costs. */
export const questionKind = z.enum(['pager', 'save', 'wake', 'setup', 'password-change', 'logout']);

/** What may be answered. `y` stands only where the question is whether to log out. */
const answer = z.enum(['enter', 'space', 'q', 'ctrl-c', 'n', 'n enter', 'no enter', 'y', 'y enter']);
/** One answer. */
export type Reply = z.infer<typeof answer>;

const question = z.strictObject({
  asks: like.describe('The line on which the cursor waits'),
  kind: questionKind,
  answer,
});

const meaning = z.enum(['isolated', 'connected']);
const rule = z.strictObject({ line: like, means: meaning });

const reading = z.strictObject({
  command: typed.describe('Typed in the privileged mode'),
  parked: typed
    .describe('The same as typed in the context of a port; left out, that context is left before reading')
    .optional(),
  rules: z
    .array(rule)
    .min(1)
    .max(MAX_LIST)
    .describe(
      'The first rule that covers a line gives its meaning; lines that contradict each other mean nothing',
    ),
  exists: noneOrMore.describe('Each must cover some line, or the port counts as not there'),
  absent: noneOrMore.describe('Any of these says that there is no such port'),
});
/** How one state of a port is read. */
export type StateReading = z.infer<typeof reading>;

const stored = z.strictObject({
  command: typed.describe('Shows what the switch starts with; typed in the privileged mode'),
  from: like.describe('The line with which the section of the port begins'),
  until: likes.describe('Lines that end the section'),
  isolated: likes.describe('Lines that say the port starts shut'),
});

/** What the switch shows on the line on which its cursor waits. */
const prompts = z.strictObject({
  user: noneOrMore,
  privileged: likes,
  configure: noneOrMore,
  interface: noneOrMore,
});

const deadMan = z
  .strictObject({
    how: text.describe('What in the switch would undo a connect by itself'),
    typed: z.array(typed).max(MAX_LIST).default([]),
    granularity_ms: z.int().min(1).describe('Its finest step, ms'),
    needs: text.describe('What must be configured before'),
    certainty,
  })
  .describe('A timer of the switch. Described only: the driver does not use it, for nobody could try it');

/** How the switch is driven. */
export const consoleFields = {
  transports: z
    .array(z.enum(['serial', 'tcp']))
    .min(1)
    .max(2),
  serial: serialLine.describe('Factory settings of the console; the bus may say otherwise').optional(),
  line_end: z.enum(['cr', 'crlf', 'lf']).default('cr'),
  ports: likes.describe('What names of ports look like, in full, as the switch prints them'),
  persistence: z
    .enum(['running', 'stored'])
    .describe('Whether a change is gone after a restart, or survives it at once'),
  prompts,
  login: z.strictObject({ username: noneOrMore, password: likes, refused: noneOrMore }),
  questions: z
    .array(question)
    .max(2 * MAX_LIST)
    .default([]),
  wake: z
    .array(keys)
    .min(1)
    .max(MAX_LIST)
    .describe('Pressed one after the other until a prompt is recognised'),
  marker: typed
    .regex(/\{mark\}/, { error: 'needs {mark}' })
    .describe('A harmless line, best a comment: what comes after its echo is fresh'),
  privilege: typed.describe('Asks for the privileged mode').optional(),
  prepare: z.array(typed).max(MAX_LIST).describe('Typed once per session in the privileged mode: paging off'),
  configure: typed.describe('From the privileged mode to the configuration').optional(),
  interface: typed.describe('From the configuration to the context of the port').optional(),
  interface_from: z
    .enum(['any-port', 'configure'])
    .default('any-port')
    .describe('Whether the context of a port can be entered from that of another'),
  isolate: lines,
  connect: lines,
  leave: z.array(typed).max(MAX_LIST).describe('From the context of the port back to the privileged mode'),
  logout: lines.describe('From the privileged mode out of the session'),
  administrative: reading,
  operational: reading,
  stored: stored.optional(),
  errors: likes.describe('Lines that refuse a command'),
  hands_off: z
    .strictObject({ lines: likes, for_ms: z.int().min(1).max(MAX_HANDS_OFF_MS) })
    .describe('After these lines nothing is typed for a while: a key would stop the switch from starting')
    .optional(),
  dead_man: deadMan.optional(),
  timings: z.strictObject({
    reply_timeout_ms: busyMs.min(1).describe('How long one line may take to be answered'),
    quiet_ms: busyMs.min(1).describe('Silence after which a prompt that stands is the end of an answer'),
    wake_ms: busyMs.min(1).describe('How long a key may take to show a prompt'),
    settle_ms: waitMs.describe('How long the port may take to change after the line'),
  }),
};

const port = z.string().min(1).max(MAX_TYPED);
const printed = z
  .string()
  .max(MAX_PRINTED)
  .describe('What the switch prints after the echo, without the prompt');

/** A recorded piece of dialogue. */
export const consoleExample = z.discriminatedUnion('ask', [
  z.strictObject({
    ask: z.literal(['isolate', 'connect']),
    port,
    in: z.enum(['privileged', 'configure', 'port', 'other-port']),
    sends: z.array(z.string().max(MAX_TYPED)).min(1).max(MAX_LIST),
    means: z.literal('accepted'),
  }),
  z.strictObject({
    ask: z.literal(['administrative', 'operational', 'stored']),
    port,
    sends: z.string().max(MAX_TYPED),
    prints: printed,
    means: z.enum(['isolated', 'connected', 'unknown', 'absent']),
  }),
  z.strictObject({
    ask: z.literal('cursor'),
    prints: z.string().min(1).max(MAX_PATTERN).describe('The line on which the cursor waits'),
    sends: z.string().max(MAX_TYPED).describe('What is answered').optional(),
    means: z.enum([
      'user',
      'privileged',
      'configure',
      'interface',
      'username',
      'password',
      ...questionKind.options,
      'nothing',
    ]),
  }),
  z.strictObject({ ask: z.literal('error'), prints: printed, means: z.enum(['refused', 'accepted']) }),
]);

/** The part of a profile that describes the console, by itself. */
export const consoleDevice = z.strictObject(consoleFields);
/** A switch as its profile describes it. */
export type ConsoleDevice = z.infer<typeof consoleDevice>;
/** One recorded piece of dialogue. */
export type ConsoleExample = z.infer<typeof consoleExample>;
