/** One mail through an SMTP server, by nodemailer: TLS verified, every wait bounded, nothing logged. */
import type { NotifyConfig } from '../../config/schema/notify.ts';
import { printable } from '../../sources/excerpt.ts';
import { plainText } from './bodies.ts';
import type { Notice } from './notice.ts';
import type { Attempt } from './retry.ts';

/** Longest reply of a server that is read, bytes. */
const MOST_REPLY_BYTES = 65_536;
/** Longest subject, characters. */
const SUBJECT_CHARS = 200;
const SHOWN_CHARS = 200;

export interface MailParts {
  readonly mail: Extract<NotifyConfig, { type: 'email' }>;
  readonly password: string | null;
  /** Certificate authorities to trust instead of those of the system, PEM. */
  readonly ca: string | null;
  /** ms for all of it. */
  readonly timeoutMs: number;
}

/** Sends one mail. Rejects with a system or TLS error when there was no reply. */
export async function sendMail(parts: MailParts, notice: Notice, stop: AbortSignal): Promise<Attempt> {
  const { mail, password, timeoutMs } = parts;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  const { createTransport } = await import('nodemailer');
  const transport = createTransport(optionsOf(parts));
  try {
    const sent = await transport.sendMail({
      signal,
      from: mail.from,
      to: mail.to,
      subject: printable(`[portcullis] ${notice.title}`, SUBJECT_CHARS),
      text: plainText(notice),
      date: new Date(notice.at),
      // The same in every attempt, so that a mailbox can tell a repetition.
      messageId: `<${notice.id}@portcullis.invalid>`,
      headers: { 'auto-submitted': 'auto-generated', 'x-portcullis-type': notice.type },
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return { kind: 'taken', answer: `it answered ${reply(sent.response, password)}` };
  } catch (error) {
    const { responseCode, response } = error as { responseCode?: number; response?: string };
    if (typeof responseCode !== 'number' || responseCode < 400) throw error;
    const why = `it answered ${reply(response ?? String(responseCode), password)}`;
    return responseCode >= 500 ? { kind: 'refused', why } : { kind: 'later', why, afterMs: null };
  } finally {
    transport.close();
  }
}

function optionsOf({ mail, password, ca, timeoutMs }: MailParts) {
  return {
    host: mail.host,
    port: mail.port,
    secure: mail.tls === 'implicit',
    requireTLS: mail.tls === 'starttls',
    ignoreTLS: mail.tls === 'none',
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: 0,
    maxResponseSize: MOST_REPLY_BYTES,
    logger: false,
    tls: { minVersion: 'TLSv1.2' as const, rejectUnauthorized: true, ...(ca === null ? {} : { ca }) },
    ...(mail.username === undefined || password === null
      ? {}
      : { auth: { user: mail.username, pass: password } }),
  };
}

const reply = (text: string, password: string | null): string =>
  printable(password === null ? text : text.replaceAll(password, '[secret]'), SHOWN_CHARS);
