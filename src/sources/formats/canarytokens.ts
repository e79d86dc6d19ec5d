/** Canarytokens, generic webhook (github.com/thinkst/canarytokens, canarytokens/webhook_formatting.py). */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** What is posted when somebody saves the webhook. */
const TEST_TOKEN = 'a+test+token';
const TEST_MEMO = 'Congrats! The newly saved webhook works';

/** Reads one alert of a token. A token that somebody touched is never resolved, and every one is as bad as the other. */
export function readCanarytokens(body: unknown): Message {
  const memo = textAt(body, 'memo');
  if (!isGroup(body) || memo === null || textAt(body, 'manage_url') === null)
    return unrecognised('it is no webhook of Canarytokens: memo or manage_url is missing');
  const token = textAt(body, 'token');
  // Older servers send the test without a token.
  const test = memo === TEST_MEMO && (token === TEST_TOKEN || token === null);
  return said({
    status: test ? 'test' : 'firing',
    severity: test ? null : 'critical',
    rule: memo,
    reason: firstSaid(at(body, 'channel'), at(body, 'token_type')),
    // The token would say where the trap is; who reads the journal need not know.
    id: null,
  });
}
