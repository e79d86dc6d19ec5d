import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  loadProfiles,
  PROFILE_DIRECTORY,
  readProfileText,
  type ProfileProblem,
} from '../../src/contacts/profile-store.ts';

const FILE = join(PROFILE_DIRECTORY, 'waveshare/modbus-rtu-relay-8ch-d.yaml');
const good = await readFile(FILE, 'utf8');

/** The sound profile with one piece of text replaced; throws when the piece is not there. */
function changed(from: string | RegExp, to: string): string {
  const text = good.replace(from, to);
  if (text === good) throw new Error(`nothing to change: ${String(from)}`);
  return text;
}

function problemsIn(text: string, file = FILE): readonly ProfileProblem[] {
  const reading = readProfileText(text, file);
  return reading.kind === 'problems' ? reading.problems : [];
}

/** The number of the line that holds `piece`, from 1. */
const lineOf = (text: string, piece: string): number =>
  text.split('\n').findIndex((line) => line.includes(piece)) + 1;

test('the unchanged file is sound', () => {
  expect(problemsIn(good)).toEqual([]);
});

interface Case {
  readonly name: string;
  readonly from: string | RegExp;
  readonly to: string;
  readonly path: string;
  readonly what: RegExp;
  /** A piece of the line that must be named; the changed text unless given. */
  readonly at?: string;
}

const cases: readonly Case[] = [
  {
    name: 'toggle as connect',
    from: 'value: 0xFF00 }',
    to: 'value: 0x5500 }',
    path: 'connect.value',
    what: /0x5500 toggles/,
  },
  {
    name: 'toggle as isolate',
    from: 'address: 0x0000, value: 0x0000 }',
    to: 'address: 0x0000, value: 0x5500 }',
    path: 'isolate.value',
    what: /0x5500 toggles/,
  },
  {
    name: 'isolate that connects',
    from: 'isolate: { function: 5, address: 0x0000, value: 0x0000 }',
    to: 'isolate: { function: 5, address: 0x0000, value: 0xFF00 }',
    path: 'isolate.value',
    what: /0xFF00 does not isolate/,
  },
  {
    name: 'isolate-all that connects',
    from: '0x00FF, value: 0x0000',
    to: '0x00FF, value: 0xFF00',
    path: 'isolate_all.value',
    what: /does not isolate/,
  },
  {
    name: 'isolate of another coil',
    from: 'isolate: { function: 5, address: 0x0000',
    to: 'isolate: { function: 5, address: 0x0001',
    path: 'isolate.address',
    what: /not the same contact/,
  },
  {
    name: 'connect that does not',
    from: 'value: 0xFF00 }',
    to: 'value: 0x0001 }',
    path: 'connect.value',
    what: /does not connect/,
  },
  {
    name: 'id and path',
    from: 'id: waveshare/modbus-rtu-relay-8ch-d',
    to: 'id: waveshare/modbus-rtu-relay',
    path: 'id',
    what: /does not match the file's place/,
  },
  {
    name: 'unknown key',
    from: 'channels: 8\n',
    to: 'channels: 8\nchanels: 8\n',
    path: 'chanels',
    what: /unknown key "chanels"/,
  },
  {
    name: 'unknown key below',
    from: 'unit_ms: 100',
    to: 'unit_ms: 100\n  unit_s: 1',
    path: 'hardware_lease.unit_s',
    what: /unknown key "unit_s"/,
    at: 'unit_s',
  },
  {
    name: 'missing key',
    from: /^contact: .*\n/m,
    to: '',
    path: 'contact',
    what: /contact is missing/,
    at: 'id:',
  },
  {
    name: 'missing key below',
    from: 'reply_timeout_ms: 200, ',
    to: '',
    path: 'timings.reply_timeout_ms',
    what: /is missing/,
    at: 'timings:',
  },
  {
    name: 'a wait that would keep every cut on the wire',
    from: 'reply_timeout_ms: 200, ',
    to: 'reply_timeout_ms: 30000, ',
    path: 'timings.reply_timeout_ms',
    what: /too|10000/i,
    at: 'timings:',
  },
  {
    name: 'lease beyond 16 bit',
    from: 'max: 0x7FFF',
    to: 'max: 0x17FFF',
    path: 'hardware_lease.max',
    what: /65535/,
  },
  {
    name: 'lease range upside down',
    from: /^ {2}min: 1$/m,
    to: '  min: 40000',
    path: 'hardware_lease.min',
    what: /exceeds max/,
  },
  {
    name: 'lease default beyond its range',
    from: 'default_ms: 10000',
    to: 'default_ms: 3276800',
    path: 'hardware_lease.default_ms',
    what: /outside 100 to 3276700/,
  },
  {
    name: 'lease default between its units',
    from: 'default_ms: 10000',
    to: 'default_ms: 10050',
    path: 'hardware_lease.default_ms',
    what: /no multiple/,
  },
  {
    name: 'lease default too short to renew',
    from: 'default_ms: 10000',
    to: 'default_ms: 400',
    path: 'hardware_lease.default_ms',
    what: /before one lost reply/,
  },
  {
    name: 'lease on the coils',
    from: 'address: 0x0200',
    to: 'address: 0x0007',
    path: 'hardware_lease.address',
    what: /collide with connect/,
  },
  {
    name: 'isolate-all on a coil',
    from: 'address: 0x00FF',
    to: 'address: 0x0003',
    path: 'isolate_all.address',
    what: /collide/,
  },
  {
    name: 'addresses beyond the last',
    from: 'address: 0x0200',
    to: 'address: 0xFFFC',
    path: 'hardware_lease.address',
    what: /beyond 65535/,
  },
  {
    name: 'read of too few coils',
    from: 'read: { function: 1, address: 0x0000, quantity: 8',
    to: 'read: { function: 1, address: 0x0000, quantity: 4',
    path: 'read',
    what: /the channels are 0 to 7/,
  },
  {
    name: 'fail-safe that keeps',
    from: 'without_power: isolated',
    to: 'without_power: keeps',
    path: 'contact',
    what: /fail-safe/,
    at: 'contact: fail-safe',
  },
  { name: 'broadcast unit', from: 'unit: 1\n', to: 'unit: 0\n', path: 'unit', what: /unit/ },
  {
    name: 'serial missing',
    from: /^serial: .*\n/m,
    to: '',
    path: 'serial',
    what: /serial settings are missing/,
    at: 'id:',
  },
  {
    name: 'no such function',
    from: 'isolate_all: { function: 5',
    to: 'isolate_all: { function: 16',
    path: 'isolate_all.function',
    what: /no known kind/,
  },
  {
    name: 'wrong checksum',
    from: 'request: 01 05 00 00 FF 00 8C 3A',
    to: 'request: 01 05 00 00 FF 00 8C 3B',
    path: 'examples[0].request',
    what: /computes 01 05 00 00 FF 00 8C 3A/,
  },
  {
    name: 'wrong reply',
    from: 'reply: 01 05 00 00 FF 00 8C 3A',
    to: 'reply: 01 05 00 00 00 00 CD CA',
    path: 'examples[0].reply',
    what: /echo/,
  },
  {
    name: 'short reply',
    from: 'reply: 01 05 00 00 FF 00 8C 3A',
    to: 'reply: 01 05 00 00 FF 00',
    path: 'examples[0].reply',
    what: /ends too early/,
  },
  {
    name: 'no bytes',
    from: 'request: 01 05 00 00 FF 00 8C 3A',
    to: 'request: 01 05 0 00 FF 00 8C 3A',
    path: 'examples[0].request',
    what: /pairs of hexadecimal/,
  },
  {
    name: 'wrong meaning',
    from: 'means: { connected: [1, 7] }',
    to: 'means: { connected: [1, 6] }',
    path: /./.source,
    what: /the reply means \{"connected":\[1,7\]\}/,
  },
  {
    name: 'channel that is not there',
    from: 'ask: connect\n    channel: 1\n',
    to: 'ask: connect\n    channel: 9\n',
    path: 'examples[0].channel',
    what: /channel 9 is outside 1 to 8/,
  },
  {
    name: 'lease beyond the field',
    from: 'lease_ms: 700',
    to: 'lease_ms: 3276800',
    path: /./.source,
    what: /outside 100 to 3276700/,
  },
  {
    name: 'check that is not there',
    from: 'check: control-modes',
    to: 'check: modes',
    path: /./.source,
    what: /no start-up check "modes"/,
  },
  {
    name: 'date that is none',
    from: 'checked_on: 2026-11-20',
    to: 'checked_on: 2026-11-31',
    path: 'evidence.checked_on',
    what: /checked_on/,
  },
  {
    name: 'grade that is none',
    from: 'grade: paper',
    to: 'grade: verified',
    path: 'evidence.grade',
    what: /paper/,
  },
  { name: 'broken YAML', from: 'dangers:', to: 'dangers: [', path: '', what: /not plain YAML/, at: '' },
  { name: 'key twice', from: 'unit: 1\n', to: 'unit: 1\nunit: 2\n', path: '', what: /unique/, at: 'unit: 2' },
  {
    name: 'alias',
    from: 'maker: Waveshare',
    to: 'maker: &a Waveshare\nextra: *a',
    path: '',
    what: /aliases/,
    at: '*a',
  },
];

describe.each(cases)('$name', ({ from, to, path, what, at }) => {
  const text = changed(from, to);
  const found = problemsIn(text);

  test('is found, with path and hint', () => {
    const hit = found.find((problem) => what.test(problem.what));
    expect(hit, JSON.stringify(found)).toBeDefined();
    if (path !== '.') expect(hit?.path).toBe(path);
    expect(hit?.hint).not.toBe('');
    expect(hit?.file).toBe(FILE);
  });

  test('is found in its line', () => {
    const piece = at ?? to.split('\n').find((line) => line.trim() !== '' && !good.includes(line)) ?? to;
    if (piece === '') return;
    const hit = found.find((problem) => what.test(problem.what));
    expect(hit?.line).toBe(lineOf(text, piece.trim()));
  });
});

test('every problem is reported, not only the first', () => {
  const text = changed('value: 0xFF00 }', 'value: 0x5500 }')
    .replace('unit: 1\n', 'unit: 0\n')
    .replace('max: 0x7FFF', 'max: 0x17FFF')
    .replace('channels: 8\n', 'channels: 8\nextra: 1\n')
    .replace('id: waveshare/modbus-rtu-relay-8ch-d', 'id: waveshare/other');
  const paths = problemsIn(text).map((problem) => problem.path);
  expect(paths).toEqual(['id', 'unit', 'extra', 'connect.value', 'hardware_lease.max']);
});

test('examples must cover what the profile offers', () => {
  const text = good
    .replace(/ {2}- ask: isolate-all\n(?: {4}.*\n)*/g, '')
    .replace(/ {2}- ask: inputs\n(?: {4}.*\n)*/g, '');
  expect(problemsIn(text).map(({ what }) => what)).toEqual([
    'missing: an example of isolate-all',
    'missing: an example of inputs',
  ]);
});

test('text from the file is escaped and bounded in messages', () => {
  const text = changed('channels: 8\n', `channels: 8\n"\\e[31m${'x'.repeat(500)}": 8\n`);
  const [problem] = problemsIn(text);
  expect(problem?.what).toMatch(/^unknown key "\\u001b\[31mx{10,}/);
  expect(JSON.stringify(problem).length).toBeLessThan(900);
  expect(JSON.stringify(problem)).not.toContain('\u001b');
});

test('an unknown key tells what is known there', () => {
  const hint = problemsIn(changed('unit_ms: 100', 'unit_ms: 100\n  unit_s: 1')).find(
    ({ path }) => path === 'hardware_lease.unit_s',
  )?.hint;
  expect(hint).toContain('unit_ms');
});

describe('a directory of profiles', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'profiles-'));
    await mkdir(join(directory, 'waveshare'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('a broken file does not hide the others, and is reported', async () => {
    await writeFile(join(directory, 'waveshare/modbus-rtu-relay-8ch-d.yaml'), good);
    await writeFile(join(directory, 'waveshare/other.yaml'), good);
    await writeFile(join(directory, 'waveshare/Upper.yaml'), good);
    await writeFile(join(directory, 'waveshare/short.yml'), good);
    await writeFile(join(directory, 'waveshare/latin.yaml'), Buffer.from([0x6d, 0xfc, 0x0a]));
    await writeFile(join(directory, 'waveshare/huge.yaml'), 'x'.repeat(300_000));
    await mkdir(join(directory, 'waveshare/folder.yaml'));
    const { profiles, problems } = await loadProfiles(directory);
    expect([...profiles.keys()]).toEqual(['waveshare/modbus-rtu-relay-8ch-d']);
    const told = problems.map(({ file, what }) => `${file.slice(directory.length + 1)}: ${what}`);
    expect(told).toEqual([
      'waveshare/Upper.yaml: "waveshare/Upper.yaml" is no place for a profile',
      'waveshare/folder.yaml: cannot be read: EISDIR',
      'waveshare/huge.yaml: 300000 bytes are too many for a profile (at most 262144)',
      'waveshare/latin.yaml: not UTF-8',
      'waveshare/other.yaml: "waveshare/modbus-rtu-relay-8ch-d" does not match the file\'s place',
      'waveshare/short.yml: "waveshare/short.yml" is no place for a profile',
    ]);
  });

  test('only what is wanted is read: a broken file among the others stops nothing', async () => {
    await writeFile(join(directory, 'waveshare/modbus-rtu-relay-8ch-d.yaml'), good);
    await writeFile(join(directory, 'waveshare/broken.yaml'), 'driver: [');
    const wanted = (id: string): boolean => id === 'waveshare/modbus-rtu-relay-8ch-d';
    const { profiles, problems } = await loadProfiles(directory, wanted);
    expect([[...profiles.keys()], problems]).toEqual([['waveshare/modbus-rtu-relay-8ch-d'], []]);
  });

  test('a directory that is not there is a problem', async () => {
    const { profiles, problems } = await loadProfiles(join(directory, 'nowhere'));
    expect(profiles.size).toBe(0);
    expect(problems.map(({ what }) => what)).toEqual(['the directory cannot be read: ENOENT']);
  });
});
