/** A notice in the form each receiver takes. Pure. */
import { createHmac } from 'node:crypto';
import type { Notice } from './notice.ts';

/** Bodies and headers of one request. */
export interface Form {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_TYPE = { 'content-type': 'application/json' } as const;
const TEXT_TYPE = { 'content-type': 'text/plain; charset=utf-8' } as const;

/** Title, what is known, what to do: for people. */
export const plainText = ({ text, hint, at }: Notice): string => `${text}\n${hint}\n\n${at}`;

/** Signed as Standard Webhooks 1.0.0 says, with every key. `nowMs` is the calendar time of this attempt. */
export function webhookForm(notice: Notice, keys: readonly Uint8Array[], nowMs: number): Form {
  const { id, type, at, severity, link, window, title, text, hint, data } = notice;
  const body = JSON.stringify({
    type,
    timestamp: at,
    data: { id, severity, link, window, title, text, hint, ...data },
  });
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return {
    body,
    headers: {
      ...JSON_TYPE,
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures.join(' '),
    },
  };
}

const NTFY_PRIORITY = { info: 'default', warning: 'high', critical: 'urgent' } as const;
const ASCII = /^[\x20-\x7e]*$/;

/** Text as a header value; anything but ASCII as RFC 2047 says, which ntfy reads. */
const headerText = (text: string): string =>
  ASCII.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;

/** A push message of ntfy. */
export const ntfyForm = (notice: Notice, token: string | null): Form => ({
  body: plainText(notice),
  headers: {
    ...TEXT_TYPE,
    title: headerText(notice.title),
    priority: NTFY_PRIORITY[notice.severity],
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  },
});

/** What Slack reads as markup, links and mentions. */
const slackText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** An incoming webhook of Slack and those who copied it. */
export const slackForm = ({ title, text, hint }: Notice): Form => ({
  headers: JSON_TYPE,
  body: JSON.stringify({ text: `*${slackText(title)}*\n${slackText(text)}\n${slackText(hint)}` }),
});

/** What a ping says, and what is added to its address; null when a ping says nothing about this. */
export function pingForm(notice: Notice): { readonly suffix: string; readonly form: Form } | null {
  const form = { headers: TEXT_TYPE, body: `${notice.title}\n${plainText(notice)}` };
  switch (notice.type) {
    case 'portcullis.window.started':
      return { suffix: '/start', form };
    case 'portcullis.window.done':
      return { suffix: '', form };
    case 'portcullis.window.failed':
    case 'portcullis.window.skipped':
      return { suffix: '/fail', form };
    case 'portcullis.test':
      // Kept by Healthchecks without changing how the check stands.
      return { suffix: '/log', form };
    case 'portcullis.link.tripped':
    case 'portcullis.link.reset':
    case 'portcullis.link.isolation-unproven':
    case 'portcullis.link.stuck':
    case 'portcullis.link.isolation-proven':
    case 'portcullis.link.alarm':
    case 'portcullis.link.proof-failed':
    case 'portcullis.link.proof-overdue':
    case 'portcullis.link.budget-nearly-spent':
    case 'portcullis.link.budget-spent':
    case 'portcullis.heartbeat.lost':
    case 'portcullis.anomaly.found':
    case 'portcullis.recovery-point.endangered':
    case 'portcullis.recovery-point.breached':
    case 'portcullis.recovery-point.met':
    case 'portcullis.people.unreadable':
    case 'portcullis.disk.low':
    case 'portcullis.notices.lost':
      return null;
  }
}
