/**
 * restic spends a third of a second per call on stretching the password, on purpose. Tests make hundreds of calls and keep no secrets:
 * here a repository gets a key that costs nothing, in restic's own format (docs/design.rst "Keys, Encryption and MAC").
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes, scryptSync } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const keyFile = z.looseObject({
  N: z.number(),
  r: z.number(),
  p: z.number(),
  salt: z.base64(),
  data: z.base64(),
});
/** The least that scrypt takes. */
const CHEAP = { N: 2, r: 1, p: 1 };
const PRIME = (1n << 130n) - 5n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

const littleEndian = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);

/** Poly1305-AES of `message`, 16 bytes. */
function macOf(message: Uint8Array, keys: Buffer, nonce: Uint8Array): Buffer {
  const aes = createCipheriv('aes-128-ecb', keys.subarray(32, 48), null).setAutoPadding(false);
  const pad = littleEndian(aes.update(nonce));
  const factor = littleEndian(keys.subarray(48, 64)) & CLAMP;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * factor) % PRIME;
  }
  const tag = (sum + pad) % (1n << 128n);
  return Buffer.from(Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').toReversed());
}

const stretched = (password: string, salt: Buffer, { N, r, p }: typeof CHEAP): Buffer =>
  scryptSync(password, salt, 64, { N, r, p, maxmem: 256 * N * r + 1_048_576 });

/** Replaces the only key of a fresh repository by one with the same password that costs nothing. */
export function cheapen(repository: string, password: string): void {
  const directory = join(repository, 'keys');
  const [name = ''] = readdirSync(directory);
  const key = keyFile.parse(JSON.parse(readFileSync(join(directory, name), 'utf8')));
  const dear = stretched(password, Buffer.from(key.salt, 'base64'), key);
  const sealed = Buffer.from(key.data, 'base64');
  const opener = createDecipheriv('aes-256-ctr', dear.subarray(0, 32), sealed.subarray(0, 16));
  const master = opener.update(sealed.subarray(16, -16));

  const salt = randomBytes(64);
  const cheap = stretched(password, salt, CHEAP);
  const nonce = randomBytes(16);
  const hidden = createCipheriv('aes-256-ctr', cheap.subarray(0, 32), nonce).update(master);
  const data = Buffer.concat([nonce, hidden, macOf(hidden, cheap, nonce)]).toString('base64');
  const text = JSON.stringify({ ...key, ...CHEAP, salt: salt.toString('base64'), data });
  rmSync(join(directory, name));
  writeFileSync(join(directory, createHash('sha256').update(text).digest('hex')), text);
}
