/** What the pages of hardware/ tell people to write is valid, and agrees with the drawings and the units. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { formatProblem } from '../../src/config/schema/command.ts';
import { checkText } from '../../src/config/load.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { parseSheet, pinsOf } from '../../hardware/drawings/sheet.ts';
import { machine } from '../config/machine.ts';

const TOP = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(TOP, path), 'utf8');
const { profiles } = await loadProfiles();
const PAGES = ['relay-hat', 'two-relays', 'relay-and-switch-port'] as const;

const block = (page: string, language: string): string =>
  new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(page)?.[1] ?? '';

/** The BCM pins that a drawing shows at the Raspberry Pi. */
function drawnPins(name: string): number[] {
  const sheet = parseSheet(parse(read(`hardware/drawings/${name}.yaml`)));
  const box = sheet.parts.find((part) => part.id === 'PI');
  return [...(box === undefined ? [] : pinsOf(box).keys())]
    .flatMap((pin) => /^BCM(\d+)$/.exec(pin)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
}

describe.each(PAGES)('hardware/%s.md', (name) => {
  const page = read(`hardware/${name}.md`);

  test('its configuration is one that check accepts', async () => {
    const { kind, problems } = await checkText(block(page, 'yaml'), profiles, machine);
    expect(problems.filter(({ severity }) => severity === 'error').map(formatProblem)).toEqual([]);
    expect(kind).toBe('valid');
  });

  test('configuration, config.txt and drawing name the same pins; the relay is driven to isolated at boot', () => {
    const drawn = drawnPins(name);
    const boot = new Map(
      [...block(page, 'ini').matchAll(/^gpio=(\d+)=(.*)$/gm)].map((match) => [Number(match[1]), match[2]]),
    );
    expect([...boot.keys()].toSorted((a, b) => a - b)).toEqual(drawn);
    const lines = [...block(page, 'yaml').matchAll(/(profile|type): ([\w/-]+), .*?\bline: (\d+)/g)];
    expect(lines.length > 0).toBe(drawn.length > 0);
    for (const [, kind, , line] of lines) {
      expect(drawn).toContain(Number(line));
      expect(boot.get(Number(line))).toBe(kind === 'profile' ? 'op,dl' : 'ip,pn');
    }
  });

  test('ends in check and commission, with the link that it configures', () => {
    expect(block(page, 'sh').trim().split('\n')).toEqual(['portcullis check', 'portcullis commission vault']);
    expect(Object.keys((parse(block(page, 'yaml')) as { links: object }).links)).toEqual(['vault']);
  });

  test('says what happens in each state when each element dies', () => {
    const rows = [...page.matchAll(/^\| (.+?) \| (.+?) \| (.+?) \|$/gm)].map(
      (match) => match[1]?.toLowerCase() ?? '',
    );
    const elements = [
      'loses power',
      'hangs',
      'watchdog reset',
      'controller dies',
      'interlock dies',
      'welded',
      'wire',
      'vault loses power',
      'button pressed',
    ];
    for (const element of elements)
      expect(
        rows.some((row) => row.includes(element)),
        element,
      ).toBe(true);
    if (name === 'two-relays')
      for (const element of [
        'key off',
        'coil supply',
        'coil wire',
        'mirror wire',
        'button wire',
        'relay board',
      ])
        expect(
          rows.some((row) => row.includes(element)),
          element,
        ).toBe(true);
    if (name === 'relay-and-switch-port')
      for (const element of ['switch loses power', 'switch reboots'])
        expect(
          rows.some((row) => row.includes(element)),
          element,
        ).toBe(true);
  });

  test('the parts cost about what it says together', () => {
    const prices = [...page.matchAll(/^\| ([A-Z][\w, ]*)? ?\| [^*].*\| ([\d.]+) \|$/gm)].map((match) =>
      Number(match[2]),
    );
    const told = Number(/\| \*\*about (\d+)\*\* \|/.exec(page)?.[1]);
    const sum = prices.reduce((all, price) => all + price, 0);
    expect(prices.length).toBeGreaterThan(5);
    expect(Math.abs(sum - told)).toBeLessThanOrEqual(told * 0.05);
  });
});

describe('hardware/udev', () => {
  const rules = read('hardware/udev/65-portcullis.rules');
  const lines = rules.split('\n').filter((line) => line !== '' && !line.startsWith('# ') && line !== '#');

  test('each rule is made of keys, operators and quoted values', () => {
    const part = /^[A-Z]+(\{[A-Za-z_/]+\})?(==|!=|\+=|:=|=)"[^"]*"$/;
    for (const line of lines.filter((rule) => !rule.startsWith('#  ')))
      for (const piece of line.replace(/^#/, '').split(/,\s*/)) expect(piece).toMatch(part);
  });

  test('the owner is the user of the interlock, and nobody else may open a device', () => {
    const user = /^User=(.+)$/m.exec(read('systemd/portcullis-interlock.service'))?.[1];
    const owned = lines.filter((line) => line.includes('OWNER'));
    expect(owned.length).toBeGreaterThan(2);
    for (const line of owned) expect(line).toContain(`OWNER:="${user}", GROUP:="root", MODE:="0600"`);
  });

  test('its place is after ID_PATH is made and before ModemManager looks', () => {
    const files = readdirSync(join(TOP, 'hardware/udev'));
    expect(files).toHaveLength(1);
    for (const file of files) {
      expect(file > '60-serial.rules').toBe(true);
      expect(file < '80-mm-candidate.rules').toBe(true);
    }
  });
});
