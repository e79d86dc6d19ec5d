/**
 * Signed heads: one line of proof that a journal stood somewhere, small enough to send with every notification. A head kept
 * elsewhere contradicts every journal that was later rewritten or cut off before it.
 *
 * The text is a C2SP tlog-checkpoint in a C2SP signed-note (Ed25519): origin, size, root in base64, blank line, signatures.
 * NOTE: the root is a *chain head*, the SHA-256 of the last line of the journal, and NOT the root of an RFC 6962 Merkle
 * tree. Tools that check signatures and compare checkpoints of equal size work; consistency and inclusion proofs do not exist.
 */
import { Buffer } from 'node:buffer';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  randomUUID,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Head } from './chain.ts';
import { nodeDisk } from './disk.ts';

/** File of the private key: PKCS8 PEM, mode 0600. */
export const KEY_NAME = 'heads.key';
/** File of the verification key, one line. Its copy elsewhere is what counts. */
export const VKEY_NAME = 'heads.vkey';
/** Longest signed head that is looked at, in characters. */
export const MAX_HEAD_LENGTH = 16_384;

const ED25519 = 0x01;
const KEY_ID_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Bytes that stand before the 32 raw ones in the SPKI form of an Ed25519 key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const OTHERS_BITS = 0o077;

/** The private key of one journal. */
export interface HeadKey {
  /** Key name, also the origin line of its heads. */
  readonly name: string;
  /** The verification key in C2SP form, `<name>+<key id>+<base64>`. Public. */
  readonly vkey: string;
  sign(text: Uint8Array): Uint8Array;
}

/** What verifying a signed head gave. */
export type VerifiedHead =
  | { readonly ok: true; readonly origin: string; readonly head: Head }
  | { readonly ok: false; readonly why: string };

const rawPublicKey = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length);

const keyId = (name: string, publicKey: Buffer): Buffer =>
  hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKey]), 'buffer').subarray(
    0,
    KEY_ID_BYTES,
  );

/** Names a key after its public half, so that two boxes never share an origin. */
const nameOf = (publicKey: Buffer): string =>
  `portcullis.local/journal/${hash('sha256', publicKey, 'hex').slice(0, 16)}`;

/** The key in a PKCS8 PEM. Throws when it is not an Ed25519 private key. */
export function headKeyFromPem(pem: string): HeadKey {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key');
  const publicKey = rawPublicKey(key);
  const name = nameOf(publicKey);
  const material = Buffer.concat([Buffer.of(ED25519), publicKey]).toString('base64');
  return {
    name,
    vkey: `${name}+${keyId(name, publicKey).toString('hex')}+${material}`,
    sign: (text) => sign(null, text, key),
  };
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

async function readKey(path: string): Promise<HeadKey | null> {
  let handle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const { mode } = await handle.stat();
    if ((mode & OTHERS_BITS) !== 0)
      throw new Error(`${path} can be read by others: chmod 600, and think about who may have copied it`);
    return headKeyFromPem(await handle.readFile('utf8'));
  } catch (error) {
    // Never replaced by a new key: that would cut every head kept elsewhere off from this journal.
    throw new Error(
      `${path} is not usable: restore it from a copy, or move it away to begin a new identity`,
      { cause: error },
    );
  } finally {
    await handle.close();
  }
}

/** Writes a whole new file beside the others, synced, and gives its path. */
async function writeDraft(path: string, content: string | Buffer, mode: number): Promise<string> {
  const draft = `${path}.${randomUUID()}`;
  const handle = await open(draft, 'wx', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return draft;
}

async function createKey(directory: string): Promise<void> {
  const path = join(directory, KEY_NAME);
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const draft = await writeDraft(path, pem, 0o600);
  try {
    // A link, not a rename: a key that appeared meanwhile is kept.
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  await nodeDisk.syncDirectory(directory);
}

/** The key of a journal directory, made on first use. Throws when it is there but not usable. */
export async function openHeadKey(directory: string): Promise<HeadKey> {
  const path = join(directory, KEY_NAME);
  if ((await readKey(path)) === null) await createKey(directory);
  const key = await readKey(path);
  if (key === null) throw new Error(`${path} vanished while it was read`);
  const vkeyPath = join(directory, VKEY_NAME);
  const line = `${key.vkey}\n`;
  const written = await readVkey(directory);
  if (written !== key.vkey) {
    await rename(await writeDraft(vkeyPath, line, 0o644), vkeyPath);
    await nodeDisk.syncDirectory(directory);
  }
  return key;
}

/** The verification key kept beside a journal, or `null`. Whoever can rewrite the journal can rewrite it too. */
export async function readVkey(directory: string): Promise<string | null> {
  try {
    return (await readFile(join(directory, VKEY_NAME), 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The signed text of a head. */
export function signHead(head: Head, key: HeadKey): string {
  const body = `${key.name}\n${head.size}\n${Buffer.from(head.hash, 'hex').toString('base64')}\n`;
  const id = parseVkey(key.vkey)?.id ?? Buffer.alloc(0);
  const signature = Buffer.concat([id, key.sign(Buffer.from(body))]).toString('base64');
  return `${body}\n\u2014 ${key.name} ${signature}\n`;
}

/** Decodes base64 in its one canonical spelling, or gives `null`. */
function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

function parseVkey(vkey: string): { name: string; id: Buffer; key: KeyObject } | null {
  const [, name, id, material] =
    /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,100})$/.exec(vkey.trim()) ?? [];
  const bytes = fromBase64(material ?? '');
  if (name === undefined || id === undefined || bytes === null) return null;
  if (bytes.length !== 1 + PUBLIC_KEY_BYTES || bytes[0] !== ED25519) return null;
  const publicKey = bytes.subarray(1);
  if (keyId(name, publicKey).toString('hex') !== id) return null;
  const der = Buffer.concat([SPKI_PREFIX, publicKey]);
  return {
    name,
    id: Buffer.from(id, 'hex'),
    key: createPublicKey({ key: der, format: 'der', type: 'spki' }),
  };
}

/** Whether this signature of `text` was made by the key behind `vkey`. Callers begin `text` with a line that only they use. */
export function verifyText(vkey: string, text: Uint8Array, signature: Uint8Array): boolean {
  const known = parseVkey(vkey);
  return known !== null && signature.length === SIGNATURE_BYTES && verify(null, text, known.key, signature);
}

const SIGNATURE_LINE = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)$/;

function parseBody(body: string): { origin: string; head: Head } | null {
  const [, origin, size, root] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/=]{44})\n$/.exec(body) ?? [];
  const hashBytes = fromBase64(root ?? '');
  if (origin === undefined || hashBytes === null || !Number.isSafeInteger(Number(size))) return null;
  return { origin, head: { size: Number(size), hash: hashBytes.toString('hex') } };
}

/** Checks a signed head against a verification key. Signatures of other keys (witnesses) are passed over. */
export function verifyHead(text: string, vkey: string): VerifiedHead {
  if (text.length > MAX_HEAD_LENGTH)
    return { ok: false, why: `the head is longer than ${MAX_HEAD_LENGTH} characters` };
  const known = parseVkey(vkey);
  if (known === null)
    return { ok: false, why: 'the verification key is not an Ed25519 key in C2SP form (name+id+base64)' };
  const gap = text.indexOf('\n\n');
  if (gap === -1 || !text.endsWith('\n'))
    return { ok: false, why: 'not a signed note: no blank line, or no newline at the end' };
  const body = text.slice(0, gap + 1);
  let signed = false;
  for (const line of text.slice(gap + 2, -1).split('\n')) {
    const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
    const blob = fromBase64(encoded ?? '');
    if (name === undefined || blob === null)
      return { ok: false, why: 'not a signed note: a signature line is malformed' };
    if (name !== known.name || !blob.subarray(0, KEY_ID_BYTES).equals(known.id)) continue;
    const signature = blob.subarray(KEY_ID_BYTES);
    if (signature.length !== SIGNATURE_BYTES || !verify(null, Buffer.from(body), known.key, signature))
      return { ok: false, why: 'the signature is wrong' };
    signed = true;
  }
  if (!signed) return { ok: false, why: 'no signature by this key' };
  const parsed = parseBody(body);
  if (parsed === null) return { ok: false, why: 'not a checkpoint of origin, size and root' };
  if (parsed.origin !== known.name) return { ok: false, why: 'the head is of another journal' };
  return { ok: true, ...parsed };
}
