import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import {
  profileCheck,
  profileList,
  profileSchemaText,
  profileShow,
  type ProfileCommandOptions,
} from '../../src/contacts/profile-command.ts';
import { loadProfiles, PROFILE_DIRECTORY } from '../../src/contacts/profile-store.ts';

const GENERIC = join(PROFILE_DIRECTORY, 'generic/modbus-coils.yaml');
let out = '';
let errors = '';
let directory = '';
const options = (more: Partial<ProfileCommandOptions> = {}): ProfileCommandOptions => ({
  write: (text) => (out += text),
  writeError: (text) => (errors += text),
  ...more,
});
const lines = (): number => out.split('\n').length - 1;

beforeEach(async () => {
  out = '';
  errors = '';
  directory = await mkdtemp(join(tmpdir(), 'profiles-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function broken(): Promise<string> {
  await mkdir(join(directory, 'maker'));
  const file = join(directory, 'maker/model.yaml');
  await writeFile(file, 'id: maker/model\ndriver: modbus\nunit: 0\n');
  return file;
}

test('list prints one line per profile with its grade', async () => {
  expect(await profileList(options())).toBe(0);
  const { profiles } = await loadProfiles();
  expect(profiles.size).toBeGreaterThanOrEqual(4);
  expect(lines()).toBe(profiles.size);
  expect(out).toMatch(/^waveshare\/modbus-rtu-relay-8ch-d +paper +modbus +fail-safe +Waveshare/m);
  expect(errors).toBe('');
});

test('list --json is one object', async () => {
  expect(await profileList(options({ json: true }))).toBe(0);
  expect(lines()).toBe(1);
  const said = z.object({
    profiles: z.array(z.object({ id: z.string(), grade: z.string() })),
    problems: z.array(z.unknown()),
  });
  expect(said.parse(JSON.parse(out)).profiles).toHaveLength((await loadProfiles()).profiles.size);
});

test('list with a broken file reports it and ends with 1', async () => {
  const file = await broken();
  expect(await profileList(options({ directory }))).toBe(1);
  expect(errors).toContain(`${file}:3: unit: `);
});

test('show tells what is unproven, and every danger', async () => {
  expect(await profileShow('waveshare/modbus-rtu-relay-8ch', options())).toBe(0);
  expect(out).toContain('nothing of it has been verified on hardware');
  expect(out).toContain(
    'renewal unproven; isolate cancels it: unproven; connect makes it permanent: unproven',
  );
  expect(out).toContain('normally-open');
  out = '';
  expect(await profileShow('waveshare/modbus-rtu-relay-8ch', options({ json: true }))).toBe(0);
  expect(lines()).toBe(1);
});

test('show of an unknown profile names the known ones', async () => {
  expect(await profileShow('waveshare/nothing', options())).toBe(2);
  expect(out).toBe('');
  expect(errors).toMatch(/known: .*generic\/modbus-coils, /);
});

test('check of a sound file ends with 0', async () => {
  expect(await profileCheck(GENERIC, options())).toBe(0);
  expect(out).toContain('generic/modbus-coils is sound (25 examples computed; paper)');
});

test('check prints every problem with line, path and hint, and ends with 1', async () => {
  const file = await broken();
  expect(await profileCheck(file, options())).toBe(1);
  expect(out).toContain(`${file}:3: unit: `);
  expect(out).toMatch(/:1: maker: maker is missing\n {4}→ add it/);
  expect(out.match(/→/g)?.length).toBeGreaterThan(10);
  expect(errors).toMatch(/\d+ problems\n$/);
});

test('check --json is one object', async () => {
  const file = await broken();
  expect(await profileCheck(file, options({ json: true }))).toBe(1);
  expect(lines()).toBe(1);
  const problem = z.strictObject({
    file: z.literal(file),
    line: z.int().min(1),
    path: z.string(),
    what: z.string(),
    hint: z.string(),
  });
  const said = z.strictObject({
    file: z.literal(file),
    ok: z.literal(false),
    id: z.null(),
    problems: z.array(problem).min(2),
  });
  said.parse(JSON.parse(out));
});

test('check of a file that is not there is a wrong call', async () => {
  expect(await profileCheck(join(directory, 'none.yaml'), options())).toBe(2);
  expect(out).toContain('ENOENT');
});

test('schema prints JSON', () => {
  expect(profileSchemaText(options())).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    title: 'Portcullis firmware profile',
    oneOf: expect.arrayContaining([expect.objectContaining({ additionalProperties: false })]),
  });
});

test('show tells that a watchdog is no lease, what it covers, and what must be set', async () => {
  expect(await profileShow('wirenboard/wb-mr6c-v3', options())).toBe(0);
  expect(out).toContain('it covers the death of this program, of its host and of the cable');
  expect(out).toContain('It is no hardware lease');
  expect(out).toContain('hardware lease  none: the device does not know our leases');
  expect(out).toContain('safety-behaviour: holding registers 938 to 943 must hold 1 each.');
  expect(out).toContain('safety-timeout: holding register 8 must hold 4 to 60.');
  out = '';
  await profileShow('moxa/iologik-e1214', options());
  expect(out).toContain('Nothing that can be read shows whether it is armed');
  out = '';
  await profileShow('kmtronic/rs485-8ch', options());
  expect(out).toContain('none known: silence on the wire moves no contact');
  out = '';
  await profileShow('eletechsup/r4d8a08', options());
  expect(out).toContain('2 frames, all written even where the board refuses one; then it must read isolated');
});
