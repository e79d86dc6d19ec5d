/**
 * Settings that a Modbus device keeps: what a profile says of those that are read back before every lease, what their values
 * mean, and how a person puts them right. The product never writes one. Pure.
 */
import { spelledBytes } from '../hex.ts';
import { z } from 'zod';
import { MAX_LIST, text } from '../profile-common.ts';
import { encodeRequest } from './frame.ts';
import type { Reply, Request } from './pdu.ts';

const MAX_WORD = 0xffff;
/** Most coils or inputs that one check reads. */
const MAX_BITS = 256;
/** Most registers that one request reads (Modbus Application Protocol V1.1b3, 6.3). */
const MAX_REGISTERS = 125;

const word = z.int().min(0).max(MAX_WORD);
const checkName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/);

const about = {
  name: checkName,
  address: word.describe('Address of the first value, from 0 as on the wire'),
  danger: text.describe('What may happen when one of them holds anything else'),
  remedy: text.describe('How a person puts it right, where a plain write does not').optional(),
};

/** Settings that are registers: exactly one of every, holds, between. */
const registers = z.strictObject({
  ...about,
  function: z.literal(3),
  quantity: z.int().min(1).max(MAX_REGISTERS),
  every: word.describe('What each of these registers must hold').optional(),
  holds: z.array(word).min(1).max(MAX_REGISTERS).describe('What they must hold, one by one').optional(),
  between: z
    .strictObject({ least: word, most: word, usual: word.describe('What a person is told to write') })
    .describe('Bounds for each of them')
    .optional(),
});

/** Settings that are coils or inputs: exactly one of every, holds. */
const bits = z.strictObject({
  ...about,
  function: z.literal([1, 2]),
  quantity: z.int().min(1).max(MAX_BITS),
  every: z.int().min(0).max(1).describe('What each of these bits must be').optional(),
  holds: z
    .array(z.int().min(0).max(1))
    .min(1)
    .max(MAX_BITS)
    .describe('What they must be, one by one')
    .optional(),
});

/** A setting that is read back before every lease. */
export const startupCheck = z
  .discriminatedUnion('function', [registers, bits])
  .describe('A setting that is read back before every lease, with exactly one of every, holds, between');

/** A setting that is read back. */
export type StartupCheck = z.infer<typeof startupCheck>;

/** What a profile says of a device that isolates by itself when nobody talks to it. */
export const communicationWatchdog = z
  .strictObject({
    fed_by: z
      .enum(['any-traffic', 'writes'])
      .describe('What starts its time anew: any request, readings included, or commands only'),
    isolates: z
      .enum(['unproven', 'proven', 'refuted'])
      .describe('Whether somebody saw it isolate on hardware'),
    factory: z
      .enum(['armed', 'not-armed', 'armed-without-effect', 'unknown'])
      .describe('armed-without-effect: its time runs, but the contacts stay where they are'),
    range: z
      .strictObject({
        unit_ms: z.int().min(1).max(60_000).describe('What 1 lasts, ms'),
        min: z.int().min(1).max(MAX_WORD).describe('Smallest time, in units'),
        max: z.int().min(1).max(MAX_WORD).describe('Largest time, in units'),
      })
      .describe('What its time can be; left out: nobody has found it in a document')
      .optional(),
    set_by: text.describe('How a person arms it'),
    verified_by: z
      .array(checkName)
      .max(MAX_LIST)
      .default([])
      .describe('Start-up checks that show it armed; empty: nothing that can be read shows it'),
    time_check: checkName.describe('The one of them that reads its time').optional(),
    after_trip: z
      .strictObject({
        recovery: z
          .enum(['next-command', 'cleared-by-person', 'unknown'])
          .describe('What lets a contact be connected again; none of them connects by itself'),
        how: text,
      })
      .describe('What is left behind when it has isolated'),
  })
  .describe('The device isolates every channel when nothing reaches it for a time');

/** A device's communication watchdog. */
export type CommunicationWatchdog = z.infer<typeof communicationWatchdog>;

/** What the value at `index` must be, in words, with a value that a person may set; `null` when `value` is right. */
function wrongValue(
  check: StartupCheck,
  index: number,
  value: number,
): { readonly must: string; readonly set: number } | null {
  if ('between' in check && check.between !== undefined) {
    const { least, most, usual } = check.between;
    return value >= least && value <= most ? null : { must: `${least} to ${most}`, set: usual };
  }
  const wanted = check.holds?.[index] ?? check.every ?? 0;
  return value === wanted ? null : { must: String(wanted), set: wanted };
}

/** A value that a check accepts at `index`; for what plays a device. */
export function soundValue(check: StartupCheck, index: number): number {
  if ('between' in check && check.between !== undefined) return check.between.usual;
  return check.holds?.[index] ?? check.every ?? 0;
}

/** A value that the check does not accept for its first register or bit; for what plays a device. */
export function unsoundValue(check: StartupCheck): number {
  if ('between' in check && check.between !== undefined) {
    const { least, most } = check.between;
    return most < MAX_WORD ? most + 1 : Math.max(least - 1, 0);
  }
  return soundValue(check, 0) ^ 1;
}

/** The request that reads a setting. */
export const settingRequest = ({ function: code, address, quantity }: StartupCheck): Request => ({
  function: code,
  address,
  quantity,
});

/** The values in an answer; bits are 0 and 1. Throws TypeError for an answer without values. */
export function valuesOf(reply: Reply): readonly number[] {
  if (reply.kind === 'registers') return reply.values;
  if (reply.kind === 'bits') return reply.bits.map(Number);
  throw new TypeError(`values are expected, not ${reply.kind}`);
}

/** Whether the values are as they must be. */
export const passes = (check: StartupCheck, values: readonly number[]): boolean =>
  values.length === check.quantity &&
  values.every((value, index) => wrongValue(check, index, value) === null);

const HELD_BY: Readonly<Record<StartupCheck['function'], string>> = {
  1: 'coil',
  2: 'discrete input',
  3: 'holding register',
};
const hex = (number: number): string => `0x${number.toString(16).toUpperCase().padStart(4, '0')}`;

/** What is wrong with a setting that holds `values`, in one sentence with what to do; `null` when nothing is. */
export function settingProblem(
  check: StartupCheck,
  values: readonly number[],
  board: { readonly label: string; readonly unit: number },
): string | null {
  const wrong = values.flatMap((value, index) => {
    const found = wrongValue(check, index, value);
    return found === null ? [] : [{ ...found, value, address: check.address + index }];
  });
  const [first] = wrong;
  if (first === undefined && values.length === check.quantity) return null;
  const held = HELD_BY[check.function];
  const found = wrong.map(
    ({ address, value, must }) => `${held} ${hex(address)} holds ${value}, must be ${must}`,
  );
  const what = first === undefined ? `${values.length} values came, not ${check.quantity}` : found.join(', ');
  const others = wrong.length > 1 ? ' The others likewise.' : '';
  const hint = first === undefined ? null : writeHint(check, first, board.unit);
  const remedy = check.remedy ?? (hint === null ? null : `${hint}${others}`);
  return `${check.name} of ${board.label}: ${what}. ${check.danger}${remedy === null ? '' : ` To put it right: ${remedy}`}`;
}

/** What a check demands, in words. */
export function demandText(check: StartupCheck): string {
  const { address, quantity } = check;
  const held = HELD_BY[check.function];
  const where = quantity === 1 ? `${held} ${address}` : `${held}s ${address} to ${address + quantity - 1}`;
  if ('between' in check && check.between !== undefined)
    return `${where} must hold ${check.between.least} to ${check.between.most}`;
  const what = check.holds?.join(', ') ?? String(check.every ?? 0);
  return `${where} must hold ${what}${quantity > 1 && check.holds === undefined ? ' each' : ''}`;
}

/** The write that puts one value right, with its frame, for a person; `null` for what cannot be written. */
function writeHint(
  check: StartupCheck,
  { address, set }: { readonly address: number; readonly set: number },
  unit: number,
): string | null {
  if (check.function === 2) return null;
  const request: Request =
    check.function === 1
      ? { function: 5, address, value: set === 1 ? 0xff00 : 0 }
      : { function: 6, address, value: set };
  const frame = encodeRequest('rtu', { transaction: 0, unit }, request);
  return `set ${HELD_BY[check.function]} ${address} (${hex(address)}) to ${set}, RTU frame ${spelledBytes(frame)}.`;
}
