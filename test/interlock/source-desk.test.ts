/** What becomes of what sources say: repeats, drills, heartbeats, and what status and journal keep of it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ResetAsked } from '../../src/interlock/rights/reset.ts';
import type { LinkAtWork } from '../../src/interlock/link-at-work.ts';
import { causeNow } from '../button/cause.ts';
import { testSource } from '../../src/command/source.ts';
import type { Clock } from '../../src/interlock/clock.ts';
import { machineClock } from '../../src/interlock/clock.ts';
import { RefusalTally } from '../../src/interlock/trips/refusal-tally.ts';
import { createSocketServer } from '../../src/interlock/socket/socket-server.ts';
import { SourceDesk } from '../../src/interlock/trips/source-desk.ts';
import { statusOf } from '../../src/interlock/socket/status.ts';
import type { TripSource } from '../../src/interlock/trips/trip-sources.ts';
import { buildId } from '../../src/protocol/build.ts';
import { interlockClient } from '../../src/protocol/client.ts';
import { signedRequest } from '../../src/sources/sign.ts';
import { type Box, box } from './review-box.ts';

const WITHIN_MS = 15_000;
const SECRET = Buffer.from(`whsec_${Buffer.alloc(32, 3).toString('base64')}`);
const common = { verify: { type: 'bearer' }, secrets: [SECRET], on_unrecognised: 'trip' } as const;
const sources: Readonly<Record<string, TripSource>> = {
  am: {
    ...common,
    trips: ['vault'],
    reading: { format: 'alertmanager' },
    trip_on: { severity_at_least: 'error' },
  },
  signed: {
    ...common,
    verify: { type: 'standard-webhooks', tolerance: 300_000 },
    trips: 'all',
    reading: { format: 'generic' },
  },
  alive: { ...common, trips: [], reading: null, heartbeat: true },
  watchdog: { ...common, trips: [], reading: { format: 'alertmanager' }, heartbeat: true },
};

let rig: Box<Clock>;
let desk: SourceDesk;

beforeEach(async () => {
  rig = await box(machineClock, { links: ['vault', 'attic'] });
  rig.interlock.start();
  desk = new SourceDesk(
    rig.interlock,
    sources,
    new RefusalTally(machineClock, (entry) => rig.interlock.note(entry)),
  );
  await until(() => at('vault') === 'isolated' && at('attic') === 'isolated');
});
afterEach(async () => {
  await rig.interlock.stop();
});

const at = (link: string): string => rig.interlock.links.get(link)?.shell.state.at ?? '';
const cuts = (link: string): number =>
  rig.contacts[link]?.frames.filter((frame) => frame === 'isolate').length ?? 0;
const isHeld = (): boolean => rig.interlock.links.get('vault')?.shell.heldIsolated === true;
const count = (type: string): number => rig.journal.types().filter((each) => each === type).length;
const until = async (what: () => boolean): Promise<void> => {
  for (const end = Date.now() + WITHIN_MS; !what();) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

const alert = (status: string, severity: string, fingerprint: string, labels: object = {}) => ({
  status,
  labels: { alertname: 'MassDeletion', severity, ...labels },
  annotations: {},
  fingerprint,
});
const group = (...alerts: readonly { readonly status: string }[]): string =>
  JSON.stringify({
    version: '4',
    groupKey: '{}',
    truncatedAlerts: 0,
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    alerts,
  });
const tell = (source: string, body: string) => {
  const rule = sources[source]?.verify;
  if (rule === undefined) throw new Error(`there is no source ${source}`);
  const signed = signedRequest(rule, SECRET, Buffer.from(body), Math.floor(Date.now() / 1_000), 'id');
  if (!signed.ok) throw new Error(signed.why);
  return desk.hear(source, signed.request, '127.0.0.1', machineClock.now());
};

const lookedAt = (link: LinkAtWork): ResetAsked => ({
  by: 'person:me',
  reason: 'looked at it',
  presence: true,
  cause: causeNow(link),
});

describe('an alert', () => {
  test('below the threshold is written down, above it cuts', async () => {
    expect(await tell('am', group(alert('firing', 'warning', 'a')))).toMatchObject({
      status: 200,
      answer: { status: 'noted', cut: false },
    });
    expect(at('vault')).toBe('isolated');
    expect(
      await tell('am', group(alert('firing', 'warning', 'a'), alert('firing', 'critical', 'b'))),
    ).toMatchObject({ status: 200, answer: { status: 'tripped' } });
    expect([at('vault'), at('attic')]).toEqual(['tripped', 'isolated']);
  });

  test('that is resolved resets nothing', async () => {
    await tell('am', group(alert('firing', 'critical', 'a')));
    expect(await tell('am', group(alert('resolved', 'critical', 'a')))).toMatchObject({
      answer: { status: 'noted' },
    });
    expect(at('vault')).toBe('tripped');
  });

  test('that comes again while the link is held is answered and cut, and not journaled each time', async () => {
    await tell('am', group(alert('firing', 'critical', 'a')));
    await until(isHeld);
    const before = cuts('vault');
    for (let i = 0; i < 20; i += 1)
      expect(await tell('am', group(alert('firing', 'critical', 'a')))).toMatchObject({
        status: 200,
        answer: { status: 'tripped', cut: true, repeated: true },
      });
    expect(cuts('vault')).toBe(before + 20);
    expect([count('trip.received'), count('link.tripped'), count('trip.repeated')]).toEqual([1, 1, 1]);
    expect(await tell('am', group(alert('firing', 'critical', 'b')))).not.toMatchObject({
      answer: { repeated: true },
    });
    expect(count('trip.received')).toBe(2);
  });

  test('that comes again is new for a link that was reset, or is not held', async () => {
    await tell('am', group(alert('firing', 'critical', 'a')));
    await until(isHeld);
    await tell('am', group(alert('firing', 'critical', 'a')));
    const link = rig.interlock.links.get('vault');
    if (link === undefined) throw new Error('there is no link vault');
    expect(await rig.interlock.reset(link, lookedAt(link))).toEqual([]);
    expect(at('vault')).toBe('isolated');
    expect(await tell('am', group(alert('firing', 'critical', 'b')))).not.toMatchObject({
      answer: { repeated: true },
    });
    expect(at('vault')).toBe('tripped');
    await until(isHeld);
    // Told before the reset, and not since.
    expect(await tell('am', group(alert('firing', 'critical', 'a')))).not.toMatchObject({
      answer: { repeated: true },
    });
  });

  test('that comes again while a reset is asked for keeps the latch', async () => {
    await tell('am', group(alert('firing', 'critical', 'a')));
    await until(isHeld);
    const link = rig.interlock.links.get('vault');
    if (link === undefined) throw new Error('there is no link vault');
    const disk = Promise.withResolvers<void>();
    rig.journal.disk = disk.promise;
    const reset = rig.interlock.reset(link, lookedAt(link));
    const again = await tell('am', group(alert('firing', 'critical', 'a')));
    disk.resolve();
    expect(again).toMatchObject({ answer: { repeated: true } });
    expect((await reset).map(({ code }) => code)).not.toEqual([]);
    expect(at('vault')).toBe('tripped');
  });

  test('that is stale but signed cuts, and says so', async () => {
    const rule = sources['signed']?.verify ?? { type: 'bearer' };
    const old = signedRequest(rule, SECRET, Buffer.from('{"reason":"gone"}'), 1_600_000_000, 'id');
    if (!old.ok) throw new Error(old.why);
    const heard = await desk.hear('signed', old.request, '127.0.0.1', machineClock.now());
    expect(heard).toMatchObject({ status: 200, answer: { status: 'tripped', note: 'stale-timestamp' } });
    expect(rig.interlock.links.get('vault')?.latch?.reason).toMatch(/^clock skew or replay .*firing: gone$/);
  });
});

describe('a drill', () => {
  test("by the sender's test message reaches every contact and cuts none", async () => {
    const before = cuts('vault');
    const heard = await tell('am', group(alert('firing', 'critical', 'a', { portcullis: 'drill' })));
    expect(heard).toMatchObject({
      status: 200,
      answer: {
        status: 'drill',
        cut: false,
        decided_ms: expect.any(Number),
        links: [
          {
            link: 'vault',
            contacts: [{ contact: 'vault', position: 'isolated', answered_ms: expect.any(Number) }],
          },
        ],
      },
    });
    expect([at('vault'), cuts('vault')]).toEqual(['isolated', before]);
    expect(rig.journal.entries.find(({ type }) => type === 'trip.drill')).toMatchObject({
      data: { source: 'am', decided_ms: expect.any(Number), links: [{ link: 'vault' }] },
    });
  });

  test('by a person says what a message would have done, verified like any other', async () => {
    const signed = signedRequest(
      { type: 'bearer' },
      SECRET,
      Buffer.from(group(alert('firing', 'critical', 'a'))),
      0,
      'id',
    );
    if (!signed.ok) throw new Error(signed.why);
    const before = cuts('vault');
    expect(await desk.drill('am', signed.request, 'me', false)).toMatchObject({
      tier: 1,
      verdict: 'trip',
      reason: 'firing: critical: MassDeletion',
      links: [{ link: 'vault' }],
    });
    expect(await desk.drill('am', { ...signed.request, headers: {} }, 'me', false)).toMatchObject({
      tier: null,
      verdict: null,
      links: [],
    });
    expect(await desk.drill('am', { ...signed.request, headers: {} }, 'me', true)).toMatchObject({
      tier: null,
      verdict: 'trip',
    });
    expect(await desk.drill('nobody', signed.request, 'me', false)).toBeNull();
    expect([at('vault'), cuts('vault'), count('trip.received')]).toEqual(['isolated', before, 0]);
  });

  test('is not held up by a board that does not answer', async () => {
    const contact = rig.contacts['vault'];
    if (contact === undefined) throw new Error('there is no contact vault');
    contact.read = () => new Promise(() => undefined);
    const heard = await tell('am', group(alert('firing', 'critical', 'a', { portcullis: 'drill' })));
    expect(heard).toMatchObject({
      answer: { status: 'drill', links: [{ contacts: [{ position: 'unknown', answered_ms: null }] }] },
    });
    contact.read = () => Promise.resolve({ position: 'isolated', takenAt: machineClock.now(), detail: '' });
  });
});

describe('a heartbeat', () => {
  test('beats, cuts nothing, and is silent when its alert is over', async () => {
    expect(await tell('alive', 'whatever')).toMatchObject({ status: 200, answer: { status: 'beat' } });
    expect(await tell('watchdog', group(alert('firing', 'none', 'w')))).toMatchObject({
      answer: { status: 'beat' },
    });
    expect(await tell('watchdog', group(alert('resolved', 'none', 'w')))).toMatchObject({
      answer: { status: 'noted' },
    });
    expect(await tell('watchdog', '{}')).toMatchObject({ status: 422 });
    expect([at('vault'), at('attic')]).toEqual(['isolated', 'isolated']);
  });
});

test('status shows what each source can prove, and how it was last judged', async () => {
  await tell('am', group(alert('resolved', 'critical', 'a')));
  await desk.hear(
    'signed',
    { headers: {}, rawBody: Buffer.from(''), pathSecret: null },
    '127.0.0.1',
    machineClock.now(),
  );
  await desk.hear(
    'nobody',
    { headers: {}, rawBody: Buffer.from(''), pathSecret: null },
    '127.0.0.1',
    machineClock.now(),
  );
  expect(statusOf(rig.interlock).sources).toEqual([
    {
      source: 'am',
      format: 'alertmanager',
      tier: 1,
      heartbeat: false,
      last: { at: expect.any(String), verdict: 'annotate', note: null },
      unverified: 0,
    },
    {
      source: 'signed',
      format: 'generic',
      tier: 3,
      heartbeat: false,
      last: { at: expect.any(String), verdict: 'unverified', note: null },
      unverified: 1,
    },
    { source: 'alive', format: null, tier: 1, heartbeat: true, last: null, unverified: 0 },
    { source: 'watchdog', format: 'alertmanager', tier: 1, heartbeat: true, last: null, unverified: 0 },
  ]);
});

describe('over the socket', () => {
  test('a drill is asked for; a source that is not there is refused', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'desk-'));
    const server = createSocketServer(rig.interlock, false, desk);
    try {
      const socketPath = join(directory, 'interlock.sock');
      await server.listen({ path: socketPath });
      const client = interlockClient({ socketPath, build: 'build' });
      const body_base64 = Buffer.from('{"status":"resolved"}').toString('base64');
      expect(await client.drill('am', { by: 'me', body_base64, unsigned: true })).toMatchObject({
        verdict: 'trip',
        why_not: expect.any(String),
      });
      await expect(client.drill('nobody', { by: 'me', body_base64 })).rejects.toThrow();
      expect(at('vault')).toBe('isolated');
    } finally {
      await server.close();
      await rm(directory, { recursive: true });
    }
  });

  test('`source test` signs as the sender would, and says what it comes to', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'desk-'));
    Object.assign(rig.interlock.parts, { build: buildId() });
    const server = createSocketServer(rig.interlock, false, desk);
    const lines: string[] = [];
    const write = vi
      .spyOn(process.stdout, 'write')
      .mockImplementation((line) => lines.push(String(line)) > 0);
    try {
      await server.listen({ path: join(directory, 'interlock.sock') });
      const [config, body, token] = ['c.yaml', 'body', 'token'].map((name) => join(directory, name));
      await writeFile(token ?? '', `${SECRET.toString()}\n`);
      await writeFile(body ?? '', group(alert('firing', 'critical', 'a')));
      await writeFile(config ?? '', configuration(directory));
      const tried = (name: string, json: boolean) =>
        testSource(name, body ?? '', { config: config ?? '', json });
      expect(await tried('am', true)).toBe(0);
      expect(JSON.parse(lines.join(''))).toMatchObject({
        source: 'am',
        tier: 1,
        verdict: 'trip',
        links: [{ link: 'vault' }],
      });
      lines.length = 0;
      expect(await tried('am', false)).toBe(0);
      expect(lines.join('')).toMatch(
        /^am: verified, tier 1\n {2}would CUT: firing: critical: MassDeletion\n[^]*vault vault: isolated, answered after [^]*nothing was cut\n$/,
      );
      await writeFile(token ?? '', 'a-secret-that-the-interlock-does-not-have\n');
      expect(await tried('am', false)).toBe(1);
      expect(lines.join('')).toContain('am: NOT VERIFIED: wrong token');
      await expect(tried('nobody', false)).rejects.toThrow('there is no source "nobody"; there are: am');
      await expect(testSource('am', join(directory, 'none'), { config: config ?? '' })).rejects.toThrow(
        'cannot read the body',
      );
      expect(at('vault')).toBe('isolated');
    } finally {
      write.mockRestore();
      await server.close();
      await rm(directory, { recursive: true });
    }
  });
});

const configuration = (directory: string): string => `
runtime_directory: ${directory}
buses: { board: { transport: modbus-tcp, host: 127.0.0.1 } }
links:
  vault:
    contacts: [{ name: relay, profile: waveshare/modbus-poe-eth-relay-8ch, bus: board, unit: 1, channel: 1 }]
    witnesses: [{ name: mount, type: path, path: /mnt/vault }]
sources:
  am: { verify: { type: bearer, token_file: ${directory}/token }, format: alertmanager, trips: all }
`;
