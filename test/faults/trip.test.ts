/** The kill switch at every moment, and under what strangers send: cut, latched, and answered 200 only when both are true. */
import { createConnection, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isAlive, type Child } from './child.ts';
import { ask } from './http.ts';
import { eventually, LINK, missingTools, Scenario, SOURCE } from './rig.ts';
import { resetLink } from './reset.ts';

let scenario: Scenario;
let interlock: Child;
afterEach(() => scenario.end());

/** What every trip must come to, seen from outside. */
async function isCut(mark: number): Promise<void> {
  await scenario.board.standing('isolated');
  await scenario.until(
    'isolation to be proven',
    (link) => link.state === 'tripped' && link.proof === 'witness',
  );
  const last = scenario.board.events.findLastIndex(
    (each) => each.event === 'frame' && each.kind === 'isolate',
  );
  expect(last).toBeGreaterThanOrEqual(mark);
  // Nothing that waited for its turn takes effect after the cut.
  expect(scenario.board.frames('connect', last)).toEqual([]);
  expect(scenario.latchOnDisk()).toMatchObject({ by: `source:${SOURCE}` });
}

describe('a trip', { timeout: 120_000 }, () => {
  beforeEach(async () => {
    scenario = await Scenario.begin({ isolateTimeout: '2s' });
    interlock = await scenario.interlock();
  });

  test('while connected: the latch is on disk when 200 is read, and survives kill -9 at that moment', async () => {
    const lease = await scenario.connected();
    const mark = scenario.board.mark();
    const answer = await scenario.trip();
    const latch = scenario.latchOnDisk();
    interlock.signal('SIGKILL');
    expect(answer).toMatchObject({ status: 200 });
    expect(JSON.parse(answer.text)).toMatchObject({ status: 'tripped', cut: true, links: [{ link: LINK }] });
    expect(latch).toMatchObject({
      by: `source:${SOURCE}`,
      reason: expect.stringContaining('monitoring') as string,
    });
    expect((await scenario.board.move('isolated', mark)).cause).toBe('frame');
    await lease.lost;
    await interlock.exited;
    interlock = await scenario.interlock();
    const link = await scenario.link();
    expect(link).toMatchObject({ state: 'tripped', latch: { by: `source:${SOURCE}` } });
    expect(link?.refusals.map(({ code }) => code)).toContain('tripped');
    await expect(scenario.lease()).rejects.toMatchObject({ refusals: [{ code: 'tripped' }] });
    expect(scenario.board.moves(mark).map(({ position }) => position)).toEqual(['isolated']);
    await scenario.journalVerifies();
  });

  test('while connecting, with the connect on the wire and not answered', async () => {
    // The contact moves, the answer never comes: until the time-out of the reply the wire belongs to the connect.
    scenario.configure({ replyTimeout: '4s' });
    await interlock.kill();
    interlock = await scenario.interlock();
    await scenario.board.fault('mute', { on: 'connect' });
    const mark = scenario.board.mark();
    const asked = scenario.lease();
    await scenario.board.move('connected', mark);
    expect((await scenario.trip()).status).toBe(200);
    await scenario.board.clear();
    expect(await (await asked).lost).toMatchObject({ code: 'tripped' });
    await isCut(mark);
    const [entry] = scenario.journal('link.tripped');
    expect(entry?.data).toMatchObject({ from: 'connecting', to: 'tripped', why: 'tripped' });
    await scenario.journalVerifies();
  });

  test('while connecting, with the connect lost on its way: it does not come back later', async () => {
    await scenario.board.fault('silence', { on: 'connect' });
    const mark = scenario.board.mark();
    const lease = await scenario.lease();
    await eventually('the connect on the wire', () => scenario.board.frames('connect', mark).length > 0);
    expect((await scenario.trip()).status).toBe(200);
    await scenario.board.clear();
    expect(await lease.lost).toMatchObject({ code: 'tripped' });
    await isCut(mark);
    expect(scenario.board.moves(mark)).toEqual([]);
  });

  test('while isolating, with the board silent: latched, cut for ever, reset refused until proven', async () => {
    const lease = await scenario.connected();
    await scenario.board.fault('silence');
    await lease.release();
    await scenario.until('isolation to be under way', (link) => link.state === 'isolating');
    const mark = scenario.board.mark();
    expect((await scenario.trip()).status).toBe(200);
    expect(scenario.latchOnDisk()).toMatchObject({ by: `source:${SOURCE}` });
    const [entry] = scenario.journal('link.tripped');
    expect(entry?.data).toMatchObject({ from: 'isolating', to: 'tripped' });
    await eventually('attempts', () => scenario.board.frames('isolate', mark).length > 3);
    expect(await scenario.link()).toMatchObject({ state: 'tripped', proof: 'none' });
    const refused = await resetLink(scenario, 'too early');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('not proven') as string });
    await scenario.board.clear();
    await isCut(mark);
    expect((await resetLink(scenario, 'proven now')).code).toBe(0);
    expect(scenario.latchOnDisk()).toBeNull();
    await scenario.journalVerifies();
  });

  test('twice at once: both answered 200, one latch, one end of the lease, both in the journal', async () => {
    const lease = await scenario.connected();
    const mark = scenario.board.mark();
    const answers = await Promise.all([
      scenario.trip('{"reason":"one"}'),
      scenario.trip('{"reason":"other"}'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await lease.lost;
    await isCut(mark);
    await eventually('both trips in the journal', () => scenario.journal('trip.received').length === 2);
    const tripped = scenario.journal('link.tripped');
    expect(tripped.map(({ data }) => data['from'] ?? null)).toEqual(['connected', null]);
    // The first cause stays.
    expect(scenario.latchOnDisk()?.reason).toBe(tripped[0]?.data['reason']);
    await scenario.journalVerifies();
  });
});

describe('what strangers send while connected', { timeout: 120_000 }, () => {
  const sockets: Socket[] = [];
  beforeEach(async () => {
    scenario = await Scenario.begin();
    interlock = await scenario.interlock();
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  const dial = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = createConnection(scenario.tripPort, '127.0.0.1', () => resolve(socket));
      socket.on('error', reject);
      sockets.push(socket);
    });

  test('a wrong token is refused and journaled, 2 MB are refused, and neither cuts nor hinders the next good request', async () => {
    await scenario.connected();
    const mark = scenario.board.mark();
    const wrong = await scenario.trip('{"reason":"let me in"}', 'not-the-token');
    expect(wrong.status).toBe(401);
    expect(wrong.text).not.toContain(scenario.token);
    const large = await scenario.trip(JSON.stringify({ reason: 'x'.repeat(2 * 1024 * 1024) })).catch(String);
    // The listener may end the connection before all of it was sent; what was answered must be 413.
    if (typeof large === 'object') expect(large.status).toBe(413);
    const refused = await scenario.entry('trip.refused', (data) => data['status'] === 401);
    expect(refused).toMatchObject({
      actor: `source:${SOURCE}`,
      data: { body: { text: '{"reason":"let me in"}' } },
    });
    await scenario.entry('trip.refused', (data) => data['status'] === 413);
    expect(JSON.stringify(scenario.journal())).not.toContain(scenario.token);
    expect(scenario.board.moves(mark)).toEqual([]);
    expect((await scenario.link())?.state).toBe('connected');
    expect((await scenario.trip()).status).toBe(200);
    await isCut(mark);
    await scenario.journalVerifies();
  });

  test('200 idle connections and 50 that send their headers byte by byte: a good request still cuts', async () => {
    await scenario.connected();
    const mark = scenario.board.mark();
    await Promise.all(Array.from({ length: 250 }, dial));
    const slow = sockets.slice(0, 50);
    const text = `POST /trip/${SOURCE} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\nx-slow: ${'a'.repeat(500)}`;
    let sent = 0;
    const dripping = setInterval(() => {
      for (const socket of slow) if (!socket.destroyed) socket.write(text[sent] ?? 'a');
      sent += 1;
    }, 20);
    try {
      await eventually('some bytes of headers', () => sent > 20);
      expect((await scenario.trip()).status).toBe(200);
      await isCut(mark);
      // The others gave way to it: all that one address may hold are still there.
      expect(sockets.filter((socket) => !socket.destroyed).length).toBeGreaterThanOrEqual(60);
    } finally {
      clearInterval(dripping);
    }
  });

  test('a lease without a build, or of another build, is refused, and the contact does not move', async () => {
    const occurrence = await scenario.openWindow();
    const body = JSON.stringify({ link: LINK, window: 'nightly', occurrence });
    const lease = (headers: Record<string, string>) =>
      ask(
        {
          socketPath: scenario.socket(),
          path: '/v1/leases',
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
        },
        body,
      );
    const mark = scenario.board.mark();
    const without = await lease({});
    expect(without.status).toBe(409);
    expect(JSON.parse(without.text)).toMatchObject({ refusals: [{ code: 'build-missing' }] });
    const other = await lease({ 'x-portcullis-build': '0.0.1+0123456789abcdef' });
    expect(other.status).toBe(409);
    expect(JSON.parse(other.text)).toMatchObject({ refusals: [{ code: 'build-mismatch' }] });
    expect(scenario.board.frames('connect', mark)).toEqual([]);
    // The same request with the right build is granted: it was the build that was refused.
    await scenario.client().askLease({ link: LINK, window: 'nightly', occurrence });
    await scenario.board.move('connected', mark);
  });
});

describe.skipIf(missingTools() !== null)('a trip while restic works', { timeout: 120_000 }, () => {
  test('cuts, kills restic at once, marks the repository, and the report names the trip', async () => {
    scenario = await Scenario.begin({ vault: true, limitUpload: 600 });
    scenario.fill(12, 1_000_000);
    await scenario.interlock();
    await scenario.controller();
    const occurrence = await scenario.openWindow();
    const restic = await scenario.untilWriting();
    const mark = scenario.board.mark();
    expect((await scenario.trip()).status).toBe(200);
    await eventually('restic to die', () => !isAlive(restic));
    await scenario.workersGone();
    await isCut(mark);
    const report = await scenario.report(occurrence);
    expect(report).toMatchObject({
      outcome: 'cut-short',
      isolation_proven: true,
      trip: { by: `source:${SOURCE}` },
    });
    await scenario.entry('controller.window-finished', (data) => data['outcome'] === 'cut-short');
    expect(scenario.ledgerMark()).toMatchObject({ kind: 'cut' });
    await scenario.journalVerifies();
  });
});
