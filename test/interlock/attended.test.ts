/** Attended sessions and windows by hand, as somebody asks for them over the sockets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Approvers } from '../../src/interlock/rights/approvers.ts';
import type { LinkAtWork } from '../../src/interlock/link-at-work.ts';
import { createSocketServer } from '../../src/interlock/socket/socket-server.ts';
import { statusOf } from '../../src/interlock/socket/status.ts';
import { base32, codeOf, stepAt } from '../../src/interlock/rights/totp.ts';
import { status as statusShape, type LeaseLine } from '../../src/protocol/messages.ts';
import { causeNow } from '../button/cause.ts';
import { type Box, box, HandClock, HandDisk } from './review-box.ts';

const MINUTE_MS = 60_000;
const PEOPLE = ['alice', 'bob'] as const;
const secretOf = (name: string): Uint8Array =>
  new TextEncoder().encode(`${name} and twenty bytes`.slice(0, 20));

let directory: string;
let clock: HandClock;
let rig: Box<HandClock>;
let plain: FastifyInstance;
let atTheBox: FastifyInstance;
let synchronised: boolean;

beforeEach(() => begin());
afterEach(async () => {
  const stopped = rig.interlock.stop();
  await clock.pass(20_000);
  await stopped;
  rmSync(directory, { recursive: true });
});

async function begin(byHand: 'presence' | 'approved' | 'never' = 'presence'): Promise<void> {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-attended-'));
  for (const name of PEOPLE)
    writeFileSync(join(directory, name), `${base32(secretOf(name))}\n`, { mode: 0o600 });
  clock = new HandClock();
  synchronised = true;
  const files = new Map(PEOPLE.map((name) => [name, join(directory, name)]));
  const approvers = new Approvers(new HandDisk(), '/state', files, clock);
  const trust = () => ({ synchronised, quality: 'assumed' as const, detail: 'not synchronised' });
  rig = await box(clock, { byHand, beside: { approvers, trust } });
  plain = createSocketServer(rig.interlock, false);
  atTheBox = createSocketServer(rig.interlock, true);
  rig.interlock.start();
  await clock.pass(3_000);
}

const vault = (): LinkAtWork => rig.interlock.links.get('vault') as LinkAtWork;
const at = (): string => vault().shell.state.at;
const codes = (off = 0) =>
  PEOPLE.map((name) => ({ name, code: codeOf(secretOf(name), stepAt(clock.calendarMs()) + off) }));

interface Answer {
  readonly status: number;
  /** Of refusals. */
  readonly codes: readonly string[];
  readonly body: Record<string, unknown>;
}

async function post(app: FastifyInstance, url: string, payload: object): Promise<Answer> {
  const asked = app.inject({ method: 'POST', url, payload });
  // Files are read for codes: no time passes meanwhile, but the event loop must turn.
  const answer = await asked;
  const body = answer.json() as Record<string, unknown>;
  const refusals = (body['refusals'] ?? []) as { code: string }[];
  return { status: answer.statusCode, codes: refusals.map(({ code }) => code), body };
}

const WISH = { link: 'vault', by: 'root', reason: 'restore of the ledger', for_ms: 30 * MINUTE_MS };
const session = (app: FastifyInstance, more: object = {}): Promise<Answer> =>
  post(app, '/v1/sessions', { ...WISH, ...more });

/** A session that is begun, and its lease, taken. */
async function attended(app: FastifyInstance = atTheBox, more: object = {}) {
  const answer = await session(app, more);
  expect(answer.codes).toEqual([]);
  const id = String(answer.body['session']);
  const held = await take(id);
  await clock.pass(2_000);
  return { id, ...held };
}

async function take(id: string) {
  const lines: LeaseLine[] = [];
  const holder = { tell: (line: LeaseLine) => void lines.push(line) };
  const asked = rig.interlock.askLease({ link: 'vault', session: id }, holder);
  await clock.pass(0);
  const answer = await asked;
  const lease = 'id' in answer ? answer.id : null;
  const refused = 'refusals' in answer ? answer.refusals.map(({ code }) => code) : [];
  return { lines, holder, lease, refused };
}

/** Lets time pass while the holder renews. */
async function renewFor(lease: string | null, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await rig.interlock.renewLease(lease ?? '');
    await clock.pass(1_000);
  }
}

const ended = (): unknown[] =>
  rig.journal.entries.flatMap(({ type, data }) => (type === 'session.ended' ? [data['why']] : []));

describe('a session at the box', () => {
  test('connects outside of windows, is shown, and is over at its end to the ms', async () => {
    const { lease, lines, id } = await attended();
    expect(at()).toBe('connected');
    expect(statusShape.parse(statusOf(rig.interlock)).links[0]).toMatchObject({
      session: { session: id, by: 'person:root', authority: 'box', take_within_ms: null },
      lease: { id: lease, holder: 'attended' },
    });
    const before = vault().attended.session?.endsAt ?? 0;
    await renewFor(lease, 29 * MINUTE_MS);
    expect(vault().attended.session?.endsAt).toBe(before);
    expect(at()).toBe('connected');
    // To the last renewal before the end.
    while (clock.now() + 1_000 < before) await renewFor(lease, 1_000);
    await clock.pass(before - clock.now() - 1);
    expect(at()).toBe('connected');
    await clock.pass(1);
    expect(at()).toBe('proving');
    await clock.pass(5_000);
    expect(at()).toBe('isolated');
    expect(lines.at(-1)).toEqual({ event: 'over', why: 'lease-ended' });
    expect(ended()).toEqual(['time-over']);
    expect((await take(id)).refused).toEqual(['session-over']);
  });

  test('is ended by a trip for good, also before its lease was taken', async () => {
    const { id, lines } = await attended();
    await post(plain, '/v1/trip', { links: ['vault'], by: 'x', reason: 'y' });
    expect(lines.at(-1)).toEqual({ event: 'over', why: 'tripped' });
    expect(ended()).toEqual(['tripped']);
    await clock.pass(3_000);
    const reset = { link: 'vault', by: 'root', reason: 'r', cause: causeNow(vault()) };
    expect((await post(atTheBox, '/v1/reset', reset)).codes).toEqual([]);
    expect((await take(id)).refused).toEqual(['session-over']);
    const next = await session(atTheBox);
    await post(plain, '/v1/trip', { links: ['vault'], by: 'x', reason: 'y' });
    await clock.pass(0);
    expect(ended()).toEqual(['tripped', 'tripped']);
    expect((await take(String(next.body['session']))).lease).toBeNull();
  });

  test('is ended by anybody, which isolates', async () => {
    const { id } = await attended();
    const gone = plain.inject({ method: 'DELETE', url: `/v1/sessions/${id}` });
    await clock.pass(5_000);
    expect((await gone).statusCode).toBe(200);
    expect(at()).toBe('isolated');
    expect(ended()).toEqual(['ended']);
    const again = await plain.inject({ method: 'DELETE', url: '/v1/sessions/none' });
    expect(again.statusCode).toBe(200);
  });

  test.each([
    ['is gone', 'holder-gone', async (holder: object) => rig.interlock.holderGone(holder as never)],
    ['falls silent', 'holder-gone', async () => clock.pass(3_500)],
  ] as const)('is over when its holder %s', async (_what, why, happens) => {
    const { holder, id } = await attended();
    await happens(holder);
    await clock.pass(3_000);
    expect(at()).toBe('isolated');
    expect(ended()).toEqual([why]);
    expect((await take(id)).refused).toEqual(['session-over']);
  });

  test('is over when nobody takes its lease', async () => {
    expect((await session(atTheBox)).status).toBe(200);
    expect((await session(atTheBox)).codes).toEqual(['session-open']);
    await clock.pass(59_000);
    expect(vault().attended.session).not.toBeNull();
    await clock.pass(1_500);
    expect(ended()).toEqual(['not-held']);
  });

  test('goes on after a permissive failed for a moment, and only then', async () => {
    const { id } = await attended();
    rig.journal.why = 'ENOSPC';
    await clock.pass(3_000);
    expect(at()).toBe('isolated');
    expect((await take(id)).refused).toContain('journal-unwritable');
    rig.journal.why = null;
    await clock.pass(3_000);
    const again = await take(id);
    expect(again.lease).not.toBeNull();
    await clock.pass(2_000);
    expect(at()).toBe('connected');
  });

  test('is held at the box: elsewhere neither its lease is granted nor renewed', async () => {
    const { id, lease } = await attended();
    const elsewhere = await plain.inject({
      method: 'POST',
      url: '/v1/leases',
      headers: { 'x-portcullis-build': 'build' },
      payload: { link: 'vault', session: id },
    });
    expect(elsewhere.body).toContain('session-at-the-box');
    expect((await post(plain, `/v1/leases/${lease ?? ''}/renewal`, {})).codes).toEqual(['lease-over']);
    expect((await post(atTheBox, `/v1/leases/${lease ?? ''}/renewal`, {})).status).toBe(200);
  });

  test('is refused what a lease would be, and longer than is configured', async () => {
    expect((await session(atTheBox, { for_ms: 60 * MINUTE_MS + 1 })).codes).toEqual(['session-too-long']);
    expect((await session(atTheBox, { link: 'attic' })).status).toBe(404);
    await post(plain, '/v1/trip', { links: ['vault'], by: 'x', reason: 'y' });
    expect((await session(atTheBox)).codes).toEqual(['tripped']);
    expect(vault().attended.session).toBeNull();
    expect(rig.journal.types()).toContain('session.refused');
  });

  test('with the cause of the latch resets the link first', async () => {
    await post(plain, '/v1/trip', { links: ['vault'], by: 'x', reason: 'y' });
    expect((await session(atTheBox, { cause: 'wrong' })).codes).toContain('cause-unacknowledged');
    await clock.pass(3_000);
    await attended(atTheBox, { cause: causeNow(vault()) });
    expect(at()).toBe('connected');
    expect(rig.journal.types()).toEqual(expect.arrayContaining(['link.reset', 'session.began']));
  });

  test('does not need the clock, for whoever is there reads another', async () => {
    synchronised = false;
    await attended();
    expect(at()).toBe('connected');
  });
});

describe('a session from afar', () => {
  test('needs two people', async () => {
    expect((await session(plain)).codes).toEqual(['presence-missing']);
    expect((await session(plain, { approvals: codes().slice(0, 1) })).codes).toEqual(['approvals-missing']);
    expect(vault().attended.session).toBeNull();
    const needs = statusOf(rig.interlock).links[0]?.session_needs.map(({ code }) => code);
    expect(needs).toEqual(['presence-missing']);
    expect(statusOf(rig.interlock).approvers).toEqual([...PEOPLE]);
  });

  test('is begun by the codes of two, which count once', async () => {
    const approvals = codes();
    await attended(plain, { approvals });
    expect(at()).toBe('connected');
    expect(statusOf(rig.interlock).links[0]?.session).toMatchObject({
      authority: 'approvers',
      approvers: [...PEOPLE],
    });
    const { id = '' } = vault().attended.session ?? {};
    await plain.inject({ method: 'DELETE', url: `/v1/sessions/${id}` });
    await clock.pass(5_000);
    expect((await session(plain, { approvals })).codes).toEqual(['code-used', 'code-used']);
    expect(at()).toBe('isolated');
  });

  test('uses up no code for what would be refused all the same', async () => {
    const approvals = codes();
    await post(plain, '/v1/trip', { links: ['vault'], by: 'x', reason: 'y' });
    expect((await session(plain, { approvals })).codes).toEqual(['tripped']);
    await clock.pass(3_000);
    await attended(plain, { approvals, cause: causeNow(vault()) });
    expect(at()).toBe('connected');
  });

  test('does not count on a clock that nobody vouches for', async () => {
    synchronised = false;
    expect((await session(plain, { approvals: codes() })).codes).toEqual(['clock-unsynchronised']);
    synchronised = true;
    const { lease } = await attended(plain, { approvals: codes() });
    synchronised = false;
    await rig.interlock.renewLease(lease ?? '');
    await clock.pass(1_000);
    expect(at()).not.toBe('connected');
  });
});

describe('a window by hand', () => {
  const run = (app: FastifyInstance, more: object = {}): Promise<Answer> =>
    post(app, '/v1/windows/w-vault/run', { by: 'root', reason: 'r', ...more });
  const needs = (): readonly string[] | undefined =>
    statusOf(rig.interlock).windows[0]?.run_needs.map(({ code }) => code);

  test.each([
    ['presence', ['presence-missing'], ['by-hand-presence'], []],
    ['approved', ['presence-missing'], [], ['code-used', 'code-used']],
    ['never', ['by-hand-never'], ['by-hand-never'], ['by-hand-never']],
  ] as const)('%s', async (byHand, alone, together, atBoxOrAgain) => {
    const stopped = rig.interlock.stop();
    await clock.pass(20_000);
    await stopped;
    rmSync(directory, { recursive: true });
    await begin(byHand);
    const nobody = await run(plain);
    expect(nobody.codes).toContain(alone[0]);
    expect(needs()).toEqual(alone);
    const approvals = codes();
    expect((await run(plain, { approvals })).codes).toEqual(together);
    if (byHand !== 'approved') {
      expect((await run(atTheBox)).codes).toEqual(atBoxOrAgain);
      expect(rig.interlock.parts.windows.calendar.open).toHaveLength(byHand === 'never' ? 0 : 1);
      return;
    }
    expect(needs()).toContain('window-open');
    const [opening] = rig.interlock.parts.windows.calendar.open;
    expect(opening?.right).toBe('approvers');
    rig.interlock.parts.windows.calendar = { ...rig.interlock.parts.windows.calendar, open: [] };
    expect((await run(plain, { approvals })).codes).toEqual(atBoxOrAgain);
  });
});
