/** Reads the body of a verified request. Pure, bounded, never throws. */
import { gunzipSync } from 'node:zlib';

/** Longest body, bytes, also after it was unpacked. Whatever is longer is not read. */
export const MAX_BODY_BYTES = 1_048_576;
/** Keeps nothing from one text to the next. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true });
const GZIP = [0x1f, 0x8b] as const;

export type JsonGroup = Readonly<Record<string, unknown>>;

export type BodyRead =
  | {
      readonly ok: true;
      readonly value: unknown;
      /** True when some object in it says one of its keys twice. `JSON.parse` keeps the last; another reader might keep the first. */
      readonly repeats: () => boolean;
    }
  | { readonly ok: false; readonly why: string };

const unreadable = (why: string): BodyRead => ({ ok: false, why });

/** The JSON in a body, packed with gzip or not, whatever its sender calls its type. */
export function readJson(raw: Uint8Array): BodyRead {
  if (raw.length === 0) return unreadable('the body is empty');
  if (raw.length > MAX_BODY_BYTES) return unreadable(`the body is longer than ${MAX_BODY_BYTES} bytes`);
  try {
    const packed = GZIP.every((byte, index) => raw[index] === byte);
    const bytes = packed ? gunzipSync(raw, { maxOutputLength: MAX_BODY_BYTES }) : raw;
    const text = UTF_8.decode(bytes);
    const value: unknown = JSON.parse(text);
    return { ok: true, value, repeats: () => saysKeyTwice(text) };
  } catch {
    // Not gzip or too much of it, not UTF-8, not JSON, or nested beyond what the parser bears: all the same to the verdict.
    return unreadable('the body is not JSON');
  }
}

export const isGroup = (value: unknown): value is JsonGroup =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands at the end of a path of keys, `undefined` when nothing does. Only what the body itself says. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (!isGroup(here) || !Object.hasOwn(here, key)) return undefined;
    here = here[key];
  }
  return here;
}

/** Text at the end of a path, `null` when there is none. */
export function textAt(value: unknown, ...path: readonly string[]): string | null {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : null;
}

/** The first of these that is text or a number. */
export const firstSaid = (...values: readonly unknown[]): unknown =>
  values.find((value) => (typeof value === 'string' && value !== '') || typeof value === 'number');

/** True when an object in a valid JSON text has two keys that read the same. */
function saysKeyTwice(text: string): boolean {
  /** The keys of every object around this place; `null` for a list. */
  const around: (Set<string> | null)[] = [];
  let isValue = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '{' || character === '[') {
      around.push(character === '{' ? new Set() : null);
      isValue = false;
    } else if (character === '}' || character === ']') around.pop();
    else if (character === ':') isValue = true;
    else if (character === ',') isValue = false;
    else if (character === '"') {
      const end = endOfString(text, index);
      const keys = isValue ? null : around.at(-1);
      if (keys !== null && keys !== undefined) {
        const spelt = text.slice(index + 1, end - 1);
        const key = spelt.includes('\\') ? String(JSON.parse(text.slice(index, end))) : spelt;
        if (keys.has(key)) return true;
        keys.add(key);
      }
      index = end - 1;
    }
  }
  return false;
}

/** Index after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index + 1;
}
