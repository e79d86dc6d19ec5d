/**
 * What a commissioning leaves behind: the figures of one link, what they were measured against, and the signature of this
 * box. The signed text begins with a line of its own, so that no record can pass for a head of the journal, or the other
 * way round.
 */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { type HeadKey, verifyText } from '../../journal/heads.ts';

/** The form of a record; another one is not read. */
export const RECORD_VERSION = 1;
/** First line of the signed text. */
const DOMAIN = 'portcullis.local/commissioning/1\n';
const MAX_TEXT = 2_000;
const MAX_LIST = 512;

const text = z.string().max(MAX_TEXT);
const ms = z.number().min(0);
/** Least, middle and greatest of a series, ms; null when nothing was measured. */
const spread = z.strictObject({ min: ms, p50: ms, max: ms, count: z.int().min(1) }).nullable();
export type Spread = z.infer<typeof spread>;

/** From the command to each stage, ms. */
const times = z.strictObject({
  /** The frame was handed to the kernel. */
  written: spread,
  /** The device's checked answer to the command was here. */
  acknowledged: spread,
  /** The contact's own word: when the question was asked that it first answered so. */
  read_back: spread,
  /** The last witness of the link agreed. */
  witness: spread,
});
export type Times = z.infer<typeof times>;

/** Why a step says nothing; `skipped` keeps a link from passing, the others do not. */
const notTried = z.enum(['simulated', 'not-applicable', 'skipped', 'earlier-failure']);

export const stepVerdict = z.enum(['passed', 'failed', 'not-tried']);
export type StepVerdict = z.infer<typeof stepVerdict>;

const step = z.strictObject({
  step: text,
  /** The contact or the supply it was about; null for the link as a whole. */
  about: text.nullable(),
  verdict: stepVerdict,
  not_tried: notTried.nullable(),
  /** Code of what was found wrong, null unless failed. */
  code: text.nullable(),
  says: text,
});

const leaseResult = z.strictObject({
  lease_ms: ms,
  /** ms from its last renewal until the contact was seen isolated by itself. */
  ran_out_after_ms: ms.nullable(),
  renewal: z.enum(['proven', 'refuted', 'not-tried']),
  isolate_cancels: z.enum(['proven', 'refuted', 'not-tried']),
  /** This program never sends a plain connect to a leased contact, so it does not try one. */
  connect_makes_permanent: z.literal('not-tried'),
});
export type LeaseResult = z.infer<typeof leaseResult>;

const contact = z.strictObject({
  name: text,
  kind: z.enum(['fail-safe', 'holding']),
  profile: text,
  supply: text,
  /** Whether it alone isolated a connected link. */
  isolates_alone: z.enum(['proven', 'refuted', 'not-tried']),
  /** What showed that, and ms from the command until it did. */
  isolates_alone_by: z.enum(['witness', 'read-back', 'none']),
  isolates_alone_ms: ms.nullable(),
  connect: times,
  isolate: times,
  /** How often its own word could be compared with a witness, and how often the two contradicted each other. */
  read_back: z.strictObject({ compared: z.int().min(0), contradicted: z.int().min(0) }),
  without_power: z.enum(['isolated', 'keeps', 'connected', 'not-tried']),
  hardware_lease: leaseResult.nullable(),
});

const witness = z.strictObject({
  name: text,
  type: text,
  saw: z.strictObject({ connected: z.int().min(0), isolated: z.int().min(0), unknown: z.int().min(0) }),
});

const recordSchema = z.strictObject({
  version: z.literal(RECORD_VERSION),
  link: text,
  /** Calendar time at which it ended, RFC 3339. */
  at: text,
  /** Who asked for it: an actor and the user id that he stated. */
  by: z.strictObject({ actor: text, uid: z.int().min(0).nullable() }),
  build: text,
  grade: z.enum(['simulated', 'field']),
  /** Digest of each part of configuration and profiles that the figures rest on. */
  digests: z.record(text, z.string().regex(/^[0-9a-f]{64}$/)),
  steps: z.array(step).max(MAX_LIST),
  contacts: z.array(contact).max(MAX_LIST),
  witnesses: z.array(witness).max(MAX_LIST),
  /** How long the link was, or may have been, connected meanwhile, ms. */
  connected_ms: ms,
  verdict: z.enum(['passed', 'failed']),
  /** Why it failed; empty when it passed. */
  reasons: z.array(text).max(MAX_LIST),
});
/** The result of commissioning one link. */
export type CommissioningRecord = z.infer<typeof recordSchema>;
export type StepResult = CommissioningRecord['steps'][number];
export type ContactResult = CommissioningRecord['contacts'][number];
export type WitnessResult = CommissioningRecord['witnesses'][number];

const fileSchema = z.strictObject({
  record: recordSchema,
  signature: z.strictObject({ key: z.string(), ed25519: z.base64() }),
});

/** What reading a record gave. */
export type RecordRead =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'wrong-signature'; readonly why: string }
  | { readonly kind: 'read'; readonly record: CommissioningRecord };

/** The RFC 8785 form of a value. */
export function canonicalText(value: unknown): string {
  const written = canonicalize(value);
  if (written === undefined) throw new TypeError('not a value that JSON can hold');
  return written;
}

const signedText = (record: CommissioningRecord): Uint8Array =>
  Buffer.from(`${DOMAIN}${canonicalText(record)}\n`);

/** SHA-256 of the signed text, 64 hex digits: what the journal keeps of a record. */
export const recordDigest = (record: CommissioningRecord): string =>
  hash('sha256', signedText(record), 'hex');

/** The file of a record: readable JSON with the signature of this box. */
export function signedRecord(record: CommissioningRecord, key: HeadKey): string {
  const ed25519 = Buffer.from(key.sign(signedText(record))).toString('base64');
  return `${JSON.stringify({ record, signature: { key: key.name, ed25519 } }, null, 2)}\n`;
}

/** Reads the file of a record; `vkey` is this box's own verification key. Never throws. */
export function readRecord(bytes: Uint8Array | null, link: string, vkey: string): RecordRead {
  if (bytes === null) return { kind: 'missing' };
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return { kind: 'unreadable', why: 'it is not JSON' };
  }
  const parsed = fileSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { kind: 'unreadable', why: `not a record of this version: ${issue?.path.join('.') ?? ''}` };
  }
  const { record, signature } = parsed.data;
  if (!verifyText(vkey, signedText(record), Buffer.from(signature.ed25519, 'base64')))
    return { kind: 'wrong-signature', why: 'it was not signed by this box, or was changed since' };
  if (record.link !== link) return { kind: 'wrong-signature', why: `it is of the link ${record.link}` };
  return { kind: 'read', record };
}
