/** The configuration read by another process is the one that this process would have read. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configured } from '../../src/command/configured.ts';
import { configuredApart, READ_WITHIN_MS } from '../../src/command/configured-apart.ts';
import { CommandError } from '../../src/command/exit.ts';

let directory = '';
let good = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'configured-apart-'));
  const token = join(directory, 'token');
  await writeFile(token, 'a-token-of-some-length\n', { mode: 0o600 });
  good = join(directory, 'portcullis.yaml');
  await writeFile(
    good,
    `
state_directory: ${directory}/state
runtime_directory: ${directory}/run
buses:
  board: { transport: modbus-tcp, host: 127.0.0.1, port: 5020, simulated: true }
links:
  vault:
    contacts: [{ name: relay, profile: waveshare/modbus-rtu-relay-8ch, bus: board, unit: 1, channel: 1 }]
sources:
  alarm: { verify: { type: bearer, token_file: ${token} }, format: generic, trips: [vault] }
`,
  );
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('what comes from the other process is what this one reads, with nothing under a name nobody configured', async () => {
  const here = await configured(good, 'interlock');
  const { config, profiles } = await configuredApart(good, 'interlock');
  expect(JSON.stringify(config)).toBe(JSON.stringify(here.config));
  expect([...profiles]).toEqual([...here.profiles]);
  for (const [key, value] of Object.entries(here.config)) {
    if (typeof value !== 'object' || Array.isArray(value) || Object.getPrototypeOf(value) !== null) continue;
    expect([
      key,
      (config as unknown as Record<string, Record<string, unknown>>)[key]?.['constructor'],
    ]).toEqual([key, undefined]);
  }
}, 30_000);

test('only the profiles that the file names are read', async () => {
  const { profiles } = await configured(good, 'interlock');
  expect([...profiles.keys()]).toEqual(['waveshare/modbus-rtu-relay-8ch']);
});

test('a refusal of the other process is one here, with its exit code', async () => {
  const bad = join(directory, 'bad.yaml');
  await writeFile(bad, 'links: 7\n');
  const refusal = await configuredApart(bad, 'interlock').catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(CommandError);
  expect(refusal).toMatchObject({ code: 1, message: expect.stringContaining('not started') });
  const missing = await configuredApart(join(directory, 'none.yaml'), 'interlock').catch(
    (error: unknown) => error,
  );
  expect(missing).toMatchObject({ code: 2, message: expect.stringContaining('cannot read it') });
}, 60_000);

test('a process that ends without a word is an error that says how it ended', async () => {
  const mute = join(directory, 'mute.mjs');
  await writeFile(mute, 'process.exit(7);\n');
  await expect(configuredApart(good, 'interlock', mute)).rejects.toThrow('exit code 7');
  const killed = join(directory, 'killed.mjs');
  await writeFile(killed, "process.kill(process.pid, 'SIGKILL');\n");
  await expect(configuredApart(good, 'interlock', killed)).rejects.toThrow(/SIGKILL.*memory/);
}, 30_000);

test('a process that hangs is ended, and the error says that time ran out', async () => {
  const hanging = join(directory, 'hanging.mjs');
  await writeFile(hanging, 'setInterval(() => undefined, 1_000);\n');
  await expect(configuredApart(good, 'interlock', hanging, 300)).rejects.toThrow(
    /within 0\.3 s and was ended; is the machine overloaded/,
  );
}, 30_000);

test.for(['interlock', 'controller'] as const)(
  'the reading ends before systemd ends the %s for being late',
  async (unit) => {
    const path = join(import.meta.dirname, `../../systemd/portcullis-${unit}.service`);
    const [, seconds] = /^TimeoutStartSec=(\d+)$/m.exec(await readFile(path, 'utf8')) ?? [];
    // What comes before (the frames of the plan) and after (the first round of every link) has its time, too.
    expect(READ_WITHIN_MS + 10_000).toBeLessThanOrEqual(Number(seconds) * 1_000);
  },
);
