/** What `portcullis check` says of serial boards where they cannot be, with the profiles of the program. */
import { expect, test } from 'vitest';
import { formatProblem } from '../../src/config/schema/command.ts';
import { checkText } from '../../src/config/load.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { machine } from './machine.ts';

const { profiles } = await loadProfiles();

const WRONG = `
buses:
  card: { transport: serial, device: /dev/ttyUSB0 }
  usb: { transport: serial, device: /dev/ttyACM0 }
  net: { transport: tcp, host: 10.0.0.9, port: 17494 }
  desk: { transport: serial, device: /dev/ttyACM1 }
  lone: { transport: serial, device: /dev/ttyUSB1 }
links:
  vault:
    contacts:
      - { name: card, profile: conrad/197720, bus: card, unit: 300, channel: 9 }
      - { name: other, profile: lc-technology/lcus-4, bus: card, channel: 1 }
      - { name: addressed, profile: numato/usb-relay-8ch, bus: usb, unit: 2, channel: 1 }
      - { name: timed, profile: devantech/eth008, bus: net, channel: 1, hardware_lease: 26s }
      - { name: no-timer, profile: lc-technology/lcus-2, bus: net, channel: 1, hardware_lease: 5s }
      - { name: latching, profile: devantech/usb-rly16l, bus: desk, channel: 1 }
      - { name: silent, profile: lc-technology/lcus-1, bus: lone, port: eth1 }
    witnesses:
      - { name: carrier, type: carrier, interface: eth1 }
    isolate_timeout: 1s
`;

test('every board that cannot be where it is, is found', async () => {
  const { problems } = await checkText(WRONG, profiles, machine);
  const said = problems.map(formatProblem).filter((line) => line.includes('contacts'));
  expect(said).toEqual([
    '11:64 error links.vault.contacts[0].unit: too big: at most 255 — unit (station, card) address on the bus',
    '11:78 error links.vault.contacts[0].channel: channel 9 does not exist on this board — it has channels 1 to 8',
    '12:33 error links.vault.contacts[1].profile: bus "card" already has the profile "conrad/197720" — a board has one profile; mend profile or unit',
    '13:75 error links.vault.contacts[2].unit: this board has no card address — remove `unit`; a second board needs a bus of its own',
    '14:89 error links.vault.contacts[3].hardware_lease: the board cannot count 26s — it can do 100ms to 25s500ms, in steps of 100ms',
    '15:36 error links.vault.contacts[4].profile: bus "net" already has the profile "devantech/eth008" — a board has one profile; mend profile or unit',
    '15:63 error links.vault.contacts[4].bus: this board does not speak tcp, the transport of bus "net" — it speaks serial',
    '15:77 error links.vault.contacts[4].channel: channel 1 of unit 1 on bus "net" is already contact vault/timed — a channel belongs to one contact of one link',
    '15:96 error links.vault.contacts[4].hardware_lease: this board has no timer that isolates — remove the key',
    expect.stringContaining(
      '16:36 error links.vault.contacts[5].profile: devantech/usb-rly16l must not be a contact: Its relays latch',
    ),
    '17:9 error links.vault.contacts[6]: channel is missing — a serial contact needs channel',
    '17:73 error links.vault.contacts[6].port: a serial contact has no port — remove the key',
  ]);
});

test('a lost answer on a serial board must fit into isolate_timeout', async () => {
  const { problems } = await checkText(WRONG, profiles, machine);
  expect(problems.map(formatProblem)).toContainEqual(
    expect.stringContaining('isolate_timeout: one lost answer takes up to'),
  );
});
