/**
 * restic spends a third of a second per call on stretching the password, on purpose, and `restic init` twice that on finding
 * out how long it takes. Tests make hundreds of calls and keep no secrets: here a repository gets a key that costs nothing, or
 * is made with one, in restic's own format (docs/design.rst "Repository Format", "Keys, Encryption and MAC").
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes, scryptSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** `plain` as restic keeps it under `keys`: nonce, cipher text, MAC. */
function sealed(plain: Uint8Array, keys: Buffer): Buffer {
  const nonce = randomBytes(16);
  const hidden = createCipheriv('aes-256-ctr', keys.subarray(0, 32), nonce).update(plain);
  return Buffer.concat([nonce, hidden, macOf(hidden, keys, nonce)]);
}

/** Writes the key file that gives the master key to whoever has the password. `about`: who made it, and when. */
function writeKey(directory: string, password: string, master: Uint8Array, about: object): void {
  const salt = randomBytes(64);
  const data = sealed(master, stretched(password, salt, CHEAP)).toString('base64');
  const text = JSON.stringify({ ...about, ...CHEAP, salt: salt.toString('base64'), data });
  writeFileSync(join(directory, createHash('sha256').update(text).digest('hex')), text);
}

/** Replaces the only key of a fresh repository by one with the same password that costs nothing. */
export function cheapen(repository: string, password: string): void {
  const directory = join(repository, 'keys');
  const [name = ''] = readdirSync(directory);
  const key = keyFile.parse(JSON.parse(readFileSync(join(directory, name), 'utf8')));
  const dear = stretched(password, Buffer.from(key.salt, 'base64'), key);
  const data = Buffer.from(key.data, 'base64');
  const opener = createDecipheriv('aes-256-ctr', dear.subarray(0, 32), data.subarray(0, 16));
  const master = opener.update(data.subarray(16, -16));
  rmSync(join(directory, name));
  writeKey(directory, password, master, key);
}

/** A polynomial that cannot be divided, of the degree that restic cuts files with. */
const CHUNKER_POLYNOMIAL = '3da3358b4dc173';

/** Makes what `restic init` makes at `repository`, with a key that costs nothing. No two have the same id. */
export function initialiseCheaply(repository: string, password: string): void {
  const firstBytes = Array.from({ length: 256 }, (_, byte) =>
    join('data', byte.toString(16).padStart(2, '0')),
  );
  for (const name of ['index', 'keys', 'locks', 'snapshots', ...firstBytes])
    mkdirSync(join(repository, name), { recursive: true });
  const keys = randomBytes(64);
  const [encrypt, k, r] = [keys.subarray(0, 32), keys.subarray(32, 48), keys.subarray(48)].map((part) =>
    part.toString('base64'),
  );
  const about = { created: new Date().toISOString(), username: 'test', hostname: 'test', kdf: 'scrypt' };
  const master = JSON.stringify({ mac: { k, r }, encrypt });
  writeKey(join(repository, 'keys'), password, Buffer.from(master), about);
  const id = randomBytes(32).toString('hex');
  const config = JSON.stringify({ version: 2, id, chunker_polynomial: CHUNKER_POLYNOMIAL });
  writeFileSync(join(repository, 'config'), sealed(Buffer.from(config), keys), { mode: 0o600 });
}
