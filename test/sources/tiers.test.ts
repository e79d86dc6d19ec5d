/** The tiers below signed bodies, published vectors of senders, and drills signed as their senders would. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClientCertificate, SourceRequest } from '../../src/sources/request.ts';
import { signedRequest } from '../../src/sources/sign.ts';
import { tierOf, type VerificationRule, verify } from '../../src/sources/verify.ts';

const NOW = 1_700_000_000;
const bytes = (text: string): Uint8Array => Buffer.from(text);
const request = (
  headers: SourceRequest['headers'],
  body = '',
  clientCertificate: ClientCertificate | null = null,
): SourceRequest => ({ headers, rawBody: bytes(body), pathSecret: null, clientCertificate });

describe('basic', () => {
  const rule: VerificationRule = { type: 'basic', username: 'Aladdin' };
  const judged = (authorization: string, secrets = ['open sesame', 'the one before']) =>
    verify(rule, secrets.map(bytes), request({ authorization }), NOW);

  test("RFC 7617's example, and the previous password", () => {
    expect(judged('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==')).toEqual({ ok: true, tier: 1 });
    expect(judged(`basic ${Buffer.from('Aladdin:the one before').toString('base64')}`).ok).toBe(true);
  });

  test.each([
    'Aladdin:open sesam',
    'aladdin:open sesame',
    'Aladdin:',
    ':open sesame',
    'Aladdin:open sesame ',
  ])('%s is refused', (pair) =>
    expect(judged(`Basic ${Buffer.from(pair).toString('base64')}`)).toMatchObject({ ok: false }),
  );
  test.each(['Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==', 'Basic', 'Basic ====', ''])('%s is refused', (header) =>
    expect(judged(header).ok).toBe(false),
  );
});

describe('a header of its own', () => {
  const rule: VerificationRule = { type: 'header', header: 'x-gitlab-token', prefix: '' };
  test('holds the secret and nothing else', () => {
    const judged = (headers: SourceRequest['headers'], by = rule) =>
      verify(by, [bytes('s3cret'), bytes('old')], request(headers), NOW);
    expect(judged({ 'x-gitlab-token': 's3cret' })).toEqual({ ok: true, tier: 1 });
    expect(judged({ 'x-gitlab-token': 'old' }).ok).toBe(true);
    expect(judged({ 'x-gitlab-token': 's3cre' }).ok).toBe(false);
    expect(judged({ 'x-gitlab-token': ['s3cret', 's3cret'] }).ok).toBe(false);
    expect(judged({}).ok).toBe(false);
    const prefixed: VerificationRule = { ...rule, prefix: 'Token ' };
    expect(judged({ 'x-gitlab-token': 'Token s3cret' }, prefixed).ok).toBe(true);
    expect(judged({ 'x-gitlab-token': 's3cret' }, prefixed).ok).toBe(false);
  });
});

describe('client certificates', () => {
  const shown = (fingerprint: string, subject: ClientCertificate['subject'], trusted: boolean) => ({
    fingerprint,
    subject,
    trusted,
  });
  const [ours, others] = ['ab'.repeat(32), 'cd'.repeat(32)];
  const judged = (rule: VerificationRule, certificate: ClientCertificate | null) =>
    verify(rule, [], request({}, '', certificate), NOW);

  test('one that is named is believed, whoever issued it', () => {
    const rule: VerificationRule = { type: 'mtls', fingerprints: [ours] };
    expect(judged(rule, shown(ours, {}, false))).toEqual({ ok: true, tier: 2 });
    expect(judged(rule, shown(others, {}, true)).ok).toBe(false);
    expect(judged(rule, null)).toEqual({ ok: false, why: 'the sender showed no client certificate' });
    expect(verify(rule, [], { headers: {}, rawBody: bytes(''), pathSecret: null }, NOW).ok).toBe(false);
  });

  test('a subject counts only from an authority that is trusted, and wholly', () => {
    const rule: VerificationRule = { type: 'mtls', subject: { CN: 'app.netdata.cloud', O: 'Netdata' } };
    const subject = { CN: 'app.netdata.cloud', O: 'Netdata', C: 'US' };
    expect(judged(rule, shown(ours, subject, true)).ok).toBe(true);
    expect(judged(rule, shown(ours, subject, false)).ok).toBe(false);
    expect(judged(rule, shown(ours, { CN: 'app.netdata.cloud' }, true)).ok).toBe(false);
    expect(judged(rule, shown(ours, { ...subject, CN: ['app.netdata.cloud', 'evil'] }, true)).ok).toBe(false);
    expect(judged(rule, shown(ours, Object.create(subject), true)).ok).toBe(false);
    expect(judged({ type: 'mtls', subject: {} }, shown(ours, subject, true)).ok).toBe(false);
    expect(judged({ type: 'mtls' }, shown(ours, subject, true)).ok).toBe(false);
  });
});

describe('senders that sign', () => {
  const listed: VerificationRule = {
    type: 'hmac-sha256',
    header: 'stripe-signature',
    prefix: 'v1=',
    encoding: 'hex',
    timestamp: { header: 'stripe-signature', prefix: 't=', tolerance: 300_000, signed: '{timestamp}.{body}' },
  };
  const mac = (secret: string, content: string) => createHmac('sha256', secret).update(content).digest('hex');

  test('a time in the list of signatures, as Stripe writes it', () => {
    const body = '{"object":"event"}';
    const v1 = mac('whsec_test', `${NOW}.${body}`);
    const judged = (header: string, now = NOW) =>
      verify(listed, [bytes('whsec_test')], request({ 'stripe-signature': header }, body), now);
    expect(
      judged(`t=${NOW},v1=${v1},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39`),
    ).toEqual({ ok: true, tier: 3 });
    expect(judged(`t=${NOW},v1=${'0'.repeat(64)},v1=${v1}`).ok).toBe(true);
    expect(judged(`t=${NOW},v1=${v1}`, NOW + 301)).toEqual({ ok: true, tier: 3, note: 'stale-timestamp' });
    expect(judged(`t=${NOW + 1},v1=${v1}`).ok).toBe(false);
    expect(judged(`v1=${v1}`).ok).toBe(false);
    expect(judged(`t=${NOW},t=${NOW + 1},v1=${v1}`)).toEqual({
      ok: false,
      why: 'header stripe-signature holds 2 times',
    });
    expect(judged(`t=${NOW},v0=${v1}`).ok).toBe(false);
  });

  test('PagerDuty lists one signature for each secret while one is replaced', () => {
    const rule: VerificationRule = {
      type: 'hmac-sha256',
      header: 'x-pagerduty-signature',
      prefix: 'v1=',
      encoding: 'hex',
    };
    const body = '{"event":{"event_type":"pagey.ping"}}';
    const header = `v1=${mac('old', body)},v1=${mac('new', body)}`;
    for (const secret of ['old', 'new'])
      expect(verify(rule, [bytes(secret)], request({ 'x-pagerduty-signature': header }, body), NOW)).toEqual({
        ok: true,
        tier: 2,
      });
    expect(verify(rule, [bytes('other')], request({ 'x-pagerduty-signature': header }, body), NOW).ok).toBe(
      false,
    );
  });

  test("GitHub's documented secret and body", () => {
    const rule: VerificationRule = {
      type: 'hmac-sha256',
      header: 'x-hub-signature-256',
      prefix: 'sha256=',
      encoding: 'hex',
    };
    const signed = signedRequest(
      rule,
      bytes("It's a Secret to Everybody"),
      bytes('Hello, World!'),
      NOW,
      'id',
    );
    expect(signed).toMatchObject({
      request: {
        headers: {
          'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
        },
      },
    });
  });
});

describe('drills', () => {
  const rules: readonly VerificationRule[] = [
    { type: 'bearer' },
    { type: 'basic', username: 'me' },
    { type: 'header', header: 'x-key', prefix: 'k ' },
    { type: 'path-secret' },
    { type: 'hmac-sha256', header: 'x-s', prefix: 'sha256=', encoding: 'base64' },
    {
      type: 'hmac-sha256',
      header: 'x-s',
      prefix: '',
      encoding: 'hex',
      timestamp: { header: 'x-t', tolerance: 1_000, signed: '{timestamp}:{body}' },
    },
    {
      type: 'hmac-sha256',
      header: 'x-s',
      prefix: 'v1=',
      encoding: 'hex',
      timestamp: { header: 'x-s', prefix: 't=', tolerance: 1_000, signed: '{body}{timestamp}' },
    },
    { type: 'standard-webhooks', tolerance: 1_000 },
  ];
  test('are signed as their sender would: they verify, at the tier that status shows', () => {
    const secret = bytes(`whsec_${Buffer.alloc(24, 7).toString('base64')}`);
    fc.assert(
      fc.property(fc.constantFrom(...rules), fc.uint8Array({ maxLength: 100 }), (rule, body) => {
        const signed = signedRequest(rule, secret, body, NOW, 'drill');
        if (!signed.ok) throw new Error(signed.why);
        expect(verify(rule, [secret], signed.request, NOW)).toEqual({ ok: true, tier: tierOf(rule) });
        const other = bytes(`whsec_${Buffer.alloc(24, 8).toString('base64')}`);
        expect(verify(rule, [other], signed.request, NOW).ok).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('what only the sender can sign is not signed', () => {
    const key = bytes(`whpk_${Buffer.alloc(32, 7).toString('base64')}`);
    expect(signedRequest({ type: 'standard-webhooks', tolerance: 1 }, key, bytes(''), NOW, 'x').ok).toBe(
      false,
    );
    expect(signedRequest({ type: 'mtls', fingerprints: [] }, null, bytes(''), NOW, 'x').ok).toBe(false);
    expect(signedRequest({ type: 'bearer' }, null, bytes(''), NOW, 'x').ok).toBe(false);
  });
});
