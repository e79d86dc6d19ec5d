/** Serial boards as the configuration asks for them, from the one table of drivers. */
import { describe, expect, test } from 'vitest';
import { createHardware, type Hardware } from '../../src/contacts/drivers.ts';
import type { BusSettings, ContactSettings } from '../../src/contacts/hardware-settings.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { profileText } from '../../src/contacts/profile-text.ts';
import { pythonMissing, serialSlave, skipLoudly } from './bench.ts';
import { bounded, current } from './contract.ts';

const { profiles, problems } = await loadProfiles();
const python = skipLoudly('a serial board from its configuration', pythonMissing());

function made(bus: BusSettings, contacts: readonly ContactSettings[]): Promise<Hardware> {
  return createHardware({ buses: { board: bus }, links: { vault: { contacts, witnesses: [] } } }, profiles);
}

test('serial profiles are among those that the program reads without a problem', () => {
  expect(
    problems.filter(({ file }) => /conrad|denkovi|devantech|icstation|kmtronic|lc-|numato/.test(file)),
  ).toEqual([]);
  expect([...profiles.values()].filter(({ driver }) => driver === 'serial').length).toBeGreaterThanOrEqual(
    20,
  );
});

test.skipIf(python)('a board on a network connects, renews its lease, isolates', async () => {
  const slave = await serialSlave('eth008', 'tcp:0');
  const relay = { name: 'relay', profile: 'devantech/eth008', bus: 'board', channel: 2 };
  const hardware = await made({ transport: 'tcp', host: '127.0.0.1', port: slave.port }, [relay]);
  const [contact] = hardware.contacts;
  if (contact === undefined) throw new Error('no contact');
  expect(contact).toMatchObject({ kind: 'fail-safe', hardwareLeaseMs: 10_000 });
  expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
  expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
  expect(await bounded(contact.settingsProblems())).toEqual([]);
  expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
  expect(slave.writes.slice(-3)).toEqual(['1=1', '1=1', '1=0']);
  await hardware.close();
  await slave.stop();
});

test('a device that is not there is named, and nothing else', async () => {
  const relay = { name: 'relay', profile: 'kmtronic/usb-relay-2ch', bus: 'board', channel: 1 };
  const hardware = await made({ transport: 'serial', device: '/dev/portcullis-none' }, [relay]);
  const [contact] = hardware.contacts;
  expect(await bounded(contact?.read() ?? Promise.reject(new Error('no contact')))).toMatchObject({
    position: 'unknown',
    detail: expect.stringContaining('/dev/portcullis-none'),
  });
  await hardware.close();
});

test('two channels of one board share its bus, cards of a cascade are told apart', async () => {
  const card = (unit: number, channel: number): ContactSettings => ({
    name: `card ${unit} ${channel}`,
    profile: 'conrad/197720',
    bus: 'board',
    unit,
    channel,
  });
  const device = { transport: 'serial', device: '/dev/portcullis-none' } as const;
  const hardware = await made(device, [card(1, 1), card(1, 2), card(2, 1)]);
  expect(hardware.contacts).toHaveLength(3);
  await expect(made(device, [card(1, 1), card(1, 1)])).rejects.toThrow('already');
});

describe('in words', () => {
  test.each([
    ['lc-technology/lcus-1', 'the board never answers, a witness is mandatory'],
    ['devantech/eth008', '100 to 25500 ms, default 10000 ms'],
    ['devantech/usb-rly16l', 'UNSUITABLE'],
    ['conrad/197720', '06 {address} {bit} {xor}'],
    ['numato/usb-relay-8ch', 'relay off {channel0}{cr}'],
  ])('%s', (id, words) => {
    const profile = profiles.get(id);
    if (profile === undefined) throw new Error(`no profile ${id}`);
    expect(profileText(profile)).toContain(words);
  });
});
