/** The time that a sender signed together with its message. Pure. */
import { SECONDS, timeOf } from './hmac.ts';
import { header, type SourceRequest } from './request.ts';
import type { VerificationRule } from './verify.ts';

/** Seconds since 1970 as the sender of a verified request signed them; `null` when this kind of verification signs no time. */
export function signedTimeOf(rule: VerificationRule, request: SourceRequest): number | null {
  switch (rule.type) {
    case 'standard-webhooks':
      return secondsIn(header(request, 'webhook-timestamp'));
    case 'hmac-sha256':
      return rule.timestamp === undefined ? null : secondsIn(timeOf(rule.timestamp, request));
    case 'bearer':
    case 'basic':
    case 'header':
    case 'mtls':
    case 'path-secret':
      return null;
  }
}

/** A time that is not a number of seconds is no time: it was signed so long ago that nothing rests on it. */
const secondsIn = (found: ReturnType<typeof header>): number =>
  found.ok && SECONDS.test(found.value) ? Number(found.value) : 0;
