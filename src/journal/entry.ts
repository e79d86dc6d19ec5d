/**
 * One journal entry and its one spelling. A line is the RFC 8785 canonical JSON of the entry, so that its bytes, and with
 * them its hash, follow from its meaning: whatever `parseEntry` accepts, `printEntry` prints back byte for byte.
 */
import { Buffer } from 'node:buffer';
import canonicalize from 'canonicalize';

/** What JSON can hold. Numbers are IEEE doubles; NaN and the infinities are refused, -0 is written as 0. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
/** A JSON object. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** What a caller says; the journal adds order, time and chain. */
export interface EntryInput {
  /** Dotted lower-case name, such as `trip.latched`. The types in `JOURNAL_TYPES` are the journal's own. */
  readonly type: string;
  /** Who caused it: `source:<name>`, `person:<name>`, `button`, `interlock`, … */
  readonly actor: string;
  readonly data: JsonObject;
}

/** How far the calendar time of an entry may be trusted. */
export type ClockQuality = 'synchronised' | 'unsynchronised' | 'assumed';

/** One line of the journal. */
export interface Entry {
  /** 1 for the first entry ever, then without gaps, across files. */
  readonly seq: number;
  /** Names the boot (or process run) to which `mono` belongs. */
  readonly boot: string;
  /** Monotonic ms when it happened. */
  readonly mono: number;
  /** Calendar time when it happened: RFC 3339, UTC, milliseconds. */
  readonly at: string;
  readonly clock: ClockQuality;
  readonly type: string;
  readonly actor: string;
  readonly data: JsonObject;
  /** SHA-256 of the previous line without its newline, 64 hex digits; 64 zeros in the first entry ever. */
  readonly prev: string;
}

/** Longest line in bytes, without its newline. */
export const MAX_LINE_BYTES = 65_536;
/** Deepest nesting inside `data`. Bounds every recursion over an entry. */
export const MAX_DATA_DEPTH = 32;
/** Longest `actor`, in UTF-16 units. */
export const MAX_ACTOR_LENGTH = 200;

/** Entry types that only the journal itself writes. */
export const JOURNAL_TYPES = {
  rotated: 'journal.rotated',
  repaired: 'journal.repaired',
  writeFailed: 'journal.write-failed',
  resumed: 'journal.resumed',
} as const;

/** An entry that cannot be written, or a line that is not an entry. The message says why, without quoting the content. */
export class EntryError extends Error {
  override readonly name = 'EntryError';
}

const FIELDS = 9;
const TYPE = /^[a-z][a-z0-9.-]{0,99}$/;
const BOOT = /^[\x21-\x7e]{1,64}$/;
const AT = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const HASH = /^[0-9a-f]{64}$/;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** What keeps `value` from being written as JSON, with its path; `null` when nothing does. */
function valueProblem(value: unknown, path: string, depth: number): string | null {
  switch (typeof value) {
    case 'boolean':
      return null;
    case 'number':
      return Number.isFinite(value) ? null : `${path} is not a finite number`;
    case 'string':
      return value.isWellFormed() ? null : `${path} holds half a surrogate pair`;
    case 'object':
      return value === null ? null : containerProblem(value, path, depth);
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      return `${path} is ${typeof value}, which JSON cannot hold`;
  }
}

function containerProblem(value: object, path: string, depth: number): string | null {
  if (depth >= MAX_DATA_DEPTH) return `data is nested deeper than ${MAX_DATA_DEPTH} levels`;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const problem = valueProblem(value[index], `${path}[${index}]`, depth + 1);
      if (problem !== null) return problem;
    }
    return null;
  }
  if (!isPlain(value)) return `${path} is not a plain object`;
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed()) return `${path} has a key with half a surrogate pair`;
    const inner = (value as Record<string, unknown>)[key];
    // Paths are built only for what may fail: this runs for every value of every entry that is verified.
    if (inner === null || typeof inner === 'boolean') continue;
    const problem = valueProblem(inner, path, depth + 1);
    if (problem !== null)
      return problem.startsWith(path) ? `${path}.${quoted(key)}${problem.slice(path.length)}` : problem;
  }
  return null;
}

const MAX_QUOTED_KEY = 40;
const quoted = (key: string): string =>
  /^[A-Za-z0-9_-]{1,40}$/.test(key) ? key : JSON.stringify(key.slice(0, MAX_QUOTED_KEY));

/** What is wrong with the fields of a would-be entry; `null` when nothing is. */
function entryProblem(value: unknown): string | null {
  if (!isRecord(value)) return 'not an object';
  const { seq, boot, mono, at, clock, type, actor, data, prev } = value;
  if (Object.keys(value).length !== FIELDS) return `not exactly ${FIELDS} fields`;
  if (!Number.isSafeInteger(seq) || (seq as number) < 1) return 'seq is not a positive integer';
  if (typeof boot !== 'string' || !BOOT.test(boot)) return 'boot is not 1 to 64 printable ASCII characters';
  if (typeof mono !== 'number' || !Number.isFinite(mono) || mono < 0) return 'mono is not a time in ms';
  if (typeof at !== 'string' || !AT.test(at)) return 'at is not an RFC 3339 time in UTC with milliseconds';
  if (clock !== 'synchronised' && clock !== 'unsynchronised' && clock !== 'assumed')
    return 'clock is not a known quality';
  if (typeof type !== 'string' || !TYPE.test(type))
    return 'type is not a dotted lower-case name of at most 100 characters';
  if (typeof actor !== 'string' || actor.length === 0 || actor.length > MAX_ACTOR_LENGTH)
    return `actor is not 1 to ${MAX_ACTOR_LENGTH} characters`;
  if (!actor.isWellFormed()) return 'actor holds half a surrogate pair';
  if (typeof prev !== 'string' || !HASH.test(prev)) return 'prev is not 64 hex digits';
  if (!isRecord(data)) return 'data is not an object';
  return valueProblem(data, 'data', 0);
}

const tooLong = (line: string): boolean =>
  line.length > MAX_LINE_BYTES ||
  (line.length * 3 > MAX_LINE_BYTES && Buffer.byteLength(line) > MAX_LINE_BYTES);

/** The line of an entry, without newline. Throws `EntryError` for what could not be read back. */
export function printEntry(entry: Entry): string {
  const problem = entryProblem(entry);
  if (problem !== null) throw new EntryError(problem);
  const line = canonicalize(entry);
  if (line === undefined) throw new EntryError('not an object');
  if (tooLong(line)) throw new EntryError(`the line is longer than ${MAX_LINE_BYTES} bytes`);
  return line;
}

/** Whether every object of a parsed value lists its keys in RFC 8785 order (UTF-16 code units). */
function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isSorted);
  let before: string | null = null;
  for (const key of Object.keys(value)) {
    if (before !== null && before >= key) return false;
    before = key;
    const inner = (value as Record<string, unknown>)[key];
    if (typeof inner === 'object' && !isSorted(inner)) return false;
  }
  return true;
}

/**
 * Whether `line` is the canonical form of the well-formed `value` parsed from it. With sorted keys the engine's own printer
 * gives just that, at a third of the cost (`printEntry` never takes this way; a property test holds the two together).
 */
const isCanonical = (value: unknown, line: string): boolean =>
  (isSorted(value) && JSON.stringify(value) === line) || canonicalize(value) === line;

/** The entry of a line (without newline). Throws `EntryError` unless the line is exactly what `printEntry` gives. */
export function parseEntry(line: string): Entry {
  if (tooLong(line)) throw new EntryError(`the line is longer than ${MAX_LINE_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The engine's message quotes the input; ours does not.
    throw new EntryError('not JSON');
  }
  const problem = entryProblem(value);
  if (problem !== null) throw new EntryError(problem);
  if (!isCanonical(value, line)) throw new EntryError('not in canonical form (RFC 8785)');
  return value as Entry;
}
