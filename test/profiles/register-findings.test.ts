/** What is found in profiles of boards with commands in registers, settings that are read back, and watchdogs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  settingProblem,
  soundValue,
  type StartupCheck,
  unsoundValue,
} from '../../src/contacts/modbus/settings.ts';
import { PROFILE_DIRECTORY, readProfileText } from '../../src/contacts/profile-store.ts';

const R4D8 = 'eletechsup/r4d8a08';
const WIREN = 'wirenboard/wb-mr6c-v3';
const fileOf = (id: string): string => join(PROFILE_DIRECTORY, `${id}.yaml`);
const texts = new Map<string, string>();
for (const id of [R4D8, WIREN, 'moxa/iologik-e1214']) texts.set(id, await readFile(fileOf(id), 'utf8'));

/** What is found when `from` is `to` in a sound profile, as `path: what`. */
function found(id: string, from: string, to: string): readonly string[] {
  const good = texts.get(id) ?? '';
  const text = good.replace(from, to);
  if (text === good) throw new Error(`nothing to change: ${from}`);
  const reading = readProfileText(text, fileOf(id));
  return reading.kind === 'problems' ? reading.problems.map(({ path, what }) => `${path}: ${what}`) : [];
}

test('the unchanged files are sound', () => {
  for (const [id, text] of texts) expect(readProfileText(text, fileOf(id)).kind, id).toBe('profile');
});

/** What is replaced, by what, and what is then found. */
type Case = readonly [from: string, to: string, expected: string];
const named = (cases: readonly Case[]) => cases.map(([from, to, expected]) => ({ from, to, expected }));

describe('commands and their answers', () => {
  test.each(
    named([
      [
        'connect: { function: 6, address: 0x0001, value: 0x0100 }',
        'connect: { function: 6, address: 0x0001, value: 0x0200 }',
        'connect.value: 512 both connects and isolates',
      ],
      [
        'connect: { function: 6, address: 0x0001, value: 0x0100 }',
        'connect: { function: 5, address: 0x0001, value: 0xFF00 }',
        'isolate.address: isolate moves register 1, connect moves coil 1: not the same contact',
      ],
      [
        'connect: { function: 6, address: 0x0001, value: 0x0100 }',
        'connect: { function: 6, address: 0x0001, value: 0x0605 }',
        'hardware_lease.opcode: a plain connect or isolate is also a lease',
      ],
      [
        'value: 0x0600, followed_by: [0x0200]',
        'value: 0x0200, followed_by: [0x0600]',
        'isolate.value: only 1536 ends a running lease, but isolate begins with 512',
      ],
      [
        'read:\n',
        'isolate_all: { function: 6, address: 0x0000, value: 0x0800 }\nread:\n',
        'isolate_all: isolate_all does not end a running lease',
      ],
      [
        'read:\n',
        'isolate_all: { function: 6, address: 0x0004, value: 0x0800 }\nread:\n',
        'isolate_all.address: addresses 4 to 4 collide with connect.address (1 to 8)',
      ],
      ['  quantity: 8\n', '  quantity: 7\n', 'read: reads registers 1 to 7, which tell 7 of 8 channels'],
      ['  isolated_when: 0x0000', '  isolated_when: 0x0001', 'read.isolated_when: 1 cannot mean both'],
      ['  layout: register-per-channel', '  layout: bitmap\n  bits: 1', 'read.bits: unknown key'],
      ['  max: 255', '  max: 65000', 'hardware_lease.max: 1536 + 65000 does not fit'],
      [
        '        reply: 01 06 00 01 02 00 D9 6A',
        '        reply: 01 06 00 01 02 00 D9 6B',
        'examples[3].followed_by[0].reply: not a reply to this request',
      ],
      [
        '      - request: 01 06 00 01 02 00 D9 6A\n        reply: 01 06 00 01 02 00 D9 6A\n',
        '',
        'examples[3].followed_by: the profile takes 3 frames, the example shows 2',
      ],
    ]),
  )('$expected', ({ from, to, expected }) => {
    expect(found(R4D8, from, to)).toContainEqual(expect.stringContaining(expected) as string);
  });
});

describe('settings that are read back', () => {
  test.each(
    named([
      [
        '    between: { least: 4, most: 60, usual: 10 }',
        '    every: 10\n    between: { least: 4, most: 60, usual: 10 }',
        'startup_checks[1]: safety-timeout demands several things at once',
      ],
      ['    every: 3\n', '', 'startup_checks[2]: input-modes demands nothing'],
      [
        '    every: 3\n',
        '    holds: [3, 3]\n',
        'startup_checks[2].holds: 6 values are read, but 2 are named',
      ],
      [
        'least: 4, most: 60, usual: 10',
        'least: 4, most: 60, usual: 61',
        'startup_checks[1].between: 4, 61, 60 do not rise',
      ],
      [
        'least: 4, most: 60',
        'least: 0, most: 60',
        'communication_watchdog.time_check: safety-timeout allows 0 to 60, the device counts 1 to 65534',
      ],
      [
        'least: 4, most: 60',
        'least: 2, most: 60',
        'communication_watchdog.time_check: 2000 ms may pass between two readings',
      ],
      [
        'fed_by: any-traffic',
        'fed_by: writes',
        'communication_watchdog.fed_by: nothing is written to a contact that stays connected',
      ],
      [
        'verified_by: [safety-timeout, ',
        'verified_by: [safety-time, ',
        'communication_watchdog.verified_by[0]: there is no start-up check safety-time',
      ],
      [
        '  range: { unit_ms: 1000, min: 1, max: 65534 }\n',
        '',
        'communication_watchdog.range: its time is read back, but what it can be is missing',
      ],
      [
        '  range: { unit_ms: 1000, min: 1, max: 65534 }',
        '  range: { unit_ms: 1000, min: 9, max: 8 }',
        'communication_watchdog.range.min: min 9 exceeds max 8',
      ],
    ]),
  )('$expected', ({ from, to, expected }) => {
    expect(found(WIREN, from, to)).toContainEqual(expect.stringContaining(expected) as string);
  });

  test('a check of a coil cannot demand what no coil holds', () => {
    expect(found('moxa/iologik-e1214', '    every: 0\n', '    every: 2\n')).toContainEqual(
      expect.stringContaining('startup_checks[0].every') as string,
    );
  });
});

describe('a wrong setting in words', () => {
  const board = { label: 'unit 7', unit: 7 };
  const about = { name: 'mode', address: 938, danger: 'It stays.' };

  test('says what holds, what must be, why, and the frame that a person may write', () => {
    expect(settingProblem({ ...about, function: 3, quantity: 3, every: 1 }, [1, 0, 2], board)).toBe(
      'mode of unit 7: holding register 0x03AB holds 0, must be 1, holding register 0x03AC holds 2, must be 1. It stays. ' +
        'To put it right: set holding register 939 (0x03AB) to 1, RTU frame 07 06 03 AB 00 01 39 C8. The others likewise.',
    );
  });

  test.each<[string, StartupCheck, readonly number[], string]>([
    [
      'bounds',
      { ...about, function: 3, quantity: 1, between: { least: 4, most: 60, usual: 10 } },
      [61],
      'holds 61, must be 4 to 60. It stays. To put it right: set holding register 938 (0x03AA) to 10',
    ],
    [
      'one by one',
      { ...about, function: 3, quantity: 2, holds: [3, 4] },
      [3, 3],
      'holding register 0x03AB holds 3, must be 4',
    ],
    [
      'a coil',
      { ...about, function: 1, quantity: 1, every: 1 },
      [0],
      'set coil 938 (0x03AA) to 1, RTU frame 07 05 03 AA FF 00 AC 38.',
    ],
    ['too few', { ...about, function: 3, quantity: 2, every: 1 }, [1], '1 values came, not 2'],
  ])('%s', (_, check, values, expected) => {
    expect(settingProblem(check, values, board)).toContain(expected);
  });

  test('what cannot be written has no frame, and a remedy stands in its place', () => {
    const input: StartupCheck = { ...about, function: 2, quantity: 1, every: 0 };
    expect(settingProblem(input, [1], board)).toBe(
      'mode of unit 7: discrete input 0x03AA holds 1, must be 0. It stays.',
    );
    expect(settingProblem({ ...input, remedy: 'Turn the key.' }, [1], board)).toMatch(
      /right: Turn the key\.$/,
    );
  });

  test('sound values pass and unsound ones do not, whatever is demanded', () => {
    const checks: readonly StartupCheck[] = [
      { ...about, function: 3, quantity: 1, every: 0 },
      { ...about, function: 3, quantity: 1, every: 0xffff },
      { ...about, function: 3, quantity: 1, holds: [7] },
      { ...about, function: 3, quantity: 1, between: { least: 1, most: 0xffff, usual: 5 } },
      { ...about, function: 1, quantity: 1, every: 1 },
    ];
    for (const check of checks) {
      expect(settingProblem(check, [soundValue(check, 0)], board)).toBeNull();
      expect(settingProblem(check, [unsoundValue(check)], board)).not.toBeNull();
    }
  });
});
