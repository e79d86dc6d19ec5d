/** What `portcullis check` says of contacts that wait for each other: moved by programs of one bus, or on the console of one switch. */
import { expect, test } from 'vitest';
import { formatProblem } from '../../src/config/schema/command.ts';
import { checkText } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { readYaml } from '../../src/config/text/yaml.ts';
import { hardwareProblems } from '../../src/contacts/hardware-problems.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { machine } from './machine.ts';

const { profiles } = await loadProfiles();

const contact = (name: string, bus: string, port: string): string =>
  `{ name: ${name}, profile: generic/uhubctl-port, bus: ${bus}, parameters: { hub: "1-1", port: "${port}" } }`;
const configured = (...contacts: readonly string[]): string => `
state_directory: /var/lib/portcullis
runtime_directory: /run/portcullis
buses:
  one: { transport: command }
  two: { transport: command }
links:
${contacts
  .map(
    (each, index) => `
  link${index}:
    accept_holding: without power this link keeps its last state
    contacts: [${each}]
    witnesses: [{ name: carrier, type: carrier, interface: eth1 }]`,
  )
  .join('')}
`;

async function said(text: string): Promise<readonly string[]> {
  const { problems } = await checkText(text, profiles, machine);
  return problems.map(formatProblem).filter((line) => line.includes('contacts'));
}

test('one port of a hub belongs to one contact, whatever the bus', async () => {
  const twice = configured(contact('a', 'one', '2'), contact('b', 'two', '2'));
  const taken = 'hub=1-1 port=2 of generic/uhubctl-port is already contact';
  expect(await said(twice)).toEqual([expect.stringContaining(taken)]);
  expect(hardwareProblems(configSchema.parse(readYaml(twice).file), profiles)).toEqual([
    expect.stringContaining(taken),
  ]);
  expect(await said(configured(contact('a', 'one', '2'), contact('b', 'two', '3')))).toEqual([]);
});

test('programs that would wait for each other are named', async () => {
  expect(await said(configured(contact('a', 'one', '2'), contact('b', 'one', '3')))).toEqual([
    expect.stringContaining('warning links.link1.contacts[0].bus: programs of bus "one" run one at a time'),
  ]);
});

test('ports of one switch that are isolated too late, one after the other, are named', async () => {
  const port = (index: number): string =>
    `{ name: p${index}, profile: frr/vtysh, bus: switch, port: eth${index} }`;
  const ports = (count: number, timeout: string): string => `
state_directory: /var/lib/portcullis
runtime_directory: /run/portcullis
buses: { switch: { transport: tcp, host: 127.0.0.1, port: 2001 } }
links:
${Array.from(
  { length: count },
  (_, index) => `
  link${index}:
    accept_holding: without power this link keeps its last state
    isolate_timeout: ${timeout}
    contacts: [${port(index)}]
    witnesses: [{ name: carrier, type: carrier, interface: eth1 }]`,
).join('')}
`;
  const late = async (text: string): Promise<readonly string[]> =>
    (await checkText(text, profiles, machine)).problems
      .filter(({ what }) => what.includes('one after the other'))
      .map(formatProblem);
  expect(await late(ports(1, '2s'))).toEqual([]);
  expect(await late(ports(2, '6s'))).toEqual([]);
  expect(await late(ports(2, '5s'))).toEqual([
    expect.stringContaining('links.link0.isolate_timeout: the 2 ports on bus "switch"'),
    expect.stringContaining('links.link1.isolate_timeout'),
  ]);
});
