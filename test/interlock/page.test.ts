/** The interlock's own page: what it shows, to whom, and what its form cuts. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, machineClock } from '../../src/interlock/clock.ts';
import type { PageReaders } from '../../src/interlock/page/page.ts';
import { RefusalTally } from '../../src/interlock/trips/refusal-tally.ts';
import { SourceDesk } from '../../src/interlock/trips/source-desk.ts';
import { createTripListener } from '../../src/interlock/trips/trip-listener.ts';
import type { TripSource } from '../../src/interlock/trips/trip-sources.ts';
import type { Listener } from '../../src/listener/listener.ts';
import { type Box, box } from './review-box.ts';

const WITHIN_MS = 15_000;
const TOKEN = 'correct-horse-battery-staple';
const secrets = [Buffer.from(TOKEN)];

const sources: Readonly<Record<string, TripSource>> = {
  bearer: { verify: { type: 'bearer' }, secrets, trips: 'all', on_unrecognised: 'trip' },
  // What its sender says must be recognised; what a person types need not be.
  picky: { verify: { type: 'bearer' }, secrets, trips: ['vault'], on_unrecognised: 'refuse' },
  path: { verify: { type: 'path-secret' }, secrets, trips: ['attic'], on_unrecognised: 'trip' },
  basic: { verify: { type: 'basic', username: 'u' }, secrets, trips: ['attic'], on_unrecognised: 'trip' },
  header: {
    verify: { type: 'header', header: 'x-token', prefix: 'T ' },
    secrets,
    trips: ['attic'],
    on_unrecognised: 'trip',
  },
  signed: {
    verify: { type: 'hmac-sha256', header: 'x-signature', prefix: 'sha256=', encoding: 'hex' },
    secrets,
    trips: 'all',
    on_unrecognised: 'trip',
  },
  beat: {
    verify: { type: 'bearer' },
    secrets,
    trips: [],
    heartbeat: true,
    reading: null,
    on_unrecognised: 'trip',
  },
};

let rig: Box<Clock>;
let app: Listener;
let port: number;

beforeEach(() => begin());
afterEach(() => end());

async function begin(readers?: PageReaders): Promise<void> {
  rig = await box(machineClock, { links: ['vault', 'attic'] });
  rig.interlock.start();
  await until(() => at('vault') === 'isolated' && at('attic') === 'isolated');
  const tally = new RefusalTally(machineClock, (entry) => rig.interlock.note(entry));
  const desk = new SourceDesk(rig.interlock, sources, tally);
  app = await createTripListener(rig.interlock, sources, tally, desk, readers);
  [{ port } = { port: 0 }] = await app.listen([{ host: '127.0.0.1', port: 0, secure: false }]);
}

async function end(): Promise<void> {
  await app.close();
  await rig.interlock.stop();
}

const at = (link: string): string => rig.interlock.links.get(link)?.shell.state.at ?? '';
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- polling
  for (const last = Date.now() + WITHIN_MS; !(await what());) {
    if (Date.now() > last) throw new Error('it did not come to pass');
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const ask = (path: string, form?: Record<string, string>): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    signal: AbortSignal.timeout(WITHIN_MS),
  });
const read = async (path: string): Promise<string> => (await ask(path)).text();
const journal = (): string => JSON.stringify(rig.journal.entries);

describe('what it shows', () => {
  test('is how every link stands, in words, read again by itself', async () => {
    const page = await read('/');
    expect(page).toContain('ISOLATED');
    expect(page).toContain('by the board&#39;s own word only (simulated board');
    for (const word of ['vault', 'attic', 'w-vault', 'clock', 'journal', 'button'])
      expect(page).toContain(word);
    expect(page).toContain('http-equiv="refresh"');
    await rig.interlock.trip(['vault'], {
      by: 'source:x',
      reason: 'seen <script>alert(1)</script> & "more"',
    });
    await until(async () => (await read('/')).includes('TRIPPED'));
    const tripped = await read('/');
    expect(tripped).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;');
    expect(tripped).toContain('<title>tripped: vault</title>');
    expect(tripped).toContain('to reset');
  });

  test('does not call isolated what is not proven', async () => {
    const contact = rig.contacts['vault'];
    if (contact === undefined) throw new TypeError('no contact');
    contact.position = 'unknown';
    await until(async () => (await read('/')).includes('NOT PROVEN ISOLATED'));
  });

  test('runs nothing, loads nothing, is framed by nobody, is kept by nobody', async () => {
    for (const path of ['/', '/cut']) {
      // oxlint-disable-next-line no-await-in-loop
      const answer = await ask(path);
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      // oxlint-disable-next-line no-await-in-loop
      const text = await answer.text();
      const style = /<style>(.*)<\/style>/s.exec(text)?.[1] ?? '';
      expect(policy).toContain(createHash('sha256').update(style).digest('base64'));
      expect(text).not.toMatch(/<script|https?:|src=|@import|url\(/);
    }
    // What somebody is typing is not taken away.
    expect(await read('/cut')).not.toContain('refresh');
  });

  test.each([
    ['loopback', true],
    ['everybody', true],
    ['nobody', false],
  ] as const)('to %s: from this box %s; the form is always there', async (readers, shown) => {
    await end();
    await begin(readers);
    const page = await read('/');
    expect(page.includes('ISOLATED')).toBe(shown);
    expect(page.includes('vault')).toBe(shown);
    expect(page).toContain(shown ? 'href="/cut"' : '<form method="post" action="/cut"');
    expect((await ask('/cut', { source: 'bearer', token: TOKEN })).status).toBe(200);
    expect(at('vault')).toBe('tripped');
  });
});

describe('its form', () => {
  test.each([
    ['bearer', ['tripped', 'tripped']],
    ['picky', ['tripped', 'isolated']],
    ['path', ['isolated', 'tripped']],
    ['basic', ['isolated', 'tripped']],
    ['header', ['isolated', 'tripped']],
  ] as const)('cuts for %s what that source trips', async (source, states) => {
    const answer = await ask('/cut', { source, token: TOKEN, reason: 'all is red' });
    expect(answer.status).toBe(200);
    expect([at('vault'), at('attic')]).toEqual(states);
    expect(await answer.text()).toContain('commanded in');
    const { latches } = JSON.parse(Buffer.from(rig.disk.files.get('/state/latch.json') ?? []).toString()) as {
      latches: Record<string, { by: string; reason: string }>;
    };
    const [latch] = Object.values(latches);
    expect(latch).toMatchObject({ by: `source:${source}`, reason: 'cut by hand on the page: all is red' });
    expect(journal()).toContain('trip.received');
    expect(journal()).not.toContain(TOKEN);
  });

  test.each([
    ['a wrong token', { source: 'bearer', token: 'guess-4711' }],
    ['no source', { source: 'nobody', token: 'guess-4711' }],
    ['a name that every object has', { source: '__proto__', token: 'guess-4711' }],
    ['no token', { source: 'bearer' }],
    ['a source that signs', { source: 'signed', token: TOKEN }],
    ['a heartbeat, which trips nothing', { source: 'beat', token: TOKEN }],
  ])('does nothing for %s, says the same to all, and counts it', async (_what, form) => {
    const answer = await ask('/cut', form);
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('not verified');
    expect([at('vault'), at('attic')]).toEqual(['isolated', 'isolated']);
    expect(journal()).toContain('trip.refused');
    expect(journal()).not.toMatch(/guess-4711|correct-horse/);
  });

  test('is not taken from the address, and not without end', async () => {
    expect((await ask(`/cut?source=bearer&token=${TOKEN}`)).status).toBe(200);
    expect(at('vault')).toBe('isolated');
    const long = await ask('/cut', { source: 'bearer', token: TOKEN, reason: 'x'.repeat(9_000) });
    expect(long.status).toBe(401);
    expect(at('vault')).toBe('isolated');
  });
});
