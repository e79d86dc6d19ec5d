/** A message as its sender would send it, for drills. Pure. */
import { createHmac } from 'node:crypto';
import { type HmacRule, signedContent } from './hmac.ts';
import type { SourceRequest } from './request.ts';
import { senderKey } from './standard-webhooks.ts';
import type { VerificationRule } from './verify.ts';

export type Signed =
  | { readonly ok: true; readonly request: SourceRequest }
  /** Only the sender has what it takes. */
  | { readonly ok: false; readonly why: string };

/** The request that carries `body` from this source. `secret`: the current one, as its file spells it; `null` for mTLS. */
export function signedRequest(
  rule: VerificationRule,
  secret: Uint8Array | null,
  body: Uint8Array,
  nowUnixSeconds: number,
  id: string,
): Signed {
  const request = (headers: SourceRequest['headers'], pathSecret: string | null = null): Signed => ({
    ok: true,
    request: { headers, rawBody: body, pathSecret },
  });
  if (rule.type === 'mtls') return { ok: false, why: 'only the sender has the key of its certificate' };
  if (secret === null) return { ok: false, why: 'there is no secret' };
  const text = Buffer.from(secret).toString('latin1');
  switch (rule.type) {
    case 'bearer':
      return request({ authorization: `Bearer ${text}` });
    case 'basic': {
      const pair = Buffer.concat([Buffer.from(`${rule.username}:`), secret]);
      return request({ authorization: `Basic ${pair.toString('base64')}` });
    }
    case 'header':
      return request({ [rule.header]: rule.prefix + text });
    case 'path-secret':
      return request({}, Buffer.from(secret).toString());
    case 'hmac-sha256':
      return request(hmacHeaders(rule, secret, body, nowUnixSeconds));
    case 'standard-webhooks': {
      const found = senderKey(secret);
      if (!found.ok) return { ok: false, why: found.why };
      if (found.key.kind === 'asymmetric')
        return { ok: false, why: 'only the sender has the private key (whsk_…)' };
      const mac = createHmac('sha256', found.key.key).update(`${id}.${nowUnixSeconds}.`).update(body);
      return request({
        'webhook-id': id,
        'webhook-timestamp': String(nowUnixSeconds),
        'webhook-signature': `v1,${mac.digest('base64')}`,
      });
    }
  }
}

function hmacHeaders(
  rule: HmacRule,
  secret: Uint8Array,
  body: Uint8Array,
  nowUnixSeconds: number,
): Record<string, string> {
  const { timestamp } = rule;
  const time = String(nowUnixSeconds);
  const mac = createHmac('sha256', secret);
  const content = timestamp === undefined ? [body] : signedContent(timestamp.signed, time, body);
  for (const part of content) mac.update(part);
  const signature = rule.prefix + mac.digest(rule.encoding);
  if (timestamp === undefined) return { [rule.header]: signature };
  const timed = (timestamp.prefix ?? '') + time;
  return timestamp.header === rule.header
    ? { [rule.header]: `${timed},${signature}` }
    : { [rule.header]: signature, [timestamp.header]: timed };
}
