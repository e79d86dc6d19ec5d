/** Commissioning with real processes on an emulated board: what it opens, what it refuses, and what ends it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { recordPath } from '../../src/interlock/commissioning/book.ts';
import type { CommissioningAnswer, CommissioningLine } from '../../src/protocol/commissioning.ts';
import { holdCommissioning } from '../../src/protocol/commissioning.ts';
import { build } from '../faults/build.ts';
import type { Child } from '../faults/child.ts';
import { codesOf, eventually, LINK, Scenario } from '../faults/rig.ts';

let scenario: Scenario;
afterEach(() => scenario.end());

const refusalsNow = async (): Promise<readonly string[]> =>
  (await scenario.link())?.refusals.map(({ code }) => code) ?? [];

const commission = (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  scenario.command('commission', LINK, ...args);

/** The command at work, at the first of its cycles: the link comes and goes. */
async function cycling(): Promise<Child> {
  const child = scenario.run('commission', ['commission', LINK, '--yes', '--config', scenario.config]);
  await eventually(
    () => `a cycle; ${child.words()}`,
    () => child.stdout.includes('cycle 1 of'),
  );
  return child;
}

/** Nothing connects any more, and what was kept of the link is what was kept before. */
async function endedIsolated(mark: number, why: string): Promise<void> {
  await scenario.board.standing('isolated');
  await scenario.until(
    'isolation to be proven',
    (link) => link.state === 'isolated' || link.state === 'tripped',
  );
  const connects = scenario.board.frames('connect', mark).length;
  expect((await scenario.entry('commissioning.ended')).data['why']).toBe(why);
  expect(scenario.board.frames('connect', mark)).toHaveLength(connects);
  expect(scenario.journal('commissioning.passed')).toEqual([]);
  await scenario.journalVerifies();
}

describe('a link that was never commissioned', { timeout: 120_000 }, () => {
  test('opens no window, is commissioned, and then does; a restart remembers; a change is named', async () => {
    scenario = await Scenario.begin({ commissioned: false, hardwareLease: '2s' });
    const first = await scenario.interlock();
    await expect(scenario.lease()).rejects.toMatchObject({
      refusals: [
        { code: 'not-commissioned', hint: expect.stringContaining(`portcullis commission ${LINK}`) },
      ],
    });
    expect((await scenario.command('status')).stdout).toContain('commissioning: NEVER');

    const { code, stdout, stderr } = await commission('--yes');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('not tried (simulated)');
    expect(stdout).toContain('PASSED on EMULATED boards, and recorded as simulated');
    const connects = scenario.board.moves().filter(({ position }) => position === 'connected');
    expect(connects.length).toBeGreaterThanOrEqual(13);
    expect(scenario.board.stands()).toBe('isolated');
    expect(scenario.board.moves().some(({ cause }) => cause === 'lease-ran-out')).toBe(true);

    const link = await scenario.link();
    expect(link?.commissioning).toMatchObject({ state: 'passed', grade: 'simulated' });
    expect(link?.proofs).toMatchObject([{ outcome: 'passed', basis: 'witness', by: 'commissioning' }]);
    const kept = JSON.parse(readFileSync(recordPath(scenario.state, LINK), 'utf8')) as {
      record: { contacts: { without_power: string; hardware_lease: object; connect: object }[] };
    };
    expect(kept.record.contacts[0]).toMatchObject({
      without_power: 'not-tried',
      hardware_lease: { renewal: 'proven', isolate_cancels: 'proven' },
      connect: { written: { count: 10 }, read_back: { count: 10 }, witness: { count: 10 } },
    });
    await scenario.entry('commissioning.passed', (data) =>
      stdout.includes(JSON.stringify(data['record']).slice(1, -1)),
    );
    await (await scenario.askLease()).release();

    await scenario.killed(first);
    const second = await scenario.interlock();
    expect(await refusalsNow()).not.toContain('commissioning-outdated');
    await scenario.killed(second);
    scenario.configure({ isolateTimeout: '900ms' });
    await scenario.interlock();
    await expect(scenario.lease()).rejects.toMatchObject({
      refusals: [{ code: 'commissioning-outdated', why: expect.stringContaining('timings was changed') }],
    });
    await scenario.journalVerifies();
  });

  test('whose contact does not make fails, says why, and stays refused', async () => {
    scenario = await Scenario.begin({ commissioned: false, connectTimeout: '1s' });
    await scenario.interlock();
    await scenario.board.fault('stuck-isolated:1');
    const { code, stdout, stderr } = await commission('--yes');
    expect(code).toBe(1);
    expect(stdout).toContain('FAILED (never-connected)');
    expect(stderr).toContain('not commissioned');
    expect(await refusalsNow()).toContain('commissioning-failed');
    const again = await scenario.command('commission', LINK, '--yes', '--json');
    const lines = again.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as CommissioningLine);
    expect(lines.at(-1)).toMatchObject({ event: 'over', verdict: 'failed' });
  });

  test('a record that somebody wrote is not believed', async () => {
    scenario = await Scenario.begin();
    await scenario.killed(await scenario.interlock());
    const path = recordPath(scenario.state, LINK);
    writeFileSync(path, readFileSync(path, 'utf8').replace('person:test', 'person:eve'));
    await scenario.interlock();
    await expect(scenario.lease()).rejects.toMatchObject({
      refusals: [{ code: 'commissioning-wrong-signature' }],
    });
  });
});

describe('what ends a commissioning isolates the link', { timeout: 120_000 }, () => {
  test.each(['SIGKILL', 'SIGINT'] as const)('the command ends by %s', async (signal) => {
    // Long enough that only the closed stream can be what ended it, on any machine.
    scenario = await Scenario.begin({ commissioned: false, leaseTimeout: '10s' });
    await scenario.interlock();
    const mark = scenario.board.mark();
    const child = await cycling();
    child.signal(signal);
    expect((await child.exited).code).toBe(signal === 'SIGINT' ? 1 : null);
    await endedIsolated(mark, 'holder-gone');
    expect(await refusalsNow()).toContain('not-commissioned');
  });

  test('the command hangs', async () => {
    scenario = await Scenario.begin({ commissioned: false });
    await scenario.interlock();
    const mark = scenario.board.mark();
    const child = await cycling();
    child.signal('SIGSTOP');
    await endedIsolated(mark, 'lease-lapsed');
    child.signal('SIGCONT');
    expect((await child.exited).code).toBe(1);
  });

  test('a trip', async () => {
    scenario = await Scenario.begin({ commissioned: false, leaseTimeout: '10s' });
    await scenario.interlock();
    const mark = scenario.board.mark();
    const child = await cycling();
    expect((await scenario.trip()).status).toBe(200);
    expect((await child.exited).code).toBe(1);
    expect(child.stdout).toContain('ended from outside (tripped)');
    await endedIsolated(mark, 'tripped');
    const { code, stderr } = await commission('--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('tripped');
  });
});

describe('a real board', { timeout: 120_000 }, () => {
  const real = async (): Promise<void> => {
    scenario = await Scenario.begin({ commissioned: false, isolateTimeout: '2s' });
    const text = readFileSync(scenario.config, 'utf8');
    writeFileSync(scenario.config, text.replace('simulated: true', 'simulated: false'));
    await scenario.interlock();
  };

  test('is not commissioned with --yes', async () => {
    await real();
    const mark = scenario.board.mark();
    const { code, stderr } = await commission('--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('bus board leads to a real board');
    expect(stderr).toContain('without --yes');
    expect(scenario.board.frames('connect', mark)).toEqual([]);
  });

  test('is asked for by hand, and whoever has no presence is not served', async () => {
    await real();
    const request = { link: LINK, by: 'ann', uid: 0, unattended: false };
    const options = { socketPath: scenario.socket(true), build: build().id };
    await expect(
      holdCommissioning({ ...options, socketPath: scenario.socket(false) }, request).catch((error: unknown) =>
        codesOf(error),
      ),
    ).resolves.toEqual(['no-such-address']);
    const held = await holdCommissioning(options, request);
    const asked: string[] = [];
    let over: CommissioningLine | null = null;
    for await (const line of held.lines) {
      if (line.event === 'over') over = line;
      if (line.event !== 'question') continue;
      asked.push(line.kind);
      const answers: Record<string, CommissioningAnswer> = { 'is-it-dark': 'yes' };
      // The board loses its power for a while, and comes back by itself.
      if (line.kind === 'pull-supply') await scenario.board.fault('reboot:6000');
      await held.answer(line.question, answers[line.kind] ?? 'done');
    }
    expect(over).toMatchObject({ verdict: 'passed' });
    // The mirror contact is read through the board that has no power: somebody has to look.
    expect(asked).toEqual(['pull-supply', 'is-it-dark', 'restore-supply']);
    expect((await scenario.link())?.commissioning).toMatchObject({ state: 'passed', grade: 'field' });
  });
});
