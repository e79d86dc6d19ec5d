/** `isolate --all` drives every contact whose place is certain, whatever else is wrong in the file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { salvageContacts } from '../../src/config/text/salvage.ts';
import { hardwareProblems } from '../../src/contacts/hardware-problems.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { profiles } from './machine.ts';

const salvaged = (text: string) => {
  const { links, left } = salvageContacts(text, profiles);
  const kept = Object.entries(links).flatMap(([link, { contacts }]) =>
    contacts.map((contact) => `${link}/${contact.name} ${contact.bus}:${contact.unit}:${contact.channel}`),
  );
  return { kept, left: left.map(({ path, why }) => `${path}: ${why}`) };
};

const example = readFileSync(join(import.meta.dirname, '../../docs/examples/portcullis.yaml'), 'utf8');
const ALL = ['vault/relay board:1:1', 'vault/power rs485:1:8'];
const broken = (from: string, to: string): string => {
  expect(example).toContain(from);
  return example.replace(from, to);
};

describe('salvage', () => {
  test('from a good file: everything, without leases and witnesses', () => {
    expect(salvaged(example)).toEqual({ kept: ALL, left: [] });
    const { vault } = salvageContacts(example, profiles).links;
    expect(vault?.contacts.map(({ hardware_lease }) => hardware_lease)).toEqual(['none', 'none']);
    expect(vault?.witnesses).toEqual([]);
  });

  test.each([
    ['a window', "opens: '30 2 * * *'", 'opnes: 12'],
    ['a source', 'type: bearer', 'type: barer'],
    ['the whole file', 'state_directory:', 'zebra:'],
    ['a listener', '127.0.0.1:8470', 'nowhere'],
    ['a witness', 'type: carrier', 'type: courier'],
    ['a time of the link', 'settle: 3s', 'settle: soon'],
    ['a lease', 'hardware_lease: 10s', 'hardware_lease: 10 years'],
    ['a lease that the board cannot count', 'hardware_lease: 10s', 'hardware_lease: 10h'],
    ['a reply time-out', 'reply_timeout: 300ms', 'reply_timeout: -1'],
    ['the end of the YAML', 'read_data_subset: rotate/30 }', 'read_data_subset: ['],
    ['a key that is there twice', 'settle: 3s', 'settle: 3s\n    settle: 4s'],
  ])('%s being wrong stops nothing', (_, from, to) => {
    expect(salvaged(broken(from, to))).toEqual({ kept: ALL, left: [] });
  });

  test.each([
    [
      'an unknown bus key, for the default port may be another board',
      'port: 502',
      'prot: 503',
      'buses.board.prot is wrong',
    ],
    ['a wrong port', 'port: 502', 'port: x', 'buses.board.port is wrong'],
    ['a bus that is not there', 'bus: board\n', 'bus: baord\n', 'no bus is called "baord"'],
    ['a channel that is not there', 'channel: 1\n', 'channel: 9\n', 'channel 9 does not exist on this board'],
    [
      'a unit that is no number',
      'unit: 1\n        channel: 1\n',
      'unit: one\n        channel: 1\n',
      'links.vault.contacts[0].unit is wrong',
    ],
    ['an unknown profile', 'modbus-poe-eth-relay-8ch', 'gate', 'no profile is called "waveshare/gate"'],
  ])('%s leaves that contact out, and only that', (_, from, to, why) => {
    expect(salvaged(broken(from, to))).toEqual({
      kept: ['vault/power rs485:1:8'],
      left: [`links.vault.contacts[0]: ${why}`],
    });
  });

  test('words that are missing, two of one name and a wrong login stop nothing either', async () => {
    const shipped = (await loadProfiles()).profiles;
    const text = `
buses:
  pi: { transport: gpio, chip: pinctrl-bcm2711, access: sysfss }
  switch: { transport: serial, device: /dev/ttyUSB0, login: { user: admin } }
links:
  vault:
    contacts:
      - { name: relay, profile: generic/gpio-active-high, bus: pi, line: 4 }
      - { name: relay, profile: generic/gpio-active-high, bus: pi, line: 7, accept_reset_pull: so be it }
      - { name: relay, profile: generic/gpio-active-high, bus: pi, line: 17, accept_reset_pull: so be it }
      - { name: port, profile: frr/vtysh, bus: switch, port: eth1 }
`;
    const { left, ...hardware } = salvageContacts(text, shipped);
    expect(left).toEqual([]);
    expect(hardware.links['vault']?.contacts.map(({ line, port }) => line ?? port)).toEqual([
      4,
      7,
      17,
      'eth1',
    ]);
    expect(hardwareProblems(hardware, shipped)).toEqual([]);
  });

  test('two buses on one wire: the first is driven, and one that nobody uses stops nothing', async () => {
    const shipped = (await loadProfiles()).profiles;
    const text = `
buses:
  idle: { transport: gpio, chip: pinctrl-bcm2711 }
  pi: { transport: gpio, chip: pinctrl-bcm2711 }
  first: { transport: serial, device: /dev/ttyUSB0 }
  second: { transport: modbus-rtu, device: /dev/ttyUSB0 }
links:
  vault:
    contacts:
      - { name: pin, profile: generic/gpio-active-high, bus: pi, line: 17 }
      - { name: card, profile: devantech/usb-rly08, bus: first, channel: 1 }
      - { name: board, profile: waveshare/modbus-rtu-relay-8ch, bus: second, unit: 1, channel: 1 }
`;
    const { left, ...hardware } = salvageContacts(text, shipped);
    expect(hardwareProblems(hardware, shipped)).toEqual([]);
    expect(hardware.links['vault']?.contacts.map(({ name }) => name)).toEqual(['pin', 'card']);
    expect(left).toEqual([
      { path: 'links.vault.contacts[2]', why: expect.stringContaining('bus "first" already uses') },
    ]);
  });

  test('the second contact keeps its own place when the first is left out', () => {
    expect(salvaged(broken('channel: 8\n', 'channel: 9\n')).left).toEqual([
      'links.vault.contacts[1]: channel 9 does not exist on this board',
    ]);
  });

  test.each([
    '',
    'links: 3',
    'buses: { board: { transport: command } }\nlinks: {}',
    'links: { a: 1 }\nlinks: {}',
    'links: {}\nsources: {',
    '- a',
    'links: *x',
    'links: { vault: { contacts: 4 } }',
    'links: { vault: 4 }',
  ])('nothing to drive in %j, and that is said', (text) => {
    const { kept, left } = salvaged(text);
    expect(kept).toEqual([]);
    expect(left).toHaveLength(1);
  });

  test('a whole file that says that there are no links leaves nothing out', () => {
    expect(salvaged('state_directory: /var/lib/portcullis\nlinks: {}\n')).toEqual({ kept: [], left: [] });
  });

  test('letters overwritten anywhere below the links stop nothing', () => {
    const below = example.indexOf('sources:');
    const damage = fc.tuple(
      fc.integer({ min: below, max: example.length - 1 }),
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(damage, ([at, length]) => {
        const text = example.slice(0, at) + 'x'.repeat(length) + example.slice(at + length);
        expect(salvaged(text)).toEqual({ kept: ALL, left: [] });
      }),
      { numRuns: 120 },
    );
  });

  test('any damage anywhere: nothing throws, and what is left is hardware that can be made', () => {
    const damage = fc.tuple(
      fc.nat({ max: example.length }),
      fc.nat({ max: 20 }),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    fc.assert(
      fc.property(damage, ([at, length, put]) => {
        const { left: _left, ...hardware } = salvageContacts(
          example.slice(0, at) + put + example.slice(at + length),
          profiles,
        );
        expect(hardwareProblems(hardware, profiles)).toEqual([]);
      }),
      { numRuns: 120 },
    );
  }, 120_000);
});
