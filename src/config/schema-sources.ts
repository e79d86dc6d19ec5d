/** The part of the configuration that says who may pull the kill switch. */
import { z } from 'zod';
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

const verification = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('bearer').describe('`Authorization: Bearer TOKEN`'),
    token_file: secretFile,
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
        tolerance: duration(1_000, 86_400_000)
          .default(300_000)
          .describe('a signed time further off than this still trips, and is reported as skew or replay'),
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
    tolerance: duration(1_000, 86_400_000)
      .default(300_000)
      .describe('a signed time further off than this still trips, and is reported as skew or replay'),
  }),
  z.strictObject({
    type: z
      .literal('path-secret')
      .describe('POST /trip/SOURCE/SECRET: the weakest, for senders that can do nothing else'),
    secret_file: secretFile,
  }),
]);

/** One entry of `sources`. */
export const source = z.strictObject({
  verify: verification.describe('how a request proves that it comes from this source'),
  format: z.enum(['generic']).describe('what the body looks like'),
  trips: z
    .union([z.literal('all'), z.array(name).min(1).max(64)], 'write all, or a list of link names')
    .describe('the links that this source isolates: `all` or a list'),
  on_unrecognised: z
    .enum(['trip', 'refuse'])
    .default('trip')
    .describe('what a verified body does that nobody understands'),
});
