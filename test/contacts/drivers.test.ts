import { describe, expect, test } from 'vitest';
import { createHardware } from '../../src/contacts/drivers.ts';
import { HardwareProblems, hardwareProblems } from '../../src/contacts/hardware-problems.ts';
import type { BusSettings, ContactSettings, HardwareSettings } from '../../src/contacts/hardware-settings.ts';
import { modbusTransport as transportFor } from '../../src/contacts/modbus/hardware.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { byId, testProfile } from './profiles.ts';

const lease = {
  function: 5,
  address: 0x200,
  unit_ms: 100,
  min: 1,
  max: 100,
  default_ms: 5000,
  evidence: { renewal: 'unproven', isolate_cancels: 'unproven', connect_makes_permanent: 'unproven' },
} as const;
const plain = testProfile();
const leased = testProfile({ id: 'test/leased', hardware_lease: lease, contact: 'holding' });
const profiles = byId(plain, leased);
const board: BusSettings = { transport: 'modbus-tcp', host: '127.0.0.1', port: 5020 };

function settings(
  contacts: readonly Partial<ContactSettings>[],
  buses: HardwareSettings['buses'] = { board },
): HardwareSettings {
  const whole = contacts.map((contact, index) => ({
    name: `relay${index}`,
    profile: plain.id,
    bus: 'board',
    unit: 1,
    channel: index + 1,
    ...contact,
  }));
  return { buses, links: { vault: { contacts: whole, witnesses: [] } } };
}

const problemsOf = (...args: Parameters<typeof settings>): readonly string[] =>
  hardwareProblems(settings(...args), profiles);

describe('what the configuration may ask for', () => {
  test('nothing wrong, nothing said; and nothing is opened', async () => {
    const hardware = await createHardware(settings([{}, { profile: leased.id, unit: 2 }]), profiles);
    expect(hardware.contacts.map((contact) => [contact.name, contact.kind, contact.hardwareLeaseMs])).toEqual(
      [
        ['relay0', 'fail-safe', null],
        ['relay1', 'holding', 5000],
      ],
    );
    await hardware.close();
  });

  test('a hardware lease is the profile’s, one of its own, or none', async () => {
    const unit = (value: number, hardware_lease?: number | 'none') => ({
      profile: leased.id,
      unit: value,
      ...(hardware_lease === undefined ? {} : { hardware_lease }),
    });
    const hardware = await createHardware(settings([unit(2), unit(2, 1200), unit(2, 'none')]), profiles);
    expect(hardware.contacts.map((contact) => contact.hardwareLeaseMs)).toEqual([5000, 1200, null]);
    await hardware.close();
  });

  test.each<readonly [string, Partial<ContactSettings>, string]>([
    ['a bus that is not there', { bus: 'other' }, 'there is no bus other'],
    ['a profile that is not there', { profile: 'no/such' }, 'there is no profile no/such'],
    ['a channel that is not there', { channel: 9 }, 'channel 9 does not exist on this board'],
    [
      'a lease that the board does not have',
      { hardware_lease: 5000 },
      'this board has no timer that isolates',
    ],
    [
      'a lease that is too long',
      { profile: leased.id, hardware_lease: 60_000 },
      'it can do 100 to 10000 ms in steps of 100 ms',
    ],
    ['a lease between two steps', { profile: leased.id, hardware_lease: 150 }, 'cannot count 150 ms'],
  ])('%s', async (_name, contact, problem) => {
    expect(problemsOf([contact])).toEqual([expect.stringContaining(problem)]);
    await expect(createHardware(settings([contact]), profiles)).rejects.toThrow(HardwareProblems);
  });

  test('a transport that the board does not have', () => {
    const only = testProfile({ transports: ['modbus-rtu'] });
    expect(hardwareProblems(settings([{}]), byId(only))).toEqual([
      'contact relay0 of link vault: this board does not speak modbus-tcp, the transport of bus "board" (it speaks modbus-rtu)',
    ]);
  });

  test('one channel for two contacts, one unit with two profiles, one place for two buses', () => {
    expect(problemsOf([{ channel: 1 }, { channel: 1 }])).toEqual([
      expect.stringContaining('is already contact relay0'),
    ]);
    expect(problemsOf([{}, { profile: leased.id }])).toEqual([
      expect.stringContaining('already has the profile'),
    ]);
    expect(problemsOf([{}], { board, twin: board })).toEqual([
      expect.stringContaining('both lead to 127.0.0.1:5020'),
    ]);
  });

  test('a witness on a bus that is not there', () => {
    const { buses, links } = settings([{}]);
    const witnesses = [
      {
        name: 'mirror',
        type: 'modbus-discrete-input',
        bus: 'other',
        unit: 1,
        input: 0,
        isolated_when: 0,
      } as const,
    ];
    const vault = { contacts: links['vault']?.contacts ?? [], witnesses };
    expect(hardwareProblems({ buses, links: { vault } }, profiles)).toEqual([
      'witness mirror of link vault: there is no bus other',
    ]);
  });

  test('everything is said at once', () => {
    expect(problemsOf([{ channel: 9 }, { bus: 'other' }, { profile: 'no/such', unit: 2 }])).toHaveLength(3);
  });
});

describe('transports', () => {
  test('a serial line takes what the configuration says, and the profile for the rest', () => {
    const asked = transportFor({ transport: 'modbus-rtu', device: '/dev/ttyX', baud: 9600, parity: 'even' }, [
      plain,
    ]);
    expect(asked.byteMs).toBeCloseTo((11 * 1000) / 9600);
    expect(asked.quietMs).toBeCloseTo((3.5 * 11 * 1000) / 9600);
    const factory = transportFor({ transport: 'modbus-rtu', device: '/dev/ttyX' }, [plain]);
    expect(factory.byteMs).toBeCloseTo((10 * 1000) / 115_200);
    expect(factory.quietMs).toBe(1.75);
    expect(factory.where).toBe('serial /dev/ttyX');
  });

  test('every shipped profile can be reached over each of its transports', async () => {
    const store = await loadProfiles();
    expect(store.problems).toEqual([]);
    for (const profile of store.profiles.values()) {
      if (profile.driver !== 'modbus') continue;
      for (const transport of profile.transports) {
        const bus: BusSettings =
          transport === 'modbus-rtu'
            ? { transport, device: '/dev/ttyX' }
            : { transport, host: '127.0.0.1', port: 5020 };
        const contacts = [{ name: 'relay', profile: profile.id, bus: 'board', unit: 1, channel: 1 }];
        const hardware = await createHardware(
          { buses: { board: bus }, links: { vault: { contacts, witnesses: [] } } },
          store.profiles,
        );
        expect(hardware.contacts).toHaveLength(1);
        await hardware.close();
      }
    }
  });
});
