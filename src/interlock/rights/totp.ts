/** One-time codes: RFC 6238 (TOTP) over RFC 4226 (HOTP), as authenticator applications make them. Pure but for the secret's bytes. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What authenticator applications take without being told otherwise: SHA-1, six digits, 30 s. */
export const CODE_DIGITS = 6;
export const STEP_SECONDS = 30;
/** Steps before and after the present one that are taken, for clocks that differ (RFC 6238 section 5.2). */
export const STEPS_AROUND = 1;
/** Bytes of a new secret: the length of the hash (RFC 4226 section 4 asks for at least 16, recommends 20). */
export const SECRET_BYTES = 20;
const LEAST_SECRET_BYTES = 16;

const MS_PER_SECOND = 1_000;
const COUNTER_BYTES = 8;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BITS_PER_LETTER = 5;
const BITS_PER_BYTE = 8;

/** Which hash a code is made with; the applications that people have know SHA-1 only. */
export type CodeHash = 'sha1' | 'sha256' | 'sha512';

/** The step of a calendar time, ms since 1970. */
export const stepAt = (calendarMs: number): number => Math.floor(calendarMs / MS_PER_SECOND / STEP_SECONDS);

/** The code of one step (RFC 4226 section 5.3). */
export function codeOf(
  secret: Uint8Array,
  step: number,
  digits: number = CODE_DIGITS,
  hash: CodeHash = 'sha1',
): string {
  const counter = Buffer.alloc(COUNTER_BYTES);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac(hash, secret).update(counter).digest();
  const offset = mac.readUInt8(mac.length - 1) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

/** The newest step around `calendarMs` that has this code, or null. Every step is compared, in the same time. */
export function stepOfCode(secret: Uint8Array, code: string, calendarMs: number): number | null {
  if (!/^\d+$/.test(code) || code.length !== CODE_DIGITS) return null;
  const now = stepAt(calendarMs);
  let found: number | null = null;
  for (let step = now - STEPS_AROUND; step <= now + STEPS_AROUND; step += 1)
    if (step >= 0 && timingSafeEqual(Buffer.from(codeOf(secret, step)), Buffer.from(code))) found = step;
  return found;
}

/** Base32 without padding (RFC 4648 section 6). */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << BITS_PER_BYTE) | byte;
    bits += BITS_PER_BYTE;
    while (bits >= BITS_PER_LETTER) {
      bits -= BITS_PER_LETTER;
      text += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET[(held << (BITS_PER_LETTER - bits)) & 31];
}

/** The secret that a file holds on its first line, or null when it is none. Blanks, small letters and padding are forgiven. */
export function secretOf(text: string): Uint8Array | null {
  const letters = (text.split('\n')[0] ?? '').replaceAll(/[\s=]/g, '').toUpperCase();
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of letters) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) return null;
    held = (held << BITS_PER_LETTER) | value;
    bits += BITS_PER_LETTER;
    if (bits < BITS_PER_BYTE) continue;
    bits -= BITS_PER_BYTE;
    bytes.push((held >> bits) & 0xff);
    held &= (1 << bits) - 1;
  }
  return bytes.length < LEAST_SECRET_BYTES ? null : Uint8Array.from(bytes);
}

/** What an authenticator application takes, as text or in a QR code (the key URI format of Google Authenticator). */
export function otpauthUri(approver: string, box: string, secret: Uint8Array): string {
  const label = `${encodeURIComponent('Portcullis')}:${encodeURIComponent(`${approver}@${box}`)}`;
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=Portcullis&algorithm=SHA1&digits=${CODE_DIGITS}&period=${STEP_SECONDS}`;
}
