/** One sender per type of destination. Secrets are read anew for every attempt, and stand in no message. */
import type { NotifyConfig } from '../../config/schema/notify.ts';
import { inspectSecretFile } from '../../config/secret-files.ts';
import { printable } from '../../sources/excerpt.ts';
import { secretsIn } from '../../sources/secrets.ts';
import { senderKey } from '../../sources/standard-webhooks.ts';
import { ntfyForm, pingForm, slackForm, webhookForm, type Form } from './bodies.ts';
import { sendMail } from './mail.ts';
import { isAtLeast, type Notice } from './notice.ts';
import { attemptOf, post } from './request.ts';
import type { Attempt } from './retry.ts';

/** ms for one attempt, as Standard Webhooks recommends 15 to 30 s. */
export const ATTEMPT_TIMEOUT_MS = 20_000;
/** Characters of an answer that are shown. */
const SHOWN_CHARS = 200;

/** Sends one notice. Never rejects; ends soon after `stop`. */
export type Sender = (notice: Notice, stop: AbortSignal) => Promise<Attempt>;

/** A file with a secret that cannot be used; the message names the file and never what it holds. */
export class SecretFault extends Error {
  override readonly name = 'SecretFault';
}

/** The secrets of a file. Rejects with `SecretFault`. */
export async function secretsOf(file: string): Promise<readonly Uint8Array[]> {
  const found = await inspectSecretFile(file);
  if (found.kind === 'unusable') throw new SecretFault(`cannot read ${file}: ${found.why}`);
  const secrets = secretsIn(found.bytes);
  if (!secrets.ok) throw new SecretFault(`${file} holds no usable secret: ${secrets.why}`);
  return secrets.secrets;
}

/** The first secret of a file as text; null when no file is configured. */
export async function secretText(file: string | undefined): Promise<string | null> {
  if (file === undefined) return null;
  const [first] = await secretsOf(file);
  return first === undefined ? null : Buffer.from(first).toString('utf8');
}

/** What a PEM file holds; null when none is configured. */
export async function authorityIn(file: string | undefined): Promise<string | null> {
  if (file === undefined) return null;
  const found = await inspectSecretFile(file);
  if (found.kind === 'unusable') throw new SecretFault(`cannot read ${file}: ${found.why}`);
  return Buffer.from(found.bytes).toString('utf8');
}

async function signingKeys(file: string): Promise<readonly Uint8Array[]> {
  return (await secretsOf(file)).map((secret) => {
    const found = senderKey(secret);
    if (!found.ok) throw new SecretFault(`${file} holds no usable key: ${found.why}`);
    if (found.key.kind === 'asymmetric')
      throw new SecretFault(`${file} holds a public key, which cannot sign`);
    return found.key.key;
  });
}

/** True when this destination is told of this notice at all. */
export function wants(one: NotifyConfig, { type, severity, window }: Notice): boolean {
  if (type === 'portcullis.test') return true;
  if (one.type === 'ping') return type.startsWith('portcullis.window.') && window === one.window;
  // What went as it should every night is for programs.
  if (type === 'portcullis.window.started') return false;
  if (type === 'portcullis.window.done' && one.type !== 'webhook') return false;
  return isAtLeast(severity, one.least);
}

/** The sender of a destination. */
export function senderOf(one: NotifyConfig, timeoutMs: number = ATTEMPT_TIMEOUT_MS): Sender {
  return async (notice, stop) => {
    try {
      return one.type === 'email'
        ? await mailed(one, notice, stop, timeoutMs)
        : await posted(one, notice, stop, timeoutMs);
    } catch (error) {
      return { kind: 'later', why: whyOf(error), afterMs: null };
    }
  };
}

async function mailed(
  mail: Extract<NotifyConfig, { type: 'email' }>,
  notice: Notice,
  stop: AbortSignal,
  timeoutMs: number,
): Promise<Attempt> {
  const password = await secretText(mail.password_file);
  const ca = await authorityIn(mail.ca_file);
  return sendMail({ mail, password, ca, timeoutMs }, notice, stop);
}

type PostConfig = Exclude<NotifyConfig, { type: 'email' }>;

async function posted(
  one: PostConfig,
  notice: Notice,
  stop: AbortSignal,
  timeoutMs: number,
): Promise<Attempt> {
  const token = 'token_file' in one ? await secretText(one.token_file) : null;
  const secretUrl = 'url_file' in one ? await secretText(one.url_file) : null;
  const address = addressOf(secretUrl ?? ('url' in one ? one.url : undefined) ?? '');
  const form = await formOf(one, notice, token);
  if (form === null) return { kind: 'taken', answer: 'nothing is sent about this' };
  const url = new URL(address);
  if (form.suffix !== '') url.pathname = `${url.pathname.replace(/\/+$/, '')}${form.suffix}`;
  const ca = await authorityIn(one.ca_file);
  const answer = await post({ url, headers: form.headers, body: form.body, ca, timeoutMs }, stop);
  const secrets = [token, secretUrl, secretUrl === null ? null : address.pathname];
  return attemptOf(answer, shown(answer.text, secrets));
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new SecretFault('the address is not an http:// or https:// address without user and password');
  return url;
}

async function formOf(
  one: PostConfig,
  notice: Notice,
  token: string | null,
): Promise<(Form & { readonly suffix: string }) | null> {
  switch (one.type) {
    case 'webhook':
      return { ...webhookForm(notice, await signingKeys(one.secret_file), Date.now()), suffix: '' };
    case 'ntfy':
      return { ...ntfyForm(notice, token), suffix: '' };
    case 'slack':
      return { ...slackForm(notice), suffix: '' };
    case 'ping': {
      const ping = pingForm(notice);
      return ping === null ? null : { ...ping.form, suffix: ping.suffix };
    }
  }
}

/** An answer for a log: one line, bounded, without what must not stand there should the other side repeat it. */
export function shown(text: string, secrets: readonly (string | null)[]): string {
  const clean = secrets.reduce<string>(
    (rest, secret) => (secret === null || secret.length < 2 ? rest : rest.replaceAll(secret, '[secret]')),
    text,
  );
  return printable(clean.trim(), SHOWN_CHARS);
}

const WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was broken off',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'it did not answer in time',
  ABORT_ERR: 'it did not answer in time',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed: name its authority in ca_file',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an unknown authority: name it in ca_file',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an unknown authority: name it in ca_file',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an unknown authority: name it in ca_file',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** Why a request came to nothing, by its code alone: messages may hold addresses and secrets. */
export function whyOf(error: unknown): string {
  if (error instanceof SecretFault) return error.message;
  const { code, name } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError') return WHY['ETIMEDOUT'] ?? '';
  // A fault of the library that sends is no reason to end a backup: it is said, and tried again.
  const said = typeof code === 'string' ? code : name;
  const known = WHY[said];
  return known === undefined ? `it fails with ${printable(said, 60)}` : `${known} (${said})`;
}
