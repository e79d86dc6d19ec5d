/** The `generic` format: a JSON object with any of `status`, `severity`, `reason` (or `message`, `title`) and `id`. */
import { printable } from './excerpt.ts';
import type { Message } from './message.ts';

/** Longest body, bytes. Whatever is longer is not read. */
export const MAX_BODY_BYTES = 1_048_576;
const MAX_SEVERITY_CHARS = 40;
const MAX_REASON_CHARS = 200;
const MAX_ID_CHARS = 100;

const STATUSES = ['firing', 'resolved', 'test'] as const;
const REASONS = ['reason', 'message', 'title'] as const;

const unrecognised = (why: string): Message => ({ kind: 'unrecognised', why });

/** Reads a body. Never throws; what is not positively understood is unrecognised. */
export function parseGeneric(body: Uint8Array): Message {
  if (body.length === 0) return unrecognised('the body is empty');
  if (body.length > MAX_BODY_BYTES) return unrecognised(`the body is longer than ${MAX_BODY_BYTES} bytes`);
  const parsed = jsonObject(body);
  if (typeof parsed === 'string') return unrecognised(parsed);
  const { object, text } = parsed;
  const field = (name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined);

  const said = field('status');
  const status = STATUSES.find((known) => known === said) ?? null;
  if (said !== undefined && status === null)
    return unrecognised('its status is none of firing, resolved, test');
  // Two answers to one question are none: another reader of this body might see the other one.
  const harmless = status === 'resolved' || status === 'test';
  if (harmless && timesInOutermost(text, 'status') !== 1) {
    return unrecognised('it says its status more than once');
  }
  const severity = words(field('severity'), MAX_SEVERITY_CHARS);
  const reason = words(
    REASONS.map(field).find((value) => value !== undefined),
    MAX_REASON_CHARS,
  );
  const id = words(field('id'), MAX_ID_CHARS);
  if (severity === undefined || reason === undefined || id === undefined) {
    return unrecognised('severity, reason and id must be text or numbers');
  }
  if (status === null && severity === null && reason === null && id === null) {
    return unrecognised('it has none of the known fields');
  }
  return { kind: 'recognised', status, severity, reason, id };
}

/** The object in the body, or why there is none. */
function jsonObject(
  body: Uint8Array,
): { readonly object: Record<string, unknown>; readonly text: string } | string {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    value = JSON.parse(text);
  } catch {
    // Not UTF-8, not JSON, or nested beyond what the parser bears: all the same to the verdict.
    return 'the body is not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'the body is not a JSON object';
  return { object: value as Record<string, unknown>, text };
}

/** `null`: not there; `undefined`: neither text nor number. */
function words(value: unknown, limit: number): string | null | undefined {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return printable(value, limit);
  return typeof value === 'number' ? String(value) : undefined;
}

/** How often a key stands in the outermost object of a valid JSON text; `JSON.parse` itself keeps only the last. */
function timesInOutermost(text: string, wanted: string): number {
  let times = 0;
  let depth = 0;
  let isValue = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === ':') isValue = true;
    else if (character === ',') isValue = false;
    else if (character === '"') {
      const end = endOfString(text, at);
      if (depth === 1 && !isValue && JSON.parse(text.slice(at, end)) === wanted) times += 1;
      at = end - 1;
    }
  }
  return times;
}

/** Index after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
