/** Every Modbus profile through the whole driver, over a real port, against its emulated board. */
import { describe, expect, test } from 'vitest';
import { createHardware } from '../../src/contacts/drivers.ts';
import type { ModbusProfile } from '../../src/contacts/modbus/profile.ts';
import type { Contact } from '../../src/contacts/port.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import { startEmulation } from '../../src/emulator/emulation.ts';
import { until } from './bench.ts';
import { bounded, current } from './contract.ts';
import { byId } from './profiles.ts';

const { profiles } = await loadProfiles();
/** The rests between requests are for real boards. */
const boards = [...profiles.values()]
  .filter((profile) => profile.driver === 'modbus')
  .map((profile) => ({ ...profile, timings: { ...profile.timings, gap_ms: 1 } }));
const named = (list: readonly ModbusProfile[]): { id: string; profile: ModbusProfile }[] =>
  list.map((profile) => ({ id: profile.id, profile }));

interface Played {
  readonly contact: Contact;
  readonly board: Awaited<ReturnType<typeof startEmulation>>['board'];
}

/** The last channel of a board, played on a port of this machine; `lease` as the configuration writes it. */
async function played(
  profile: ModbusProfile,
  lease: 'none' | undefined,
  act: (parts: Played) => Promise<void>,
): Promise<void> {
  const tcp = { host: '127.0.0.1', port: 0, framing: 'modbus-tcp' } as const;
  const emulation = await startEmulation({ profile, tcp }, processTimers);
  const place = { unit: profile.unit, channel: profile.channels };
  const bus = { transport: 'modbus-tcp', host: '127.0.0.1', port: emulation.tcp?.port ?? 0 } as const;
  const hardware = await createHardware(
    {
      buses: { bus: { ...bus, reply_timeout: 5_000 } },
      links: {
        vault: {
          contacts: [
            {
              name: 'relay',
              profile: profile.id,
              bus: 'bus',
              ...place,
              ...(lease === undefined ? {} : { hardware_lease: lease }),
            },
          ],
          witnesses: [],
        },
      },
    },
    byId(profile),
  );
  try {
    const [contact] = hardware.contacts;
    if (contact === undefined) throw new Error('no contact was made');
    await act({ contact, board: emulation.board });
  } finally {
    await hardware.close();
    await emulation.close();
  }
}

describe.each(named(boards))('$id', ({ profile }) => {
  test.each(profile.hardware_lease === undefined ? (['none'] as const) : (['none', undefined] as const))(
    'connects, reads and isolates (hardware lease: %s)',
    async (lease) => {
      await played(profile, lease, async ({ contact, board }) => {
        expect(contact.hardwareLeaseMs).toBe(
          lease === 'none' ? null : (profile.hardware_lease?.default_ms ?? null),
        );
        expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
        expect(board.isConnected(profile.channels)).toBe(true);
        expect(await bounded(contact.read())).toMatchObject({ position: 'connected' });
        expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
        expect(board.isConnected(profile.channels)).toBe(false);
        expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
      });
    },
  );
});

test.each(named(boards.filter((profile) => profile.startup_checks.length > 0)))(
  '$id: a wrong setting is named, and no other',
  async ({ profile }) => {
    await played(profile, 'none', async ({ contact, board }) => {
      expect(await bounded(contact.settingsProblems())).toEqual([]);
      for (const [index, check] of profile.startup_checks.entries()) {
        board.addFault({ name: 'wrong-setting', value: index + 1, on: 'any', times: null });
        const problems = await bounded(contact.settingsProblems());
        expect(problems).toHaveLength(1);
        expect(problems[0]).toContain(`${check.name} of unit ${profile.unit}: `);
        expect(problems[0]).toContain(check.danger);
        board.clearFaults();
      }
    });
  },
);

test('a watchdog isolates when this side falls silent, and is no hardware lease', async () => {
  const profile = boards.find(({ id }) => id === 'wirenboard/wb-mr6c-v3');
  const check = profile?.startup_checks.find(({ name }) => name === 'safety-timeout');
  if (profile === undefined || check?.function !== 3) throw new Error('no profile of the board');
  // The shortest time that the module counts: the test waits for it.
  const quick = { ...check, between: { least: 1, most: 1, usual: 1 } };
  const checks = profile.startup_checks.map((each) => (each === check ? quick : each));
  await played({ ...profile, startup_checks: checks }, undefined, async ({ contact, board }) => {
    const causes: string[] = [];
    board.watch((event) => {
      if (event.event === 'contact' && event.position === 'isolated') causes.push(event.cause);
    });
    expect(contact.hardwareLeaseMs).toBeNull();
    await bounded(contact.connect(current));
    await until(() => causes.length > 0, 'the module isolates by itself');
    expect(causes).toEqual(['watchdog']);
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
  });
});
