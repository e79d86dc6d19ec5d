/** Every profile of a switch: its recorded dialogues, what is typed for them, and what makes a profile be refused. */
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CursorReader } from '../../src/contacts/console/cursor.ts';
import { shown } from '../../src/contacts/console/examples.ts';
import { consoleFindings, typedLines } from '../../src/contacts/console/findings.ts';
import { forbiddenLine } from '../../src/contacts/console/forbidden.ts';
import { consoleProfile, type ConsoleProfile } from '../../src/contacts/console/profile.ts';
import { portProblem, spelled } from '../../src/contacts/console/script.ts';
import { readFileSync } from 'node:fs';
import { consoleOn, switchProfile } from './console-parts.ts';
import { bounded, current } from './contract.ts';
import { RecordedSwitch } from './recorded-switch.ts';

const ROOT = join(import.meta.dirname, '..', '..', 'firmware-profiles');
const IDS = globSync(join(ROOT, '*', '*.yaml'))
  .filter((path) => /^driver: console$/m.test(readFileSync(path, 'utf8')))
  .map((path) => relative(ROOT, path).replace(/\.yaml$/, ''))
  .toSorted();
const IOS = switchProfile('cisco/catalyst-ios');

test('there are profiles of the switches that were asked for', () => {
  expect(IDS.length).toBeGreaterThanOrEqual(12);
});

describe.each(IDS)('%s', (id) => {
  const profile = switchProfile(id, { quiet_ms: 10, wake_ms: 100, reply_timeout_ms: 2000, settle_ms: 0 });

  test('says nothing against itself or its examples', () => {
    expect(consoleFindings(profile)).toEqual([]);
  });

  test('an example that is wrong is found', () => {
    profile.examples.forEach((example, index) => {
      const wrong = { ...example, means: example.means === 'unknown' ? 'connected' : 'unknown' };
      const examples = profile.examples.toSpliced(index, 1, wrong as ConsoleProfile['examples'][number]);
      const found = consoleFindings({ ...profile, examples });
      expect(found.map(({ path }) => path.join('.'))).toContain(`examples.${index}.means`);
    });
  });

  test('is driven as recorded: connected, read, isolated, left without saving', async () => {
    const fake = new RecordedSwitch(profile);
    const { contact, witness } = consoleOn(profile, fake.transport);
    const [port, seen] = [contact(fake.port), witness(fake.port)];
    expect(await bounded(port.settingsProblems())).toEqual([]);
    expect(await bounded(port.connect(current))).toMatchObject({ kind: 'done' });
    expect(fake.stands).toBe('connected');
    expect(await bounded(port.read())).toMatchObject({ position: 'connected' });
    expect(['connected', 'isolated']).toContain((await bounded(seen.read())).position);
    expect(await bounded(port.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    expect(fake.stands).toBe('isolated');
    expect(await bounded(port.read())).toMatchObject({ position: 'isolated' });
    await seen.close();
    await port.close();
    expect(fake.answered.filter((each) => each.startsWith('save: ') && each !== 'save: n')).toEqual([]);
    const stores = profile.persistence === 'stored';
    expect(fake.typed.filter((line) => forbiddenLine(line, stores) !== null)).toEqual([]);
  });
});

describe('a profile that saves is refused', () => {
  const SAVING = [
    'write',
    'write memory',
    'wr',
    'do wr',
    'w',
    'copy running-config startup-config',
    'cop r s',
    'save',
    'sa',
    'commit',
    'commit and-quit',
    'do copy run start',
    'reload',
    'erase startup-config',
    '/system backup save',
    'show run | redirect flash:x',
    'show run | append x',
    'shutdown ; write',
    'delete flash:x',
    'no write',
  ];
  test.each(SAVING)('%s', (line) => {
    for (const key of ['isolate', 'connect', 'leave', 'prepare', 'logout'] as const) {
      const found = consoleFindings({ ...IOS, [key]: [line] });
      expect(
        found.map(({ path }) => path.join('.')),
        key,
      ).toContain(`${key}.0`);
    }
    expect(() => spelled({ ...IOS, isolate: [line] }, line, null)).toThrow(/never be typed/);
  });

  test('what ordinary switches are told is not', () => {
    for (const { line } of typedLines(IOS)) expect(forbiddenLine(line)).toBeNull();
    expect(forbiddenLine('commit confirmed 10')).toBeNull();
    expect(forbiddenLine('commit', true)).toBeNull();
  });
});

describe('a profile that contradicts itself or is unsafe is refused', () => {
  const findings = (change: Partial<ConsoleProfile>): string =>
    consoleFindings({ ...IOS, ...change })
      .map(({ path, what }) => `${path.join('.')}: ${what}`)
      .join('\n');
  const question = (asks: string, kind: 'save' | 'pager' | 'wake', answer: 'enter' | 'n' | 'y'): string =>
    findings({ questions: [{ asks, kind, answer }] });

  test('questions about saving are answered no, whatever they are called', () => {
    expect(question('Save? (y/n)', 'save', 'enter')).toContain('answered no');
    expect(question('Save? (y/n)', 'pager', 'n')).toContain('asks about saving');
    expect(question('Go on?', 'wake', 'y')).toContain('only to the question whether to log out');
    expect(question('Save? (y/n)', 'save', 'n')).not.toContain('questions');
  });

  test('a half-typed line is erased before enter', () => {
    expect(findings({ wake: ['enter'] })).toContain('a half-typed line would be carried out');
    expect(findings({ wake: ['enter', 'ctrl-c'] })).toContain('a half-typed line would be carried out');
  });

  test('a change that is stored at once needs a reason for being refused', () => {
    expect(findings({ persistence: 'stored' })).toContain('makes `connected` permanent');
  });

  test('a port is holding, is named, and has two positions', () => {
    expect(findings({ contact: 'fail-safe' })).toContain('keeps its state');
    expect(findings({ interface: 'interface' })).toContain('which port');
    expect(findings({ connect: ['shutdown'] })).toContain('same lines');
    const rules = IOS.administrative.rules.filter(({ means }) => means === 'connected');
    expect(findings({ administrative: { ...IOS.administrative, rules } })).toContain('no rule says isolated');
  });
});

test('names of ports cannot carry a second line, a pipe or an abbreviation', () => {
  for (const port of [
    'GigabitEthernet1/0/1\rwrite',
    'GigabitEthernet1/0/1 | redirect x',
    'GigabitEthernet1/0/1;write',
    'Gi1/0/1',
    '',
    ' ',
    'GigabitEthernet1/0/1 ',
    'x'.repeat(60),
  ])
    expect(portProblem(IOS, port), JSON.stringify(port)).not.toBeNull();
  expect(portProblem(IOS, 'GigabitEthernet1/0/1')).toBeNull();
});

test('unknown keys and unprintable lines are refused by the schema', () => {
  const refused = (change: object): boolean => !consoleProfile.safeParse({ ...IOS, ...change }).success;
  expect(refused({})).toBe(false);
  expect(refused({ isolate: ['shutdown\r'] })).toBe(true);
  expect(refused({ extra: 1 })).toBe(true);
  expect(refused({ marker: '!' })).toBe(true);
});

test('what a cursor means is decided by the innermost prompt', () => {
  const cursor = new CursorReader(IOS);
  const means = (prints: string): string =>
    shown(IOS, cursor, { ask: 'cursor', prints, means: 'nothing' }).means;
  expect(means('sw(config-if)#')).toBe('interface');
  expect(means('sw(config-router)#')).toBe('configure');
  expect(means('sw#')).toBe('privileged');
  expect(means('sw#show version')).toBe('nothing');
});
