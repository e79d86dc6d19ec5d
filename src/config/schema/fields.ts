/** The kinds of value that a configuration is made of. */
import { z } from 'zod';
import { formatDuration, LONGEST_DURATION_MS, parseDuration } from './duration.ts';

/** A host and a TCP port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Names appear in URLs, file names and the journal. */
const NAME = /^[a-z][a-z0-9_-]{0,39}$/;
/** Records by name (exposure, latches, days) would find what they never wrote: the one such name that is a NAME. */
const UNTAKEN = /^(?!constructor$)/;
export const name = z
  .string()
  .regex(NAME, 'a name is 1 to 40 small letters, digits, "-" and "_", and begins with a letter')
  .regex(UNTAKEN, 'every JavaScript object has a `constructor` already: choose another name')
  .meta({ value: 'name' });

/** Named things. Without a prototype, so that a name from outside (`constructor`) finds nothing that was not configured. */
export const named = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .record(name, schema)
    .transform((things): Record<string, z.output<Schema>> =>
      Object.assign(Object.create(null) as object, things),
    );

/** Written `10s`; ms once parsed. Bounds in ms. */
export const duration = (least: number, most: number = LONGEST_DURATION_MS) =>
  z
    .string('write a duration with its unit: 500ms, 10s, 2m, 4h, 1h30m')
    .transform((text, context): number => {
      const ms = parseDuration(text);
      if (ms === null) {
        context.addIssue('not a duration: write 500ms, 10s, 2m, 4h, 1h30m');
        return z.NEVER;
      }
      if (ms < least) context.addIssue(`too short: at least ${formatDuration(least)}`);
      if (ms > most) context.addIssue(`too long: at most ${formatDuration(most)}`);
      return ms;
    })
    .meta({ value: `duration, ${formatDuration(least)} to ${formatDuration(most)}` });

export const port = z.int().min(1).max(65_535);

const ENDPOINT = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/;
const endpoint = (leastPort: number) =>
  z
    .string()
    .transform((text, context): Endpoint => {
      const match = ENDPOINT.exec(text);
      const found = Number(match?.[3] ?? Number.NaN);
      if (match === null || !(found >= leastPort && found <= 65_535)) {
        context.addIssue('write host:port, as in 127.0.0.1:8470 or [::1]:8470');
        return z.NEVER;
      }
      return { host: match[1] ?? match[2] ?? '', port: found };
    })
    .meta({ value: '`host:port`' });

/** `host:port` to listen on; port 0 lets the system choose (for tests). */
export const listenAddress = endpoint(0);
/** `host:port` to connect to. */
export const remoteAddress = endpoint(1);

/** Absolute, so that it means the same for every process and working directory. */
export const absolutePath = z
  .string()
  .regex(/^\/[^\0]*$/, 'write an absolute path, beginning with "/"')
  .max(4_096)
  .meta({ value: 'absolute path' });

/** A DNS name, as browsers send it. */
export const hostName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/, 'write a DNS name in small letters, as in vault.example')
  .meta({ value: 'DNS name' });

/** Linux limits interface names to 15 bytes; "/" and blanks never occur in one. */
export const interfaceName = z
  .string()
  .regex(/^[^\s/:]{1,15}$/, 'a network interface name has 1 to 15 characters, without blanks, "/" and ":"')
  .refine((text) => text !== '.' && text !== '..', 'not an interface name');

/** An HTTP header name (RFC 9110 token). Small letters once parsed. */
export const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'not an HTTP header name')
  .transform((text) => text.toLowerCase());

/** One-key objects, as in `- backup: {…}`: exactly one of the keys must be there. */
type OneOf<Shape extends z.ZodRawShape> = {
  [Key in keyof Shape]: { readonly [One in Key]: z.output<Shape[One]> };
}[keyof Shape];

/** An object that has exactly one of the given keys; the key says what it is. */
export function oneKeyOf<Shape extends Record<string, z.ZodType>>(shape: Shape) {
  const options = Object.keys(shape).join(', ');
  const optional = Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => [key, schema.exactOptional()]),
  );
  return z.strictObject(optional).transform((value, context): OneOf<Shape> => {
    const keys = Object.keys(value);
    if (keys.length !== 1) {
      context.addIssue(
        keys.length === 0
          ? `empty: write one of ${options}`
          : `${keys.join(' and ')} in one entry: each is an entry of its own`,
      );
      return z.NEVER;
    }
    return value as OneOf<Shape>;
  });
}
