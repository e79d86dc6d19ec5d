/** The part of the configuration that says who may pull the kill switch. */
import { z } from 'zod';
import { FORMAT_NAMES } from '../../sources/formats.ts';
import { POINTER } from '../../sources/formats/map.ts';
import { LEVELS } from '../../sources/severity.ts';
import { absolutePath, duration, headerName, name } from './fields.ts';

const SIGNED_PARTS = /\{([^{}]*)\}/g;
const signedTemplate = z
  .string()
  .max(200)
  .refine((text) => {
    const parts = [...text.matchAll(SIGNED_PARTS)].map((match) => match[1]);
    const once = parts.length === 2 && parts.includes('timestamp') && parts.includes('body');
    return once && !/[{}]/.test(text.replaceAll(SIGNED_PARTS, ''));
  }, 'must contain {timestamp} once and {body} once, as in "{timestamp}.{body}"');

const secretFile = absolutePath.describe(
  'file with the secret on its first line; a second line is the previous secret',
);
const tolerance = duration(1_000, 86_400_000)
  .default(300_000)
  .describe('a signed time further off than this still trips, and is reported as skew or replay');

/** SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` prints it or without colons. */
const fingerprint = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$/, 'write the 64 hexadecimal digits of its SHA-256')
  .transform((text) => text.replaceAll(':', '').toLowerCase());

const verification = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('bearer').describe('`Authorization: Bearer TOKEN`'),
    token_file: secretFile,
  }),
  z.strictObject({
    type: z.literal('basic').describe('`Authorization: Basic …`: user name and password'),
    username: z
      .string()
      .regex(/^[^:\p{Cc}]{1,100}$/u, 'a user name has no ":" and no control characters')
      .describe('the user name'),
    password_file: secretFile,
  }),
  z.strictObject({
    type: z.literal('header').describe('the secret in a header of its own'),
    header: headerName.describe('header that carries the secret'),
    prefix: z.string().max(40).default('').describe('what stands before the secret in the header'),
    secret_file: secretFile,
  }),
  z.strictObject({
    type: z.literal('hmac-sha256').describe('HMAC-SHA256 of the raw body in a header'),
    secret_file: secretFile,
    header: headerName.describe('header that carries the signature'),
    prefix: z
      .string()
      .max(40)
      .default('')
      .describe('what stands before the signature in the header, as in `sha256=`'),
    encoding: z.enum(['hex', 'base64']).describe('how the signature is written'),
    timestamp: z
      .strictObject({
        header: headerName.describe('header that carries the time, in seconds since 1970'),
        prefix: z
          .string()
          .min(1)
          .max(40)
          .exactOptional()
          .describe('set when the time is one part of a list in that header, as `t=` in `t=1492774577,v1=…`'),
        tolerance,
        signed: signedTemplate.describe('what is signed: text with {timestamp} and {body}'),
      })
      .exactOptional()
      .describe('set when the sender signs a time together with the body'),
  }),
  z.strictObject({
    type: z.literal('standard-webhooks').describe('Standard Webhooks 1.0.0 (v1 and v1a signatures)'),
    secret_file: absolutePath.describe(
      'file with the `whsec_…` secret or `whpk_…` key; a second line is the previous one',
    ),
    tolerance,
  }),
  z.strictObject({
    type: z.literal('mtls').describe('the certificate that the sender shows in the TLS handshake'),
    fingerprints: z
      .array(fingerprint)
      .min(1)
      .max(8)
      .exactOptional()
      .describe(
        'SHA-256 of the certificates that are believed, whoever issued them; two while one is being replaced',
      ),
    subject: z
      .record(z.string().regex(/^[A-Za-z]{1,20}$/, 'write CN, O, OU, …'), z.string().min(1).max(200))
      .exactOptional()
      .describe(
        'subject of a certificate from an authority that the listener trusts: all of these must be equal',
      ),
  }),
  z.strictObject({
    type: z
      .literal('path-secret')
      .describe('POST /trip/SOURCE/SECRET: the weakest, for senders that can do nothing else'),
    secret_file: secretFile,
  }),
]);

/** The key that names the file with the secret of a source, and the file; `null` when it has none. */
export function secretFileOf(
  rule: z.output<typeof verification>,
): { readonly key: string; readonly file: string } | null {
  switch (rule.type) {
    case 'bearer':
      return { key: 'token_file', file: rule.token_file };
    case 'basic':
      return { key: 'password_file', file: rule.password_file };
    case 'header':
    case 'hmac-sha256':
    case 'standard-webhooks':
    case 'path-secret':
      return { key: 'secret_file', file: rule.secret_file };
    case 'mtls':
      return null;
  }
}

const listOf = (what: z.ZodString) => z.array(what.min(1).max(200)).min(1).max(64);

const tripOn = z.strictObject({
  severity: listOf(z.string())
    .exactOptional()
    .describe("severities that trip, in the sender's words; what has no severity trips"),
  severity_at_least: z
    .enum(LEVELS)
    .exactOptional()
    .describe('the least severity that trips; a word that is not known trips'),
  rules: listOf(z.string()).exactOptional().describe('names of rules that trip; `*` stands for any text'),
  status: listOf(z.string())
    .exactOptional()
    .describe("states that trip, in the sender's words, as `incident.triggered`"),
});

const pointer = z
  .string()
  .max(300)
  .regex(POINTER, 'write a JSON pointer (RFC 6901), as in /alert/severity')
  .meta({ value: 'JSON pointer' });
const scalar = z.union([z.string().max(200), z.number(), z.boolean(), z.null()]);
const conditions = z
  .array(
    z.strictObject({
      pointer: pointer.describe('where it stands in the body'),
      equals: z
        .union([scalar, z.array(scalar).min(1).max(64)], 'write a value, or a list of values')
        .transform((value) => (Array.isArray(value) ? value : [value]))
        .exactOptional()
        .describe('it is this, or one of these; text is not a number'),
      begins_with: z.string().min(1).max(200).exactOptional().describe('it is text that begins so'),
      at_least: z.number().exactOptional().describe('it is a number as great or greater'),
      at_most: z.number().exactOptional().describe('it is a number as small or smaller'),
    }),
  )
  .min(1)
  .max(16);

const mapping = z.strictObject({
  each: pointer
    .exactOptional()
    .describe('list of alerts in the body; all other pointers then begin at each of them'),
  firing: conditions
    .exactOptional()
    .describe('it fires when all of these hold; what neither fires nor is over nor a test is not recognised'),
  resolved: conditions.exactOptional().describe('it is over when all of these hold'),
  test: conditions.exactOptional().describe("it is the sender's test when all of these hold"),
  status: pointer.exactOptional().describe("the sender's word for its state, for `trip_on.status`"),
  severity: pointer.exactOptional().describe('how bad it is'),
  rule: pointer.exactOptional().describe('what found it'),
  reason: pointer.exactOptional().describe('what happened, for latch and journal'),
  id: pointer.exactOptional().describe('the same for every message about the same event'),
});

/** One entry of `sources`. */
export const source = z.strictObject({
  verify: verification.describe('how a request proves that it comes from this source'),
  format: z
    .enum([...FORMAT_NAMES, 'map'])
    .exactOptional()
    .describe('what the body looks like; a heartbeat needs none: then every verified request counts'),
  map: mapping.exactOptional().describe('where things stand in the body, for `format: map`'),
  trips: z
    .union([z.literal('all'), z.array(name).min(1).max(64)], 'write all, or a list of link names')
    .exactOptional()
    .describe('the links that this source isolates: `all` or a list'),
  heartbeat: z
    .literal(true)
    .exactOptional()
    .describe('a sign of life that permissives ask for; it trips nothing, its silence does'),
  trip_on: tripOn
    .exactOptional()
    .describe('what an alert must be to trip: all that is given here must hold; the rest is written down'),
  on_unrecognised: z
    .enum(['trip', 'refuse'])
    .default('trip')
    .describe('what a verified body does that nobody understands'),
});
