/** What `portcullis check` says of witnesses that their bus cannot serve, and of contacts that nobody can read. */
import { expect, test } from 'vitest';
import { formatProblem } from '../../src/config/schema/command.ts';
import { checkText } from '../../src/config/load.ts';
import { salvageContacts } from '../../src/config/text/salvage.ts';
import { hardwareProblems } from '../../src/contacts/hardware-problems.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { configSchema } from '../../src/config/schema.ts';
import { readYaml } from '../../src/config/text/yaml.ts';
import { machine } from './machine.ts';

const { profiles } = await loadProfiles();

const WRONG = `
state_directory: /var/lib/portcullis
runtime_directory: /run/portcullis
buses:
  rs485: { transport: modbus-rtu, device: /dev/ttyUSB0 }
  board: { transport: serial, device: /dev/ttyACM0 }
  mute: { transport: serial, device: /dev/ttyUSB1 }
  pi: { transport: gpio, chip: pinctrl-bcm2711 }
links:
  vault:
    contacts:
      - { name: relay, profile: waveshare/modbus-rtu-relay-8ch, bus: rs485, unit: 1, channel: 1 }
      - { name: second, profile: devantech/usb-rly08, bus: board, channel: 1 }
    witnesses:
      - { name: input, type: modbus-discrete-input, bus: pi, unit: 1, input: 0, isolated_when: 1, mirrors: relay }
      - { name: pin, type: gpio, bus: rs485, line: 5, isolated_when: 0, mirrors: relay }
      - { name: port, type: snmp, bus: board, port: eth1 }
      - { name: switch, type: console, contact: second }
  silent:
    contacts:
      - { name: relay, profile: lc-technology/lcus-1, bus: mute, channel: 1 }
    witnesses:
      - { name: pin, type: gpio, bus: pi, line: 5, isolated_when: 0, mirrors: relay }
`;

test('a witness is on a bus that can serve it, and every contact can be read', async () => {
  const { problems } = await checkText(WRONG, profiles, machine);
  const said = problems.filter(({ severity }) => severity === 'error').map(formatProblem);
  expect(said).toEqual([
    expect.stringContaining('witnesses[0].bus: bus "pi" speaks gpio, this witness modbus-tcp or'),
    expect.stringContaining('witnesses[1].bus: bus "rs485" speaks modbus-rtu, this witness gpio'),
    expect.stringContaining('witnesses[2].bus: bus "board" speaks serial, this witness snmp'),
    expect.stringContaining('witnesses[3].contact: contact "second" is no switch port on a console'),
    expect.stringContaining('contact "relay" can never be read, for lc-technology/lcus-1 says nothing'),
  ]);
});

test('the same is found before hardware is made', () => {
  const settings = configSchema.parse(readYaml(WRONG).file);
  expect(hardwareProblems(settings, profiles)).toEqual([
    'witness input of link vault: nothing on bus pi (gpio) can be its modbus-discrete-input',
    'witness pin of link vault: nothing on bus rs485 (modbus-rtu) can be its gpio',
    'witness port of link vault: nothing on bus board (serial) can be its snmp',
    'witness switch of link vault: nothing on bus board (serial) can be its console',
  ]);
});

test('a contact that nobody can read is driven by isolate --all', () => {
  const { links, left } = salvageContacts(WRONG, profiles);
  expect(links['silent']?.contacts.map(({ name }) => name)).toEqual(['relay']);
  expect(left).toEqual([]);
});
