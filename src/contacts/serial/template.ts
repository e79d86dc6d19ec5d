/**
 * The notation in which serial profiles write their frames.
 *
 * `speaks: bytes`: pairs of hexadecimal digits and placeholders with one space between, as in `A0 {channel} 01 {sum8}`.
 * `speaks: text`: the text itself with placeholders in it, as in `relay on {channel0}{cr}`. `{0D}` is that very byte.
 *
 * A placeholder is `{name}`. Numbers may be changed by a constant in hexadecimal (`{channel+64}`, `{bit^FF}`) and are
 * one byte among bytes, decimal digits in text. In text, `{channel:2}` takes two digits and `{channel0:X}` hexadecimal ones.
 * Replies may also hold `{any}` (one byte, whatever it is), `{echo}` (the request again), `{state}` and `{value}`, and in text
 * `{gap}` (one or more of CR, LF and space).
 */

/** What a profile's frames consist of. */
export type Language = 'bytes' | 'text';

/** A number that differs from frame to frame. `bit` is 1, 2, 4, … for channel 1, 2, 3, … */
export type NumberName = 'channel' | 'channel0' | 'bit' | 'address' | 'lease';
const NUMBERS: readonly string[] = ['channel', 'channel0', 'bit', 'address', 'lease'] satisfies NumberName[];

/** How a checksum is computed from every byte before it: their sum modulo 256, or all of them exclusive-ored. */
export type ChecksumName = 'sum8' | 'xor';
const CHECKSUMS: readonly string[] = ['sum8', 'xor'] satisfies ChecksumName[];

/** What only a reply may hold: the request again, the state of channels, the value of a check, any one byte, line ends of any kind. */
export type ReplyPartName = 'echo' | 'state' | 'value' | 'any' | 'gap';
const REPLY_PARTS: readonly string[] = ['echo', 'state', 'value', 'any', 'gap'] satisfies ReplyPartName[];

/** How a number is written: one byte, or at least `width` digits. */
export interface NumberForm {
  readonly as: 'byte' | 'decimal' | 'hex';
  readonly width: number;
}

/** One piece of a frame. */
export type Part =
  | { readonly kind: 'literal'; readonly bytes: Buffer }
  | {
      readonly kind: 'number';
      readonly name: NumberName;
      readonly add: number;
      readonly xor: number;
      readonly form: NumberForm;
    }
  | { readonly kind: 'checksum'; readonly name: ChecksumName; readonly form: NumberForm }
  | { readonly kind: ReplyPartName };

/** A frame with gaps. */
export interface Template {
  /** As the profile writes it. */
  readonly text: string;
  readonly parts: readonly Part[];
}

/** A template, or why the text is none. */
export type TemplateReading =
  | { readonly kind: 'template'; readonly template: Template }
  | { readonly kind: 'problem'; readonly what: string };

/** Longest template, characters. */
export const MAX_TEMPLATE = 200;

const PLACEHOLDER =
  /^(?<name>[a-z][a-z0-9]*)(?:(?<how>[+^])(?<by>[0-9A-F]{2}))?(?::(?<width>[1-9]?)(?<hex>X?))?$/;
const HEX_PAIR = /^[0-9A-Fa-f]{2}$/;
const CONTROLS: Readonly<Record<string, number>> = { cr: 0x0d, lf: 0x0a };
/** Text is what can be seen; everything else is written as a placeholder. */
const PRINTABLE = /^[\x20-\x7E]$/;

class NotationError extends Error {
  override readonly name = 'NotationError';
}

/** Reads a template of at most `most` characters. */
export function readTemplate(text: string, language: Language, most = MAX_TEMPLATE): TemplateReading {
  const problem = (what: string): TemplateReading => ({ kind: 'problem', what });
  if (text.length > most) return problem(`longer than ${most} characters`);
  const tokens = language === 'bytes' ? text.split(' ') : (text.match(/\{[^{}]*\}|[\s\S]/g) ?? []);
  if (text === '') return problem('a frame has at least one byte');
  try {
    return {
      kind: 'template',
      template: { text, parts: joined(tokens.map((token) => part(token, language))) },
    };
  } catch (error) {
    if (error instanceof NotationError) return problem(error.message);
    throw error;
  }
}

function part(token: string, language: Language): Part {
  const shown = JSON.stringify(token.slice(0, 40));
  if (token.startsWith('{') && token.endsWith('}') && token.length > 2) {
    return placeholder(token.slice(1, -1), language);
  }
  if (language === 'bytes') {
    if (HEX_PAIR.test(token)) return literal(Number.parseInt(token, 16));
    throw new NotationError(`${shown} is neither two hexadecimal digits nor a placeholder such as {channel}`);
  }
  if (token !== '{' && token !== '}' && PRINTABLE.test(token)) return literal(token.charCodeAt(0));
  throw new NotationError(`${shown} must be written as a placeholder, such as {cr} or {0D}`);
}

function placeholder(text: string, language: Language): Part {
  const shown = `{${text.slice(0, 40)}}`;
  if (language === 'text') {
    if (HEX_PAIR.test(text)) return literal(Number.parseInt(text, 16));
    const control = CONTROLS[text];
    if (control !== undefined) return literal(control);
  }
  const match = PLACEHOLDER.exec(text);
  const { name = '', how, by = '00', width, hex } = match?.groups ?? {};
  if (match === null || !known(name)) {
    throw new NotationError(`${shown} is no placeholder; known: ${[...knownNames(language)].join(', ')}`);
  }
  if (isReplyPart(name)) {
    if (text !== name) throw new NotationError(`{${name}} takes no form: write {${name}}`);
    if (name === 'gap' && language === 'bytes') throw new NotationError('{gap} is for text');
    return { kind: name };
  }
  if (language === 'bytes' && (width !== undefined || hex !== undefined)) {
    throw new NotationError(`${shown}: among bytes a number is one byte; a form such as :2 is for text`);
  }
  const form: NumberForm = {
    as: language === 'bytes' ? 'byte' : hex === 'X' ? 'hex' : 'decimal',
    width: language === 'bytes' || width === undefined || width === '' ? 1 : Number(width),
  };
  if (isChecksum(name)) {
    if (how !== undefined) throw new NotationError(`${shown}: a checksum is not changed`);
    return { kind: 'checksum', name, form };
  }
  const constant = Number.parseInt(by, 16);
  return { kind: 'number', name, add: how === '+' ? constant : 0, xor: how === '^' ? constant : 0, form };
}

const isReplyPart = (name: string): name is ReplyPartName => REPLY_PARTS.includes(name);
const isChecksum = (name: string): name is ChecksumName => CHECKSUMS.includes(name);
const isNumber = (name: string): name is NumberName => NUMBERS.includes(name);
const known = (name: string): name is ReplyPartName | ChecksumName | NumberName =>
  isReplyPart(name) || isChecksum(name) || isNumber(name);

function knownNames(language: Language): readonly string[] {
  const controls = language === 'text' ? [...Object.keys(CONTROLS), '0D'] : [];
  return [...NUMBERS, ...CHECKSUMS, ...REPLY_PARTS, ...controls].map((name) => `{${name}}`);
}

const literal = (byte: number): Part => ({ kind: 'literal', bytes: Buffer.of(byte) });

function joined(parts: readonly Part[]): readonly Part[] {
  const result: Part[] = [];
  for (const each of parts) {
    const last = result.at(-1);
    if (last?.kind === 'literal' && each.kind === 'literal') {
      result[result.length - 1] = { kind: 'literal', bytes: Buffer.concat([last.bytes, each.bytes]) };
    } else result.push(each);
  }
  return result;
}

/** Whether the template holds this placeholder. */
export const holds = (template: Template, name: NumberName | ChecksumName | ReplyPartName): boolean =>
  template.parts.some((each) => each.kind === name || ('name' in each && each.name === name));

/** Whether the frame differs from channel to channel. */
export const perChannel = (template: Template): boolean =>
  holds(template, 'channel') || holds(template, 'channel0') || holds(template, 'bit');

/** The checksum over `bytes`, 0 to 255. */
export function checksum(name: ChecksumName, bytes: Uint8Array): number {
  switch (name) {
    case 'sum8':
      return bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0);
    case 'xor':
      return bytes.reduce((sum, byte) => sum ^ byte, 0);
  }
}
