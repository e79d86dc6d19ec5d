/** The button at the box and the people who approve from afar, as the file writes them. */
import { z } from 'zod';
import { absolutePath, duration, name } from './fields.ts';

const level = z.literal([0, 1]);

const input = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('gpio').describe('a GPIO line of this machine'),
    chip: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}$/, 'a chip is named by its label, such as pinctrl-bcm2711')
      .describe('label of the chip, never its number (`gpiodetect` prints labels)'),
    line: z.int().min(0).max(1023).describe('GPIO line: its offset on the chip'),
    released_when: level.default(0).describe('level while released; 0: the button leads to ground'),
    bias: z
      .enum(['pull-up', 'pull-down', 'none'])
      .default('none')
      .describe('pull of the line where the kernel can set it; `none`: an external resistor'),
    access: z
      .enum(['auto', 'sysfs', 'character-device'])
      .default('auto')
      .describe('how the line is read; auto: sysfs where the kernel has it, else the character device'),
  }),
  z.strictObject({
    type: z.literal('modbus-discrete-input').describe('an input of a Modbus board, asked ten times a second'),
    bus: name.describe('name of the bus under `buses`'),
    unit: z.int().min(1).max(255).describe('unit (station) address on the bus'),
    input: z.int().min(0).max(65_535).describe('address of the discrete input, as on the wire'),
    released_when: level.default(1).describe('what the input reads while released'),
  }),
  z.strictObject({
    type: z
      .literal('serial-status-line')
      .describe('a status line of a serial port that has nothing else to do, fed from its RTS or DTR'),
    device: absolutePath.describe('serial device, best by its stable name under /dev/serial/by-path'),
    line: z.enum(['cts', 'dsr', 'dcd']).default('cts').describe('the status line'),
    released_when: level.default(1).describe('what the line reads while released; 1: asserted'),
  }),
]);

/** The button on the box. */
export const button = z.strictObject({
  input: input.describe('what the button is wired to'),
  contact: z
    .literal('normally-closed', 'only a normally-closed contact shows a broken wire')
    .default('normally-closed')
    .describe('the contact of the button; a broken wire reads as pressed'),
  trips: z
    .union([z.literal('all'), z.array(name).min(1)], 'write all, or a list of links')
    .default('all')
    .describe('links that a press cuts and latches: `all`, or a list'),
  debounce: duration(5, 1_000)
    .default(100)
    .describe(
      'how long the released level must be still for a press to be over; a press trips at its first edge',
    ),
  dead_after: duration(500, 30_000)
    .default(2_000)
    .describe('an input without a valid reading for this long trips'),
  hold: duration(1_000, 30_000)
    .default(3_000)
    .describe('after everything is latched: release, then hold for this long, then release'),
  hold_gives: z
    .enum(['presence', 'reset', 'nothing'])
    .default('presence')
    .describe(
      'what a hold counts as: presence for resets, runs by hand and attended sessions; for resets only; nothing',
    ),
  presence: duration(10_000, 600_000).default(120_000).describe('how long the presence of a hold lasts'),
});

/** Somebody whose one-time code counts. */
export const approver = z.strictObject({
  secret_file: absolutePath.describe(
    'file with the secret of the one-time codes, made by `portcullis approver add`; only the interlock may read it',
  ),
});
