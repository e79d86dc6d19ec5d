/** Frames from templates and back. Pure. */
import { spelledBytes } from '../hex.ts';
import { checksum, type NumberForm, type NumberName, type Part, type Template } from './template.ts';
import type { StateForm } from './state.ts';

/** The numbers of one frame. A number that is missing may stand in no frame that is built. */
export type Numbers = Readonly<Partial<Record<NumberName, number>>>;

/** What a reply is built from. */
export interface Said {
  readonly request: Uint8Array;
  /** Bytes of `{state}`. */
  readonly state?: Uint8Array;
  /** Bytes of `{value}`. */
  readonly value?: Uint8Array;
}

/** What a reply is understood with. */
export interface Expected {
  readonly numbers: Numbers;
  /** What `{echo}` is. */
  readonly request?: Uint8Array;
  /** Reads `{state}`. */
  readonly state?: StateForm;
  /** How many bytes `{value}` has. */
  readonly valueBytes?: number;
}

/** What bytes amount to beside a template. `mismatch`: no bytes after these can make it fit. */
export type Match =
  | { readonly kind: 'more' }
  | { readonly kind: 'mismatch'; readonly what: string }
  | {
      readonly kind: 'match';
      /** Bytes taken. */
      readonly length: number;
      /** Channels that `{state}` says are connected, from 1; `null` without it. */
      readonly connected: ReadonlySet<number> | null;
      readonly value: Buffer | null;
      /** What a `{lease}` holds whose number was not known. */
      readonly lease: number | null;
    };

/** What most consoles put between two lines of an answer: LF CR. */
const USUAL_GAP: Buffer = Buffer.of(0x0a, 0x0d);
const BYTE_MAX = 0xff;
/** Bytes shown of a frame in a message. */
const MAX_SHOWN = 32;

/** Bytes as `A0 01 01 A2`, the first ones of many. */
export function spelled(bytes: Uint8Array): string {
  const shown = spelledBytes(bytes.subarray(0, MAX_SHOWN));
  return bytes.length > MAX_SHOWN ? `${shown} …` : shown;
}

/** Builds a frame. Throws RangeError when a number is missing or does not fit its place. */
export function buildFrame(template: Template, numbers: Numbers, said?: Said): Buffer {
  let frame = Buffer.alloc(0);
  for (const part of template.parts) {
    frame = Buffer.concat([frame, partBytes(part, { template, numbers, said, before: frame })]);
  }
  return frame;
}

interface Building {
  readonly template: Template;
  readonly numbers: Numbers;
  readonly said: Said | undefined;
  readonly before: Uint8Array;
}

function partBytes(part: Part, { template, numbers, said, before }: Building): Uint8Array {
  const needed = (bytes: Uint8Array | undefined): Uint8Array => {
    if (bytes === undefined) throw new RangeError(`"${template.text}" needs a ${part.kind}`);
    return bytes;
  };
  switch (part.kind) {
    case 'literal':
      return part.bytes;
    case 'number': {
      const number = numbers[part.name];
      if (number === undefined) throw new RangeError(`"${template.text}" needs a ${part.name}`);
      return numberBytes((number + part.add) ^ part.xor, part.form, part.name);
    }
    case 'checksum':
      return numberBytes(checksum(part.name, before), part.form, part.name);
    case 'echo':
      return needed(said?.request);
    case 'state':
      return needed(said?.state);
    case 'value':
      return needed(said?.value);
    case 'any':
      return Buffer.of(0);
    case 'gap':
      return USUAL_GAP;
  }
}

function numberBytes(number: number, { as, width }: NumberForm, name: string): Buffer {
  if (as === 'byte') {
    if (number < 0 || number > BYTE_MAX) throw new RangeError(`${name}: ${number} is no byte`);
    return Buffer.of(number);
  }
  const digits = number.toString(as === 'hex' ? 16 : 10).toUpperCase();
  return Buffer.from(digits.padStart(width, '0'), 'latin1');
}

const MORE: Match = { kind: 'more' };

/** Reads a frame from the start of `bytes`. Says `mismatch` with the first byte that cannot be. */
export function matchFrame(template: Template, expected: Expected, bytes: Buffer): Match {
  let at = 0;
  let connected: ReadonlySet<number> | null = null;
  let value: Buffer | null = null;
  let lease: number | null = null;
  for (const part of template.parts) {
    const rest = bytes.subarray(at);
    if (part.kind === 'any') {
      if (rest.length === 0) return MORE;
      at += 1;
    } else if (part.kind === 'gap') {
      const length = gapLength(rest);
      if (rest.length === 0) return MORE;
      if (length === 0) return mismatch(rest, 'a line end');
      at += length;
    } else if (part.kind === 'number' && isUnknownLease(part, expected)) {
      const taken = takeNumber(rest, part.form);
      if (taken === 'no number') return mismatch(rest, 'a number');
      if (taken === 'more') return MORE;
      lease = (taken.number ^ part.xor) - part.add;
      at += taken.length;
    } else if (part.kind === 'value') {
      const length = expected.valueBytes ?? 1;
      if (rest.length < length) return MORE;
      value = rest.subarray(0, length);
      at += length;
    } else if (part.kind === 'state') {
      if (expected.state === undefined)
        throw new TypeError(`"${template.text}" is read without a form of its state`);
      const state = expected.state.take(rest, expected.numbers.channel ?? null);
      if (state.kind === 'more') return MORE;
      if (state.kind === 'mismatch') return mismatch(rest, state.what);
      connected = state.connected;
      at += state.length;
    } else {
      const building = { template, numbers: expected.numbers, before: bytes.subarray(0, at) };
      const said = expected.request === undefined ? undefined : { request: expected.request };
      const wanted = Buffer.from(partBytes(part, { ...building, said }));
      const present = rest.subarray(0, wanted.length);
      if (!present.equals(wanted.subarray(0, present.length))) return mismatch(rest, spelled(wanted));
      if (present.length < wanted.length) return MORE;
      at += wanted.length;
    }
  }
  return { kind: 'match', length: at, connected, value, lease };
}

function gapLength(bytes: Buffer): number {
  const end = bytes.findIndex((byte) => byte !== 0x0a && byte !== 0x0d && byte !== 0x20);
  return end === -1 ? bytes.length : end;
}

const mismatch = (rest: Buffer, wanted: string): Match => ({
  kind: 'mismatch',
  what: `${spelled(rest)} where ${wanted} should be`,
});

const isUnknownLease = (part: { readonly name: NumberName }, { numbers }: Expected): boolean =>
  part.name === 'lease' && numbers.lease === undefined;

function takeNumber(
  rest: Buffer,
  { as, width }: NumberForm,
): { readonly length: number; readonly number: number } | 'more' | 'no number' {
  if (as === 'byte') return rest.length === 0 ? 'more' : { length: 1, number: rest.readUInt8(0) };
  const digits = rest.subarray(0, width).toString('latin1');
  if (!(as === 'hex' ? /^[0-9A-F]*$/ : /^[0-9]*$/).test(digits)) return 'no number';
  if (digits.length < width) return 'more';
  return { length: width, number: Number.parseInt(digits, as === 'hex' ? 16 : 10) };
}
