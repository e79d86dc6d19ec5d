/** The Modbus driver on a board that is commanded by register writes, against a slave written from its vendor's command list. */
import { afterEach, describe, expect, test } from 'vitest';
import { createHardware } from '../../src/contacts/drivers.ts';
import type { ModbusProfile } from '../../src/contacts/modbus/profile.ts';
import type { Contact } from '../../src/contacts/port.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { delayRelays, honest, pymodbusMissing, skipLoudly, type Slave, until, wireBetween } from './bench.ts';
import { type Bench, bounded, contactContract, current } from './contract.ts';
import { byId } from './profiles.ts';

const missing = pymodbusMissing();
const CHANNEL = 3;
const COIL = CHANNEL - 1;
/** A part that answers every question is slower than a real one when the machine is busy. */
const PATIENT = { reply_timeout_ms: 1000, gap_ms: 5, settle_ms: 0, worst_reply_delay_ms: 500 };

const { profiles } = await loadProfiles();
const own = profiles.get('eletechsup/r4d8a08');
if (own?.driver !== 'modbus') throw new Error('no profile of the board');
const profile: ModbusProfile = {
  ...own,
  timings: PATIENT,
  startup_checks: [{ name: 'parity', function: 3, address: 0x00ff, quantity: 1, every: 0, danger: 'None.' }],
};

async function contactAt(
  port: number,
  lease: number | 'none',
  transport: 'modbus-tcp' | 'rtu-over-tcp' = 'modbus-tcp',
): Promise<Contact> {
  const place = { name: 'relay', profile: profile.id, bus: 'bus', unit: 1, channel: CHANNEL };
  const {
    contacts: [made],
  } = await createHardware(
    {
      buses: { bus: { transport, host: '127.0.0.1', port } },
      links: { vault: { contacts: [{ ...place, hardware_lease: lease }], witnesses: [] } },
    },
    byId(profile),
  );
  if (made === undefined) throw new Error('no contact was made');
  return made;
}

async function bench(transport: 'modbus-tcp' | 'rtu-over-tcp', lease: number | 'none'): Promise<Bench> {
  const slave = await delayRelays(transport === 'modbus-tcp' ? 'tcp' : 'rtu-tcp', '127.0.0.1');
  const wire = await wireBetween(slave.port);
  return {
    contact: await contactAt(wire.port, lease, transport),
    seen: () => (slave.coil(COIL) ? 'connected' : 'isolated'),
    unplug: () => (wire.behave = (passage) => passage.hangUp('rst')),
    plug: () => (wire.behave = honest),
    end: async () => {
      await wire.stop();
      await slave.stop();
    },
  };
}

if (!skipLoudly('register commands against pymodbus', missing)) {
  contactContract('Modbus TCP, register commands', () => bench('modbus-tcp', 'none'));
  contactContract('RTU over TCP, register commands with a delay', () => bench('rtu-over-tcp', 60_000));
}

describe.skipIf(missing !== null)('the delay of the board', () => {
  let slave: Slave | null = null;
  let contact: Contact | null = null;
  afterEach(async () => {
    await contact?.close();
    await slave?.stop();
  });
  const begun = async (lease: number | 'none'): Promise<{ slave: Slave; contact: Contact }> => {
    slave = await delayRelays('tcp', '127.0.0.1');
    contact = await contactAt(slave.port, lease);
    return { slave, contact };
  };

  test('isolates by itself when nobody renews it', async () => {
    const board = await begun(2000);
    expect(board.contact.hardwareLeaseMs).toBe(2000);
    expect(await bounded(board.contact.connect(current))).toMatchObject({ kind: 'done' });
    await until(() => board.slave.coil(COIL), 'the relay connects');
    await until(() => !board.slave.coil(COIL), 'the delay ends');
  });

  test('a running delay is ended by an isolate, although plain off does nothing then', async () => {
    const board = await begun(200_000);
    await bounded(board.contact.connect(current));
    await until(() => board.slave.coil(COIL), 'the relay connects');
    expect(await bounded(board.contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    await until(() => !board.slave.coil(COIL), 'the relay isolates');
    expect(await bounded(board.contact.read())).toMatchObject({ position: 'isolated' });
  });

  test('an isolate that only says plain off is not reported done while the delay runs', async () => {
    slave = await delayRelays('tcp', '127.0.0.1');
    // What a profile without 06 00 would do; its findings say so, and the read-back notices it.
    const naive: ModbusProfile = {
      ...profile,
      isolate: { function: 6, address: 1, value: 0x0200, read_back: true },
    };
    const place = { name: 'relay', profile: naive.id, bus: 'bus', unit: 1, channel: CHANNEL };
    const bus = { transport: 'modbus-tcp', host: '127.0.0.1', port: slave.port } as const;
    const {
      contacts: [made],
    } = await createHardware(
      {
        buses: { bus },
        links: { vault: { contacts: [{ ...place, hardware_lease: 200_000 }], witnesses: [] } },
      },
      byId(naive),
    );
    if (made === undefined) throw new Error('no contact');
    contact = made;
    await bounded(made.connect(current));
    expect(await bounded(made.isolate().acknowledged)).toEqual({
      kind: 'refused',
      why: 'unit 1 was told to isolate and does not read isolated',
    });
    expect(slave.coil(COIL)).toBe(true);
  });
});
