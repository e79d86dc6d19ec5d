/** Defects that a reviewer found: each test failed before its fix. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readMessage } from '../../src/sources/read.ts';
import { heartbeatOf, type TripOn, verdictOf } from '../../src/sources/verdict.ts';
import { verify } from '../../src/sources/verify.ts';

const body = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));
const judged = (value: object, trip_on: TripOn) =>
  verdictOf({ on_unrecognised: 'trip', trip_on }, readMessage({ format: 'generic' }, body(value))).verdict;

describe('names that are listed are found as the sender writes them', () => {
  test.each([
    ['a backslash', 'DOMAIN\\backup deleted', 'DOMAIN\\backup *'],
    ['letters that are put together otherwise', 'Lo\u0308schung', 'L\u00f6schung'],
    ['the same the other way round', 'L\u00f6schung', 'Lo\u0308*'],
    ['a control character', 'mass\tdeletion', 'mass\tdeletion'],
    ['an end beyond what is kept of it', `${'x'.repeat(300)} deleted`, '* deleted'],
    ['an emoji at the edge of what is kept', `${'x'.repeat(199)}\u{1F525} fire`, 'x* fire'],
  ])('%s', (_what, rule, pattern) => {
    expect(judged({ status: 'firing', rule }, { rules: [pattern] })).toBe('trip');
    expect(judged({ status: 'firing', rule: `not ${rule}` }, { rules: [`${pattern}x`, 'other'] })).toBe(
      // Its end was not kept, and might have been the one that is listed.
      rule.length > 200 && pattern.startsWith('*') ? 'trip' : 'annotate',
    );
  });

  test('severities and states likewise', () => {
    const severity = 'über\\alles';
    expect(judged({ status: 'firing', severity }, { severity: ['U\u0308ber\\alles'] })).toBe('trip');
    const long = `${'very '.repeat(20)}bad`;
    expect(judged({ status: 'firing', severity: long }, { severity: [long] })).toBe('trip');
    expect(judged({ status: 'firing', severity: 'small' }, { severity: [long] })).toBe('annotate');
  });
});

describe('Standard Webhooks whose id has a full stop', () => {
  const key = Buffer.alloc(32, 9);
  const secret = Buffer.from(`whsec_${key.toString('base64')}`);
  const rule = { type: 'standard-webhooks', tolerance: 300_000 } as const;
  const NOW = 1_764_000_000;
  const signed = (id: string, time: number, text: string) => ({
    'webhook-id': id,
    'webhook-timestamp': String(time),
    'webhook-signature': `v1,${createHmac('sha256', key).update(`${id}.${time}.${text}`).digest('base64')}`,
  });

  test('an old message, divided anew around a time that somebody wrote into it, is no fresh sign of life', () => {
    const later = NOW + 86_400;
    // Somebody names a host so, and waits a day.
    const text = `{"reason":"no answer from a.${later}.example"}`;
    const { 'webhook-signature': signature } = signed('msg_1', NOW, text);
    const [before, after] = text.split(`.${later}.`);
    const headers = {
      'webhook-id': `msg_1.${NOW}.${before ?? ''}`,
      'webhook-timestamp': String(later),
      'webhook-signature': signature,
    };
    const verified = verify(
      rule,
      [secret],
      { headers, rawBody: Buffer.from(after ?? ''), pathSecret: null },
      later,
    );
    expect(verified).toEqual({ ok: true, tier: 3, note: 'ambiguous-signature' });
    expect(verified.ok && heartbeatOf(null, verified.note).verdict).toBe('refuse');
  });

  test('an alarm that is signed so cuts, and says so', () => {
    const headers = signed('msg.1', NOW, '{"status":"firing"}');
    const rawBody = Buffer.from('{"status":"firing"}');
    const verified = verify(rule, [secret], { headers, rawBody, pathSecret: null }, NOW);
    if (!verified.ok) throw new Error(verified.why);
    const { verdict, reason } = verdictOf(
      { on_unrecognised: 'trip' },
      readMessage({ format: 'generic' }, rawBody),
      verified.note,
    );
    expect(verdict).toBe('trip');
    expect(reason).toMatch(/^clock skew or replay \(its id has a full stop/);
  });
});

test('what fires in a list trips beside what nobody described, also where the unrecognised is refused', () => {
  const map = {
    each: '/alerts',
    firing: [{ pointer: '/state', equals: ['down'] }],
    resolved: [{ pointer: '/state', equals: ['up'] }],
    rule: '/name',
  };
  const judgedAs = (...states: readonly string[]) => {
    const alerts = states.map((state) => ({ state, name: `${state} things` }));
    const message = readMessage({ format: 'map', map }, body({ alerts }));
    return verdictOf({ on_unrecognised: 'refuse' }, message).verdict;
  };
  expect(judgedAs('up', 'sideways', 'down')).toBe('trip');
  expect(judgedAs('up', 'sideways')).toBe('refuse');
  expect(judgedAs('up', 'up')).toBe('annotate');
});
