/** Text from outside, made fit for a log line, a message or the journal. */
import { createHash } from 'node:crypto';

/** How much of a body the journal keeps, UTF-16 units before escaping. */
export const EXCERPT_CHARS = 400;
/** Bytes looked at for an excerpt: enough for `EXCERPT_CHARS` of the longest characters. */
const EXCERPT_BYTES = EXCERPT_CHARS * 4;

/** Controls, line ends of every script, format characters (bidi, zero width, tags), lone surrogates, private use, unassigned. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

/** At most `limit` UTF-16 units of `text` on one line; what a terminal or a page could act on becomes `\u{…}`. Longer text ends in `…`. */
export function printable(text: string, limit: number): string {
  const cut = text.length > limit ? text.slice(0, limit) : text;
  const safe = cut
    .replaceAll('\\', '\\\\')
    .replaceAll(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return text.length > limit ? `${safe}…` : safe;
}

/** What the journal keeps of a body. */
export interface Excerpt {
  /** Bounded, escaped; bytes that are not UTF-8 show as U+FFFD. */
  readonly text: string;
  /** Size of the whole body, bytes. */
  readonly bytes: number;
  /** Of the whole body, hexadecimal. */
  readonly sha256: string;
}

/** Digest and beginning of a body. */
export function excerptOf(body: Uint8Array): Excerpt {
  const text = new TextDecoder().decode(body.subarray(0, EXCERPT_BYTES));
  const cut = body.length > EXCERPT_BYTES && text.length <= EXCERPT_CHARS;
  return {
    text: cut ? `${printable(text, EXCERPT_CHARS)}…` : printable(text, EXCERPT_CHARS),
    bytes: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
  };
}
