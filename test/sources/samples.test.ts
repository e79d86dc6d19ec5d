/**
 * Every format on the bodies its sender documents, and on those bodies after something happened to them.
 * `REWRITE=1 npx vitest run test/sources` writes the expected messages anew; commit only a difference that you understand.
 */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMAT_NAMES } from '../../src/sources/formats.ts';
import { MAX_ALERTS, type Message } from '../../src/sources/message.ts';
import { MAX_BODY_BYTES } from '../../src/sources/json-body.ts';
import { readMessage } from '../../src/sources/read.ts';
import { heartbeatOf, verdictOf } from '../../src/sources/verdict.ts';
import { type Sample, samples } from './samples.ts';

const named = samples.map((sample): [string, Sample] => [sample.name, sample]);
const sample = (name: string): Sample => {
  const found = samples.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no sample ${name}`);
  return found;
};
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const harmless = (message: Message): boolean =>
  verdictOf({ on_unrecognised: 'trip' }, message).verdict !== 'trip';

describe('samples', () => {
  test.each(named)('%s', (_name, { path, reading, file, body }) => {
    const message = readMessage(reading, body);
    if (process.env['REWRITE'] !== undefined)
      writeFileSync(path, `${JSON.stringify({ ...file, expected: message }, null, 2)}\n`);
    else expect(message).toEqual(file.expected);
  });

  test.each([...FORMAT_NAMES, 'map'])('%s: one that trips', (format) => {
    const own = samples.filter(({ reading }) => reading.format === format);
    expect(own.some(({ reading, body }) => !harmless(readMessage(reading, body)))).toBe(true);
  });

  test('what is harmless is said by name', () => {
    const names = samples.filter(({ reading, body }) => harmless(readMessage(reading, body)));
    expect(names.map(({ name }) => name).toSorted()).toEqual([
      'alertmanager/drill',
      'alertmanager/resolved',
      'canarytokens/saved',
      'datadog/recovered',
      'datadog/test-notification',
      'falcosidekick/test',
      'generic/resolved',
      'generic/test',
      'github/code-scanning-fixed',
      'github/ping',
      'github/secret-resolved',
      'gitlab/vulnerability-resolved',
      'grafana/resolved',
      'grafana/test-button',
      'healthchecks/test-button',
      'healthchecks/up',
      'icinga/ok',
      'kibana/recovered',
      'kibana/test-tab',
      'map/sysdig-over',
      'netdata/clear',
      'netdata/reachable',
      'netdata/test-button',
      'pagerduty/ping',
      'pagerduty/resolved',
      'sentry/issue-resolved',
      'sentry/metric-resolved',
      'sns/cloudwatch-ok',
      'sns/drill',
      'sns/subscription-confirmation',
      'splunk/drill',
      'uptime-kuma/test-button',
      'uptime-kuma/up',
      'zabbix/resolved',
    ]);
  });

  test('no format takes the body of another for harmless, but where the bodies are the same', () => {
    const taken = samples.flatMap(({ name, body }) =>
      FORMAT_NAMES.filter((format) => !name.startsWith(`${format}/`))
        .filter((format) => harmless(readMessage({ format }, body)))
        .map((format) => `${name} as ${format}`),
    );
    expect(taken).toEqual([
      'alertmanager/resolved as generic',
      'alertmanager/truncated as generic',
      'grafana/resolved as generic',
    ]);
  });
});

/** Every place in a JSON value: the path to it. */
function places(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, each]) => places(each, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}

/** The value with something else (`undefined`: nothing) at a path. */
function changed(value: unknown, path: readonly string[], to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  if (Array.isArray(value))
    return value.flatMap((each: unknown, index) =>
      String(index) !== key ? [each] : rest.length === 0 && to === undefined ? [] : [changed(each, rest, to)],
    );
  const entries = Object.entries(value as object).flatMap(([name, each]): [string, unknown][] =>
    name !== key
      ? [[name, each]]
      : rest.length === 0 && to === undefined
        ? []
        : [[name, changed(each, rest, to)]],
  );
  return Object.fromEntries(entries);
}

/** All text and numbers in a body, in small letters: what it can be said to say. */
const saidIn = (value: unknown): string => JSON.stringify(value).toLowerCase();

/** Words without which nothing is over and nothing a test, by format. */
const POSITIVE: Readonly<Record<string, RegExp>> = {
  alertmanager: /"resolved"|"drill"/,
  grafana: /"resolved"|"drill"|"testalert"/,
  falco: /^$/,
  falcosidekick: /this is a test from falcosidekick/,
  wazuh: /^$/,
  pagerduty: /"incident\.resolved"|"pagey\.ping"/,
  datadog: /recovered"|"\[test\]/,
  'uptime-kuma': /"status":1[,}]|testing"/,
  canarytokens: /the newly saved webhook works/,
  sentry: /"resolved"/,
  github: /"zen"|"fixed"|"resolved"|"(?:auto_)?dismissed"|"closed_by_user"/,
  gitlab: /"resolved"|"dismissed"/,
  zabbix: /"event_value":"?0"?[,}]/,
  healthchecks: /"status":"up"|"name":"test"/,
  sns: /"subscriptionconfirmation"|\\"newstatevalue\\":\\"ok\\"|"portcullis-drill"/,
  kibana: /"recovered"|\{\{alert\.actiongroup\}\}/,
  splunk: /"portcullis-drill"/,
  netdata: /"clear"|"reachable":true|"token":"/,
  icinga: /"severity":"ok"/,
  generic: /"status":"(?:resolved|test)"/,
  map: /"ok"|"resolved"|"test |"level":/,
};

const ODD: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  0,
  1,
  -1,
  2,
  '',
  'resolved',
  'Resolved',
  'firing',
  'ok',
  'test',
  'up',
  '0',
  '1',
  [],
  {},
  [{}],
  { status: 'resolved' },
  ['resolved'],
];

describe('changed samples', () => {
  test('every value of every sample replaced by odd ones: nothing throws, nothing is harmless that does not say so', () => {
    let judged = 0;
    for (const { name, reading, file } of samples) {
      for (const path of places(file.body)) {
        for (const to of ODD) {
          const body = changed(file.body, path, to);
          const message = readMessage(reading, bytes(body));
          judged += 1;
          if (harmless(message))
            expect(saidIn(body), `${name} ${path.join('.')}`).toMatch(POSITIVE[reading.format] ?? /^$/);
        }
      }
    }
    expect(judged).toBeGreaterThan(10_000);
  });

  test('a sample that fires stays so when any other value than a text is put anywhere', () => {
    const others = [undefined, null, true, false, 7, [], {}];
    for (const { name, reading, file, body } of samples.filter(
      ({ reading: { format } }) => format !== 'map',
    )) {
      if (harmless(readMessage(reading, body))) continue;
      for (const path of places(file.body)) {
        // A group of alerts whose only one that fires is taken away says that all is well.
        if (name === 'alertmanager/one-firing-among-resolved' && path[0] === 'alerts' && path.length <= 2)
          continue;
        if (name === 'alertmanager/truncated') continue;
        for (const to of others) {
          const message = readMessage(reading, bytes(changed(file.body, path, to)));
          expect(harmless(message), `${name} ${path.join('.')} ${JSON.stringify(to)}`).toBe(false);
        }
      }
    }
  });

  test('any key said twice, anywhere, makes no sample harmless, nor less than another', () => {
    for (const { name, reading, file } of samples) {
      const text = JSON.stringify(file.body);
      for (const match of text.matchAll(/[{,]("(?:[^"\\]|\\.)*"):/g)) {
        const at = match.index + 1;
        for (const extra of [`${match[1]}:"firing",`, `${match[1]}:null,`]) {
          const twice = Buffer.from(text.slice(0, at) + extra + text.slice(at));
          const message = readMessage(reading, twice);
          const { verdict } = verdictOf(
            {
              on_unrecognised: 'trip',
              trip_on: { severity: ['nothing'], rules: ['nothing'], status: ['nothing'] },
            },
            message,
          );
          expect(verdict, `${name} ${match[1]}`).toBe('trip');
        }
      }
    }
  });

  test('a byte flipped, cut off or put in: nothing throws, and what is kept is bounded and escaped', () => {
    const safe = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u;
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.nat(),
        fc.nat({ max: 255 }),
        fc.constantFrom('set', 'cut', 'drop'),
        ({ reading, body }, where, byte, how) => {
          const at = where % body.length;
          const copy = Uint8Array.from(body);
          if (how === 'set') copy[at] = byte;
          const raw =
            how === 'cut'
              ? copy.subarray(0, at)
              : how === 'drop'
                ? Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1)])
                : copy;
          const message = readMessage(reading, raw);
          const { reason } = verdictOf({ on_unrecognised: 'trip' }, message);
          expect(reason).toMatch(safe);
          expect(reason.length).toBeLessThan(6_000);
          if (how === 'cut') expect(harmless(message)).toBe(false);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('any JSON at all: nothing throws', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.json(), ({ reading }, text) => {
        expect(harmless(readMessage(reading, Buffer.from(text)))).toBe(
          reading.format === 'generic' && /"status":"(?:resolved|test)"/.test(text),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('groups', () => {
  const { reading, file } = sample('alertmanager/resolved');
  const group = file.body as { readonly alerts: readonly unknown[] };
  const resolved = group.alerts[0];

  test('one alert that fires among more than are read still trips', () => {
    const alerts = Array.from({ length: MAX_ALERTS + 1 }, () => resolved);
    expect(harmless(readMessage(reading, bytes({ ...group, alerts })))).toBe(false);
    expect(harmless(readMessage(reading, bytes({ ...group, alerts: alerts.slice(1) })))).toBe(true);
  });

  test('a threshold is asked of every alert', () => {
    const one = sample('alertmanager/one-firing-among-resolved');
    const message = readMessage(one.reading, one.body);
    const at = (severity: string) =>
      verdictOf({ on_unrecognised: 'trip', trip_on: { severity: [severity] } }, message);
    expect(at('CRITICAL')).toMatchObject({
      verdict: 'trip',
      reason: 'firing: critical: MassDeletion: on db2',
      key: '["1f2b1f8f0a1c3e56"]',
    });
    // The warning is over, so it does not trip.
    expect(at('warning')).toMatchObject({ verdict: 'annotate', about: 'firing' });
  });

  test('nothing about nothing', () => {
    expect(readMessage(reading, bytes({ ...group, alerts: [] })).kind).toBe('unrecognised');
    expect(readMessage(reading, bytes({ ...group, status: 'firing' }))).toMatchObject({
      kind: 'unrecognised',
    });
  });
});

describe('contradictions', () => {
  const refusing = { on_unrecognised: 'refuse' } as const;

  test('what fires beside something said twice trips, also where the unrecognised is refused', () => {
    const { reading, body } = sample('alertmanager/one-firing-among-resolved');
    const twice = Buffer.from(`{"version":"4",${Buffer.from(body).toString().slice(1)}`);
    expect(verdictOf(refusing, readMessage(reading, twice)).verdict).toBe('trip');
    expect(
      verdictOf(
        refusing,
        readMessage(reading, twice, () => true),
      ),
    ).toMatchObject({ verdict: 'trip' });
  });

  test.each([
    ['pagerduty/resolved', ['event', 'data', 'status'], 'acknowledged'],
    ['github/secret-resolved', ['alert', 'state'], 'open'],
    ['sentry/issue-resolved', ['data', 'issue', 'status'], 'unresolved'],
    ['alertmanager/resolved', ['status'], 'firing'],
    ['map/sysdig-over', ['alert', 'name'], 'Test of the channel'],
    ['netdata/reachable', ['severity'], 'critical'],
    ['netdata/reachable', ['status', 'text'], 'unreachable'],
    ['sns/cloudwatch-ok', ['Message'], '{"AlarmName":"a","NewStateValue":"ALARM","NewStateValue":"OK"}'],
    ['sns/cloudwatch-ok', ['Message'], '{"NewStateValue":"OK"}'],
    [
      'sns/subscription-confirmation',
      ['SubscribeURL'],
      'https://sns.evil.amazonaws.com.example/?Action=ConfirmSubscription&a=b',
    ],
    [
      'sns/subscription-confirmation',
      ['SubscribeURL'],
      'https://sns.eu-west-1.amazonaws.com@evil.example/?Action=ConfirmSubscription&a=b',
    ],
  ] as const)('%s whose %j says %s is not over', (name, path, word) => {
    const { reading, file } = sample(name);
    expect(harmless(readMessage(reading, bytes(file.body)))).toBe(true);
    expect(harmless(readMessage(reading, bytes(changed(file.body, path, word))))).toBe(false);
  });
});

test('nobody ends the subscription of a topic in silence, whatever is listed', () => {
  const { reading, body } = sample('sns/unsubscribe-confirmation');
  const trip_on = { status: ['ALARM'], rules: ['S3 *'], severity: ['critical'] };
  expect(verdictOf({ on_unrecognised: 'refuse', trip_on }, readMessage(reading, body)).verdict).toBe('trip');
});

test('an address to visit is told whole', () => {
  const { reading, body, file } = sample('sns/subscription-confirmation');
  const { SubscribeURL: address } = file.body as { readonly SubscribeURL: string };
  expect(verdictOf({ on_unrecognised: 'trip' }, readMessage(reading, body)).reason).toContain(
    `at ${address}`,
  );
});

describe('packed bodies', () => {
  test('gzip is unpacked, and not beyond the longest body', () => {
    const { reading, body } = sample('falco/bulk-removal');
    expect(readMessage(reading, gzipSync(body))).toEqual(readMessage(reading, body));
    const bomb = gzipSync(Buffer.from(`{"status":"resolved","x":"${'0'.repeat(2 * MAX_BODY_BYTES)}"}`));
    expect(readMessage({ format: 'generic' }, bomb)).toMatchObject({ kind: 'unrecognised' });
    expect(readMessage({ format: 'generic' }, gzipSync(body).subarray(0, 40))).toMatchObject({
      kind: 'unrecognised',
    });
  });
});

describe('thresholds', () => {
  const judged = (name: string, trip_on: object) => {
    const { reading, body } = sample(name);
    return verdictOf({ on_unrecognised: 'trip', trip_on }, readMessage(reading, body)).verdict;
  };
  test.each([
    ['falco/notice', { severity_at_least: 'warning' }, 'annotate'],
    ['falco/bulk-removal', { severity_at_least: 'warning' }, 'trip'],
    ['falco/bulk-removal', { severity_at_least: 'error' }, 'annotate'],
    ['falco/bulk-removal', { rules: ['Remove *', 'x'] }, 'trip'],
    ['falco/bulk-removal', { rules: ['Remove'] }, 'annotate'],
    ['wazuh/level-3', { severity_at_least: 'error' }, 'annotate'],
    ['wazuh/level-12', { severity_at_least: 'critical' }, 'trip'],
    ['wazuh/level-12', { severity: ['12', '13'] }, 'trip'],
    ['grafana/without-severity', { severity_at_least: 'critical', severity: ['critical'] }, 'trip'],
    ['zabbix/not-classified', { severity_at_least: 'critical' }, 'trip'],
    ['zabbix/information', { severity_at_least: 'warning' }, 'annotate'],
    ['pagerduty/acknowledged', { status: ['incident.triggered'] }, 'annotate'],
    ['pagerduty/triggered', { status: ['incident.triggered'] }, 'trip'],
    ['pagerduty/low-urgency', { severity_at_least: 'error' }, 'annotate'],
    ['datadog/p4', { severity_at_least: 'error' }, 'annotate'],
    ['github/dependabot-high', { severity_at_least: 'critical' }, 'annotate'],
    ['github/repository-deleted', { severity_at_least: 'critical' }, 'trip'],
    ['splunk/row-that-pleads', { severity_at_least: 'critical', status: ['firing'] }, 'trip'],
    ['splunk/saved-search', { rules: ['other'] }, 'annotate'],
    ['netdata/warning', { severity_at_least: 'critical' }, 'annotate'],
    ['icinga/warning', { severity_at_least: 'error' }, 'annotate'],
    ['icinga/acknowledged', { status: ['state'] }, 'annotate'],
    ['kibana/query-matched', { severity_at_least: 'critical' }, 'trip'],
    ['sns/cloudwatch-no-data', { status: ['ALARM'] }, 'annotate'],
  ] as const)('%s with %j: %s', (name, on, verdict) => expect(judged(name, on)).toBe(verdict));
});

describe('heartbeats', () => {
  const watchdog = (name: string) => readMessage(sample(name).reading, sample(name).body);
  test('any verified request counts where no format is given; else what fires', () => {
    expect(heartbeatOf(null)).toMatchObject({ verdict: 'beat' });
    expect(heartbeatOf(watchdog('alertmanager/watchdog'))).toMatchObject({ verdict: 'beat' });
    expect(heartbeatOf(watchdog('alertmanager/resolved'))).toMatchObject({ verdict: 'annotate' });
    expect(heartbeatOf(watchdog('alertmanager/drill'))).toMatchObject({ verdict: 'drill' });
    expect(heartbeatOf(watchdog('generic/without-status'))).toMatchObject({ verdict: 'annotate' });
    expect(heartbeatOf(readMessage({ format: 'alertmanager' }, bytes({})))).toMatchObject({
      verdict: 'refuse',
    });
  });

  test('one that is stale is no sign of life; a stale alarm trips and says so', () => {
    expect(heartbeatOf(null, 'stale-timestamp')).toMatchObject({ verdict: 'refuse' });
    const { verdict, reason } = verdictOf(
      { on_unrecognised: 'trip' },
      watchdog('generic/firing'),
      'stale-timestamp',
    );
    expect(verdict).toBe('trip');
    expect(reason).toMatch(/^clock skew or replay .*: firing: critical: agent-gateway: DROP/);
  });
});
