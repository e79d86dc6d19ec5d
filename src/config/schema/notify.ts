/** `notify`: who is told what happened. Secrets stand in files; an address that is itself a secret does, too. */
import { z } from 'zod';
import { absolutePath, name } from './fields.ts';

const url = z
  .string()
  .max(2_000)
  .regex(/^https?:\/\/[^\s@]+$/, 'write an http:// or https:// address, without user, password and blanks')
  .meta({ value: 'http(s) address' });

const address = z
  .string()
  .max(254)
  .regex(/^[^\s@<>,;"]+@[^\s@<>,;"]+$/, 'write one plain address, as in ops@example.org')
  .meta({ value: 'e-mail address' });

const header = z
  .string()
  .max(100)
  .regex(/^[^\p{Cc}]+$/u, 'no control characters');

const common = {
  name: name
    .exactOptional()
    .describe('what it is called in status, log and `notify test`; default: its type'),
  least: z
    .enum(['info', 'warning', 'critical'])
    .default('info')
    .describe('the least severity that is sent there'),
};

const authority = absolutePath
  .exactOptional()
  .describe('PEM file with the certificate authority to trust instead of those of the system');

const destination = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('webhook').describe('JSON to a URL, signed as Standard Webhooks 1.0.0 says'),
    ...common,
    url: url.describe('where it is posted to'),
    secret_file: absolutePath.describe('file with the key, `whsec_` and base64; a second line signs, too'),
    ca_file: authority,
  }),
  z.strictObject({
    type: z.literal('email').describe('mail through an SMTP server'),
    ...common,
    host: z
      .string()
      .max(253)
      .regex(/^[A-Za-z0-9.:-]+$/, 'a host name or an IP address')
      .describe('name or address of the SMTP server'),
    port: z.int().min(1).max(65_535).default(587).describe('its port'),
    tls: z
      .enum(['starttls', 'implicit', 'none'])
      .default('starttls')
      .describe('`none` is for a mail server on this machine only'),
    username: header.exactOptional().describe('name to log in with'),
    password_file: absolutePath.exactOptional().describe('file with the password'),
    from: address.describe('sender'),
    to: z.array(address).min(1).max(20).describe('receivers'),
    ca_file: authority,
  }),
  z.strictObject({
    type: z.literal('ntfy').describe('a push message through ntfy.sh or a server of your own'),
    ...common,
    url: url.exactOptional().describe('the topic, as in https://ntfy.sh/TOPIC'),
    url_file: absolutePath.exactOptional().describe('file with that address, when the topic is a secret'),
    token_file: absolutePath.exactOptional().describe('file with an access token'),
    ca_file: authority,
  }),
  z.strictObject({
    type: z
      .literal('slack')
      .describe('an incoming webhook of Slack, Mattermost, Rocket.Chat or Discord (/slack)'),
    ...common,
    url_file: absolutePath.describe('file with the address; whoever has it can write there'),
    ca_file: authority,
  }),
  z.strictObject({
    type: z.literal('ping').describe('start, success and failure of one window, as Healthchecks takes them'),
    ...common,
    window: name.describe('the window it watches'),
    url: url.exactOptional().describe('the address; `/start` and `/fail` are added to it'),
    url_file: absolutePath.exactOptional().describe('file with that address: whoever has it can ping'),
    ca_file: authority,
  }),
]);

/** The list of destinations, in the order of the file. */
export const notify = z.array(destination).max(32);

export type NotifyConfig = z.output<typeof destination>;

/** Every destination under its name: its own or its type, the second of a name with `-2`. */
export function destinationsByName(list: readonly NotifyConfig[]): ReadonlyMap<string, NotifyConfig> {
  const named = new Map<string, NotifyConfig>();
  for (const one of list) {
    const wanted = one.name ?? one.type;
    let free = wanted;
    for (let number = 2; named.has(free); number += 1) free = `${wanted}-${number}`;
    named.set(free, one);
  }
  return named;
}

/** The files with secrets of one destination, with the key that names each. */
export function notifySecrets(one: NotifyConfig): readonly { readonly key: string; readonly file: string }[] {
  const named: readonly (readonly [string, string | undefined])[] = [
    ['secret_file', 'secret_file' in one ? one.secret_file : undefined],
    ['password_file', 'password_file' in one ? one.password_file : undefined],
    ['token_file', 'token_file' in one ? one.token_file : undefined],
    ['url_file', 'url_file' in one ? one.url_file : undefined],
  ];
  return named.flatMap(([key, file]) => (file === undefined ? [] : [{ key, file }]));
}
