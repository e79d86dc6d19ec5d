/** What the disk does to latch and journal: cutting always works, connecting only with both. */
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Room } from './room.ts';
import { codesOf, eventually, Scenario, SOURCE } from './rig.ts';
import { resetLink } from './reset.ts';

let scenario: Scenario;
afterEach(() => scenario.end());

describe('a state directory that is full', { timeout: 120_000 }, () => {
  test('while connected: the link is cut at a trip; a latch that cannot be written is a missing one, and that is tripped', async ({
    skip,
  }) => {
    scenario = await Scenario.begin();
    const room = scenario.lodge((path) => Room.small(path));
    if (room === null) return skip();
    const interlock = await scenario.interlock();
    const lease = await scenario.connected();
    const mark = scenario.board.mark();
    const makeRoom = room.fill();
    const answer = await scenario.trip();
    await scenario.board.move('isolated', mark);
    await lease.lost;
    // 200 is a promise about power loss; here it is kept by removing the file, which needs no space.
    const kept = scenario.latchOnDisk();
    expect(answer.status).toBe(200);
    expect(kept === undefined || kept?.by === `source:${SOURCE}`).toBe(true);
    await interlock.kill();
    makeRoom();
    await scenario.interlock();
    const link = await scenario.link();
    expect(link?.state).toBe('tripped');
    await expect(scenario.lease()).rejects.toMatchObject({ refusals: [{ code: 'tripped' }] });
    await scenario.journalVerifies();
  });

  test('while isolated: nothing is connected, the journal is the reason; with room again everything recovers and says so', async ({
    skip,
  }) => {
    // What was granted before the disk was known to be full ends with this time-out.
    scenario = await Scenario.begin({ connectTimeout: '2s' });
    const room = scenario.lodge((path) => Room.small(path));
    if (room === null) return skip();
    await scenario.interlock();
    await scenario.openWindow();
    await scenario.entry('window.opened');
    const mark = scenario.board.mark();
    const makeRoom = room.fill();
    // The first request finds out: whatever it is told, the contact does not move. The next ones are refused.
    await scenario
      .askLease()
      .then((lease) => lease.lost)
      .catch(() => undefined);
    const refused = await eventually('a refusal', async () => {
      const error = await scenario.askLease().then(
        () => null,
        (reason: unknown) => reason,
      );
      return codesOf(error).includes('journal-unwritable') ? error : null;
    });
    expect(refused).toMatchObject({ code: 'INTERLOCK_REFUSED' });
    expect(scenario.board.frames('connect', mark)).toEqual([]);
    expect(scenario.board.moves(mark)).toEqual([]);
    expect((await scenario.command('status')).stdout).toContain(
      'journal: CANNOT BE WRITTEN; nothing is connected',
    );

    makeRoom();
    const lease = await eventually('a lease after there is room again', () =>
      scenario.askLease().catch(() => null),
    );
    await lease.connected;
    await scenario.board.standing('connected');
    await scenario.entry('journal.write-failed');
    await scenario.entry('journal.resumed');
    await lease.release();
    await scenario.board.standing('isolated');
    await scenario.journalVerifies();
  });
});

describe('a state directory that is read-only', { timeout: 120_000 }, () => {
  test('turned so while connected: cut, 200 is not claimed; repaired, and sent again, it is', async ({
    skip,
  }) => {
    scenario = await Scenario.begin();
    const room = scenario.lodge((path) => Room.breakable(path));
    if (room === null) return skip();
    const interlock = await scenario.interlock();
    await scenario.connected();
    const mark = scenario.board.mark();
    room.break();
    const answer = await scenario.trip();
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text)).toMatchObject({
      cut: true,
      error: 'cut, but the latch could not be saved',
    });
    expect((await scenario.board.move('isolated', mark)).cause).toBe('frame');
    await scenario.until(
      'isolation to be proven',
      (link) => link.state === 'tripped' && link.proof === 'witness',
    );
    const refused = await scenario.askLease().catch((error: unknown) => error);
    expect(codesOf(refused)).toEqual(expect.arrayContaining(['tripped', 'journal-unwritable']));
    const reset = await resetLink(scenario, 'a try');
    expect(reset).toMatchObject({ code: 1, stderr: expect.stringContaining('journal') as string });
    // Still not claimed: nothing has become better.
    expect((await scenario.trip()).status).toBe(503);
    expect(scenario.board.frames('connect', mark)).toEqual([]);

    await interlock.kill();
    room.repair();
    await scenario.interlock();
    expect((await scenario.trip()).status).toBe(200);
    expect(scenario.latchOnDisk()).toMatchObject({ by: `source:${SOURCE}` });
    await scenario.journalVerifies();
  });

  test('from the start: isolated, cut works, nothing connects; writable again it recovers by itself', async ({
    skip,
  }) => {
    scenario = await Scenario.begin();
    const room = scenario.lodge((path) => Room.small(path));
    if (room === null) return skip();
    await scenario.killed(await scenario.interlock());
    room.remount('ro');
    await scenario.interlock();
    expect(await scenario.link()).toMatchObject({ state: 'isolated' });
    const notBegun = await scenario.openWindow().catch((error: unknown) => error);
    expect(codesOf(notBegun)).toContain('journal-unwritable');
    const refused = await scenario.askLease().catch((error: unknown) => error);
    expect(codesOf(refused)).toContain('journal-unwritable');
    const mark = scenario.board.mark();
    expect((await scenario.trip()).status).toBe(503);
    await eventually('the isolate', () => scenario.board.frames('isolate', mark).length > 0);
    expect(scenario.board.frames('connect')).toEqual([]);

    room.remount('rw');
    await scenario.entry('journal.resumed');
    expect((await scenario.trip()).status).toBe(200);
    await scenario.until('isolation to be proven', (link) => link.proof === 'witness');
    expect((await resetLink(scenario, 'the disk is writable again')).code).toBe(0);
    await scenario.openWindow();
    const lease = await scenario.askLease();
    await lease.connected;
    await scenario.journalVerifies();
  });
});

describe('a disk that hangs', { timeout: 120_000 }, () => {
  test('while a connect waits for its record: the cut waits for nothing, 200 waits for the latch, the connect is void', async ({
    skip,
  }) => {
    scenario = await Scenario.begin();
    const room = scenario.lodge((path) => Room.breakable(path));
    if (room === null) return skip();
    await scenario.interlock();
    await scenario.openWindow();
    await scenario.entry('window.opened');
    const mark = scenario.board.mark();
    room.freeze();
    const asked = scenario.askLease();
    await scenario.until('the lease to be granted', (link) => link.state === 'connecting');
    const cutAt = scenario.board.mark();
    let isAnswered = false;
    const tripped = scenario.trip().finally(() => {
      isAnswered = true;
    });
    await eventually('the isolate', () => scenario.board.frames('isolate', cutAt).length > 0);
    expect(isAnswered).toBe(false);
    expect(scenario.latchOnDisk()).toBeNull();
    room.thaw();
    expect((await tripped).status).toBe(200);
    expect(scenario.latchOnDisk()).toMatchObject({ by: `source:${SOURCE}` });
    const end = await asked.then(
      (lease) => lease.lost,
      () => null,
    );
    expect(end?.code ?? 'tripped').toBe('tripped');
    await scenario.until(
      'isolation to be proven',
      (link) => link.state === 'tripped' && link.proof === 'witness',
    );
    expect(scenario.board.frames('connect', mark)).toEqual([]);
    expect(scenario.board.moves(mark)).toEqual([]);
    await scenario.journalVerifies();
  });
});

describe('what an earlier life left behind', { timeout: 120_000 }, () => {
  const latch = (): string => join(scenario.state, 'latch.json');
  const clear = (text: string): string =>
    text.replace(/"latches":\{.*\}/, '"latches":{"other":{"by":"x","reason":"","at":""}}');

  test.each([
    {
      what: 'garbage',
      spoil: () => writeFileSync(latch(), '\u0000\u0001 not a latch'),
      by: 'latch-unreadable',
    },
    { what: 'empty', spoil: () => writeFileSync(latch(), ''), by: 'latch-unreadable' },
    {
      what: 'edited to clear it',
      spoil: () => writeFileSync(latch(), clear(readFileSync(latch(), 'utf8'))),
      by: 'latch-unreadable',
    },
    { what: 'gone', spoil: () => rmSync(latch()), by: 'latch-missing' },
  ])(
    'a latch file that is $what beside a journal: starts tripped, and only a reset lifts it',
    async ({ spoil, by }) => {
      scenario = await Scenario.begin();
      await scenario.killed(await scenario.interlock());
      spoil();
      const second = await scenario.interlock();
      expect(await scenario.link()).toMatchObject({ state: 'tripped', latch: { by: `fault:${by}` } });
      await expect(scenario.lease()).rejects.toMatchObject({ refusals: [{ code: 'tripped' }] });
      expect(scenario.board.frames('connect')).toEqual([]);
      expect((await resetLink(scenario, 'looked at the disk')).code).toBe(0);
      await scenario.killed(second);
      await scenario.interlock();
      expect(await scenario.link()).toMatchObject({ state: 'isolated', latch: null });
      await scenario.connected();
      await eventually('three starts', () => scenario.journal('interlock.started').length === 3);
      const starts = scenario.journal('interlock.started').map(({ data }) => data['latch']);
      const spoilt = expect.stringContaining('latch file') as string;
      expect(starts).toEqual(['first start', spoilt, 'read']);
      await scenario.journalVerifies();
    },
  );

  test('a latch file that is garbage does not heal by restarting', async () => {
    scenario = await Scenario.begin();
    await scenario.killed(await scenario.interlock());
    writeFileSync(latch(), 'garbage');
    await scenario.killed(await scenario.interlock());
    await scenario.interlock();
    expect(await scenario.link()).toMatchObject({
      state: 'tripped',
      latch: { by: 'fault:latch-unreadable' },
    });
  });

  test('a torn tail of the journal: repaired, recorded, kept aside, and the box works on', async () => {
    scenario = await Scenario.begin();
    await scenario.killed(await scenario.interlock());
    const directory = join(scenario.state, 'journal');
    const torn = '{"actor":"interlock","at":"2026-11-21T03:00:00.0';
    appendFileSync(join(directory, 'journal-000001.jsonl'), torn);
    await scenario.interlock();
    const repaired = await scenario.entry('journal.repaired');
    expect(repaired.data).toMatchObject({ file: 'journal-000001.jsonl', dropped_bytes: torn.length });
    const saved = repaired.data['saved_as'] as string;
    expect(readdirSync(directory)).toContain(saved);
    expect(readFileSync(join(directory, saved), 'utf8')).toBe(torn);
    await scenario.journalVerifies();
    await scenario.connected();
  });

  test('a journal that was edited: isolated, never connected, cutting works, and `verify` names the place', async () => {
    scenario = await Scenario.begin();
    const first = await scenario.interlock();
    // Something after it: an edit of the newest entry shows only in a head kept elsewhere.
    await scenario.entry('interlock.started');
    await scenario.openWindow();
    await scenario.entry('window.opened');
    await scenario.killed(first);
    const file = join(scenario.state, 'journal', 'journal-000001.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('first start', 'First start'));
    await scenario.interlock();
    const refused = await scenario.lease().catch((error: unknown) => error);
    expect(codesOf(refused)).toContain('journal-unwritable');
    expect(scenario.board.frames('connect')).toEqual([]);
    const mark = scenario.board.mark();
    expect((await scenario.trip()).status).toBe(200);
    await eventually('the isolate', () => scenario.board.frames('isolate', mark).length > 0);
    const verified = await scenario.command('journal', 'verify');
    expect(verified.code).toBe(1);
    expect(verified.stdout).toMatch(/NOT VERIFIED[\s\S]*journal-000001\.jsonl line \d+/);
  });
});
