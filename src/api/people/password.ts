/** Passwords: Argon2id (RFC 9106) in the thread pool, so that no login delays anything else. */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { ApiRefusal } from '../routes/refusal.ts';

/** OWASP's least for Argon2id: 19 MiB, two passes, one lane. A Pi needs about 50 ms for it. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Hashes that may wait for their turn; one is computed at a time, so that logins never fill memory or threads. */
const MOST_WAITING = 16;

/** A password as it is kept. The costs are kept with it, so that raising them later locks nobody out. */
export const passwordHash = z.strictObject({
  algorithm: z.literal('argon2id'),
  memory_kib: z.int().min(8).max(1_048_576),
  passes: z.int().min(1).max(100),
  lanes: z.int().min(1).max(16),
  salt: z.base64(),
  hash: z.base64(),
});
export type PasswordHash = z.infer<typeof passwordHash>;

let waiting = 0;
let turn: Promise<unknown> = Promise.resolve();

/** Runs one after the other; rejects with `ApiRefusal` 503 when too many wait. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting >= MOST_WAITING)
    return Promise.reject(
      new ApiRefusal(503, 'busy', 'too many people log in at once', 'try again in a moment', 2_000),
    );
  waiting += 1;
  const mine = turn.then(work);
  turn = mine.then(
    () => void (waiting -= 1),
    () => void (waiting -= 1),
  );
  return mine;
}

function derive(
  password: string,
  salt: Buffer,
  costs: Pick<PasswordHash, 'memory_kib' | 'passes' | 'lanes'>,
): Promise<Buffer> {
  // NFC: the same letters typed on another keyboard are the same password.
  const message = Buffer.from(password.normalize('NFC'));
  const { memory_kib: memory, passes, lanes: parallelism } = costs;
  return inTurn(
    () =>
      new Promise((resolve, reject) => {
        argon2(
          'argon2id',
          { message, nonce: salt, memory, passes, parallelism, tagLength: HASH_BYTES },
          (error, key) => {
            if (error === null) resolve(Buffer.from(key));
            else reject(error);
          },
        );
      }),
  );
}

/** Hashes a password to be kept. */
export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(SALT_BYTES);
  const costs = { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES };
  const hash = await derive(password, salt, costs);
  return { algorithm: 'argon2id', ...costs, salt: salt.toString('base64'), hash: hash.toString('base64') };
}

const NOBODY: PasswordHash = {
  algorithm: 'argon2id',
  memory_kib: MEMORY_KIB,
  passes: PASSES,
  lanes: LANES,
  salt: Buffer.alloc(SALT_BYTES).toString('base64'),
  hash: Buffer.alloc(HASH_BYTES).toString('base64'),
};

/** True when it is the password. `null` (no such person) costs the same time and is never true. */
export async function isPassword(password: string, kept: PasswordHash | null): Promise<boolean> {
  const against = kept ?? NOBODY;
  const expected = Buffer.from(against.hash, 'base64');
  const found = await derive(password, Buffer.from(against.salt, 'base64'), against);
  return found.length === expected.length && timingSafeEqual(found, expected) && kept !== null;
}
