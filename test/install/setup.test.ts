/** `portcullis setup` on machines that are not there: what it finds, proposes, writes, and never overwrites. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { asked, proposeConfiguration, type SetupOptions } from '../../src/command/setup.ts';
import { CommandError } from '../../src/command/exit.ts';
import { checkCommand } from '../../src/config/schema/command.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { factsOf } from '../../src/setup/facts.ts';
import { fakeMachine, type Hardware } from './fake-machine.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
const FTDI = 'usb-FTDI_FT232R_USB_UART_A10K-if00-port0';
const DISK = '0c6f8f0e-2b5e-4d39-9d0a-6a1d4f1c9b11';
/** A Pi with a Modbus relay board on RS-485 and a second network socket towards a REST server. */
const BOARD: Hardware = {
  serialById: { [FTDI]: 'ttyUSB0' },
  interfaces: ['eth0', 'eth1'],
  defaultRoute: 'eth0',
  disks: { '11111111-aaaa-4bbb-8ccc-000000000001': 'mmcblk0p2' },
  mounted: ['mmcblk0p2'],
};
/** A Pi with a relay on its header and a disk that it does not run from. */
const HAT: Hardware = {
  chips: { 'raspberrypi-exp-gpio': '8', 'pinctrl-bcm2711': '58' },
  interfaces: ['eth0'],
  defaultRoute: 'eth0',
  disks: { '11111111-aaaa-4bbb-8ccc-000000000001': 'mmcblk0p2', [DISK]: 'sda1' },
  types: { [DISK]: 'xfs' },
  mounted: ['mmcblk0p2'],
};

const { profiles } = await loadProfiles();
const quiet = (options: SetupOptions): Promise<void> => proposeConfiguration(options, () => {}, profiles);
const scratch = mkdtempSync(join(tmpdir(), 'portcullis-setup-'));
const roots: string[] = [scratch];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});
const made = (hardware: Hardware): string => {
  const root = fakeMachine(hardware);
  roots.push(root);
  return root;
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(scratch, 'etc-'));
});
const config = (): string => join(directory, 'portcullis.yaml');
const answers = (text: string): string => {
  const file = join(directory, 'answers.yaml');
  writeFileSync(file, text);
  return file;
};
const mode = (name: string): string => (statSync(join(directory, name)).mode & 0o777).toString(8);

describe('facts', () => {
  test('disks in use, loopback and the chips that are no header are told apart', () => {
    const facts = factsOf(made(HAT));
    expect(facts.disks).toEqual([{ uuid: DISK, device: 'sda1', type: 'xfs' }]);
    expect(facts.interfaces).toEqual([{ name: 'eth0', wireless: false, hasDefaultRoute: true }]);
    expect(facts.chips.map(({ label }) => label)).toEqual(['raspberrypi-exp-gpio', 'pinctrl-bcm2711']);
    expect(facts.timezone).toBe('Europe/Berlin');
  });

  test('a port with two names is one port; two boards alike are told apart by their sockets', () => {
    const root = made({
      serialById: { [FTDI]: 'ttyUSB0' },
      serialByPath: { 'platform-usb-0:1.1': 'ttyUSB0', 'platform-usb-0:1.2': 'ttyUSB1' },
    });
    expect(factsOf(root).serialPorts.toSorted()).toEqual([
      `/dev/serial/by-id/${FTDI}`,
      '/dev/serial/by-path/platform-usb-0:1.2',
    ]);
  });

  test('a machine that has nothing is no error', () => {
    expect(factsOf(join(scratch, 'nowhere'))).toEqual({
      serialPorts: [],
      chips: [],
      interfaces: [],
      disks: [],
      timezone: 'UTC',
    });
  });
});

describe('what is proposed passes `check`', () => {
  test.each([
    ['board', BOARD, ''],
    ['hat', HAT, ''],
    ['nothing', {}, ''],
    ['network', { interfaces: ['eth0', 'eth1'] }, 'relay: network\nboard_host: 192.168.7.10\nvault: later\n'],
    ['from-afar', BOARD, 'channel: 3\nlink: cellar\nalarms_from_afar: "yes"\npaths: /srv/a /srv/b\n'],
    ['ipv6', BOARD, 'vault: rest\nvault_host: fd00::2\n'],
    ['usb-board', BOARD, 'profile: lc-technology/lcus-4\nchannel: 4\n'],
  ] satisfies [string, Hardware, string][])('%s', async (name, hardware, text) => {
    const how = text === '' ? { yes: true as const } : { answers: answers(text) };
    await quiet({ config: config(), machine: made(hardware), ...how });
    const written = readFileSync(config(), 'utf8').replaceAll(directory, '/etc/portcullis');
    const golden = join(GOLDEN, `${name}.golden`);
    if (process.env['REWRITE'] !== undefined) writeFileSync(golden, written);
    expect(written).toBe(readFileSync(golden, 'utf8'));
    // The real check, with the real files; only the interfaces of this machine are others.
    const lines: string[] = [];
    await checkCommand(config(), { json: true, profiles }, (line) => lines.push(line));
    const errors = lines
      .map((line) => JSON.parse(line) as { severity?: string; what?: string })
      .filter(({ severity, what }) => severity === 'error' && !/interface/.test(what ?? ''));
    expect(errors).toEqual([]);
  });
});

describe('files', () => {
  test('secrets are for one reader, the configuration for the group, nothing for everybody', async () => {
    await quiet({ config: config(), machine: made(BOARD), yes: true });
    expect(readdirSync(directory).toSorted()).toEqual(['alarm.secret', 'portcullis.yaml', 'vault.password']);
    expect(mode('alarm.secret')).toBe('400');
    expect(mode('vault.password')).toBe('400');
    expect(mode('portcullis.yaml')).toBe('640');
    expect(readFileSync(join(directory, 'alarm.secret'), 'utf8')).toMatch(/^whsec_[A-Za-z0-9+/]{43}=\n$/);
  });

  test('users that are there own what they read', async () => {
    if (process.getuid?.() !== 0) return console.warn('SKIPPED: owners of secrets: needs root');
    const root = made(BOARD);
    writeFileSync(
      join(root, 'etc/passwd'),
      'portcullis-interlock:x:4711:1::/:\nportcullis-controller:x:4712:1::/:\n',
    );
    writeFileSync(join(root, 'etc/group'), 'portcullis:x:4713:\n');
    await quiet({ config: config(), machine: root, yes: true });
    expect(statSync(join(directory, 'alarm.secret')).uid).toBe(4711);
    expect(statSync(join(directory, 'vault.password')).uid).toBe(4712);
    expect(statSync(config())).toMatchObject({ uid: 0, gid: 4713 });
  });

  test('a configuration that is there is copied, a secret that is there stays', async () => {
    writeFileSync(config(), 'mine: true\n');
    writeFileSync(join(directory, 'vault.password'), 'correct horse battery staple\n');
    await quiet({ config: config(), machine: made(BOARD), yes: true });
    const copies = readdirSync(directory).filter((name) => name.startsWith('portcullis.yaml.'));
    expect(copies).toHaveLength(1);
    expect(readFileSync(join(directory, copies[0] ?? ''), 'utf8')).toBe('mine: true\n');
    expect(readFileSync(join(directory, 'vault.password'), 'utf8')).toBe('correct horse battery staple\n');
    expect(readFileSync(config(), 'utf8')).toContain('links:');
  });
});

describe('answers', () => {
  test.each([
    ['relay: /dev/ttyS9\n', /relay: not \/dev\/ttyS9: one of: /],
    ['channel: 9\n', /channel: not 9: a whole number from 1 to 8/],
    ['link: The Vault\n', /link: not The Vault/],
    ['chanel: 2\n', /nobody asked for chanel/],
    ['opens: every day at two\n', /does not pass|opens: not/],
    ['opens: 99 2 * * *\n', /opens: not .*the field "minute" is wrong/],
    ['vault: rest\nvault_host: a:b\n', /vault_host: not a:b/],
  ])('%j will not do, and nothing is written', async (text, why) => {
    const call = quiet({ config: config(), machine: made(BOARD), answers: answers(text) });
    await expect(call).rejects.toThrow(why);
    await expect(call).rejects.toBeInstanceOf(CommandError);
    expect(readdirSync(directory)).toEqual(['answers.yaml']);
  });

  test('a person is asked again, may answer by number, and takes the proposal with an empty line', async () => {
    const typed = ['nonsense', '2', ''];
    const told: string[] = [];
    const read = (): Promise<string> => Promise.resolve(typed.shift() ?? '');
    const question = { id: 'x', text: 'Which?', proposal: 'a', choices: ['a', 'b'] };
    await expect(asked(question, read, (line) => told.push(line))).resolves.toBe('b');
    expect(told).toContain('not nonsense: one of: a, b');
    await expect(asked(question, read, () => {})).resolves.toBe('a');
  });
});
