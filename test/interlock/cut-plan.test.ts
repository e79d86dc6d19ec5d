/** The plan that the interlock leaves for the first frames after its death. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkText } from '../../src/config/load.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { cutByPlan, leaveCutPlan } from '../../src/interlock/last-resort/cut-plan.ts';
import { machine } from '../config/machine.ts';
import { eventually } from '../faults/child.ts';
import { Scenario } from '../faults/rig.ts';

const { profiles } = await loadProfiles();
const MAIN = join(import.meta.dirname, '../../src/main.ts');
const PROFILE = 'waveshare/modbus-rtu-relay-8ch-d';
let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-plan-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function leave(port: number): Promise<string> {
  const text = `
buses:
  board: { transport: modbus-tcp, host: 127.0.0.1, port: ${port}, simulated: true }
links:
  vault:
    contacts: [{ name: relay, profile: ${PROFILE}, bus: board, unit: 1, channel: 1 }]
`;
  const loaded = await checkText(text, profiles, machine);
  if (loaded.kind !== 'valid') throw new Error(JSON.stringify(loaded));
  await leaveCutPlan(directory, loaded.config, profiles);
  return readFileSync(join(directory, 'cut-plan.json'), 'utf8');
}

describe('the cut plan', () => {
  test('cuts what the interlock drove, and is nobody else’s to read', { timeout: 60_000 }, async () => {
    const scenario = await Scenario.begin();
    try {
      const plan = await leave(scenario.board.port);
      expect(Object.keys((JSON.parse(plan) as { profiles: object }).profiles)).toEqual([PROFILE]);
      expect(statSync(join(directory, 'cut-plan.json')).mode & 0o077).toBe(0);
      expect(await cutByPlan(directory)).toBe(true);
      // The board is a process of its own, and tells of the frame in its time.
      await eventually('the frame', () => scenario.board.frames('isolate').length > 0);
      expect(scenario.board.frames('connect')).toEqual([]);
    } finally {
      await scenario.end();
    }
  });

  test('cuts when an interlock starts, before its configuration is read', { timeout: 120_000 }, async () => {
    const scenario = await Scenario.begin();
    try {
      await leave(scenario.board.port);
      const file = join(directory, 'portcullis.yaml');
      writeFileSync(file, 'links: [');
      const started = spawnSync(process.execPath, [MAIN, 'interlock', '--config', file], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], STATE_DIRECTORY: directory },
      });
      expect(started.status, started.stderr).toBe(1);
      await eventually('the frame', () => scenario.board.frames('isolate').length > 0);
      expect(scenario.board.frames('connect')).toEqual([]);
    } finally {
      await scenario.end();
    }
  });

  test('that is missing, torn or of another shape is no plan, and no error', async () => {
    expect(await cutByPlan(directory)).toBe(false);
    const whole = await leave(1);
    for (const text of [whole.slice(0, -20), '', '{}', '[]', 'null']) {
      writeFileSync(join(directory, 'cut-plan.json'), text);
      expect(await cutByPlan(directory)).toBe(false);
    }
  });

  test('that cannot be written leaves none that speaks of other wires; the same one is not written again', async () => {
    await leave(1);
    mkdirSync(join(directory, 'cut-plan.json.new'));
    await leave(1);
    await expect(leave(2)).rejects.toThrow('EISDIR');
    expect(existsSync(join(directory, 'cut-plan.json'))).toBe(false);
  });
});
