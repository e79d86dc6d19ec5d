/** The Modbus driver against slaves that nobody here wrote, over every transport. */
import { afterAll, describe, expect, test } from 'vitest';
import { createHardware } from '../../src/contacts/drivers.ts';
import type { BusSettings } from '../../src/contacts/hardware-settings.ts';
import {
  compileLibmodbus,
  has,
  honest,
  libmodbus,
  lineBetween,
  pymodbus,
  pymodbusMissing,
  scratch,
  skipLoudly,
  type Slave,
  wireBetween,
} from './bench.ts';
import { type Bench, bounded, contactContract, current } from './contract.ts';
import { byId, testProfile } from './profiles.ts';

const directory = scratch();
afterAll(directory.remove);
const pymodbusWhy = pymodbusMissing();
const compiled = compileLibmodbus(directory.path);
const libmodbusWhy = 'missing' in compiled ? compiled.missing : null;
const program = 'program' in compiled ? compiled.program : '';
const socatWhy = has('socat') ? null : 'socat is missing';

const profile = testProfile({
  startup_checks: [
    { name: 'mode', function: 3, address: 0x1000, quantity: 8, every: 0, danger: 'An input may connect.' },
  ],
});
/** Channel 3: one that is not address 0 by accident. */
const CHANNEL = 3;
const COIL = CHANNEL - 1;

async function contactOn(bus: BusSettings, unit = 1) {
  const contact = { name: 'relay', profile: profile.id, bus: 'bus', unit, channel: CHANNEL };
  const links = { vault: { contacts: [contact], witnesses: [] } };
  const {
    contacts: [made],
  } = await createHardware({ buses: { bus }, links }, byId(profile));
  if (made === undefined) throw new Error('no contact was made');
  return made;
}

/** A slave behind a TCP wire that can be unplugged. */
async function overTcp(transport: 'modbus-tcp' | 'rtu-over-tcp', slave: Slave): Promise<Bench> {
  const wire = await wireBetween(slave.port);
  return {
    contact: await contactOn({ transport, host: '127.0.0.1', port: wire.port }),
    seen: () => (slave.coil(COIL) ? 'connected' : 'isolated'),
    // The peer resets every connection; silence is what the serial bench and defects.test.ts are for.
    unplug: () => (wire.behave = (passage) => passage.hangUp('rst')),
    plug: () => (wire.behave = honest),
    end: async () => {
      await wire.stop();
      await slave.stop();
    },
  };
}

async function overSerial(start: (device: string) => Promise<Slave>): Promise<Bench> {
  const own = scratch();
  const line = await lineBetween(own.path);
  const slave = await start(line.theirs);
  return {
    contact: await contactOn({ transport: 'modbus-rtu', device: line.ours }),
    seen: () => (slave.coil(COIL) ? 'connected' : 'isolated'),
    unplug: () => (line.behave = () => undefined),
    plug: () => (line.behave = (passage) => passage.pass(passage.bytes)),
    end: async () => {
      await slave.stop();
      await line.stop();
      own.remove();
    },
  };
}

if (!skipLoudly('Modbus TCP and RTU over TCP against pymodbus', pymodbusWhy)) {
  contactContract('Modbus TCP (pymodbus)', async () =>
    overTcp('modbus-tcp', await pymodbus('tcp', '127.0.0.1')),
  );
  contactContract('RTU over TCP (pymodbus)', async () =>
    overTcp('rtu-over-tcp', await pymodbus('rtu-tcp', '127.0.0.1')),
  );
}
if (!skipLoudly('Modbus TCP against libmodbus', libmodbusWhy)) {
  contactContract('Modbus TCP (libmodbus)', async () =>
    overTcp('modbus-tcp', await libmodbus(program, ['tcp', '127.0.0.1'])),
  );
}
if (!skipLoudly('RTU on a serial line against pymodbus', pymodbusWhy ?? socatWhy)) {
  contactContract('RTU on a serial line (pymodbus)', () => overSerial((device) => pymodbus('rtu', device)));
}
if (!skipLoudly('RTU on a serial line against libmodbus', libmodbusWhy ?? socatWhy)) {
  contactContract('RTU on a serial line (libmodbus)', () =>
    overSerial((device) => libmodbus(program, ['rtu', device, '115200', '1'])),
  );
}

describe.skipIf(pymodbusWhy !== null)('what a slave may say no to', () => {
  test('a unit that is not there is silence, and silence is unknown', async () => {
    const slave = await pymodbus('tcp', '127.0.0.1', 1);
    const contact = await contactOn({ transport: 'modbus-tcp', host: '127.0.0.1', port: slave.port }, 9);
    expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
    expect(slave.writes).toEqual([]);
    await contact.close();
    await slave.stop();
  });

  // libmodbus, because pymodbus 3.8.6 answers an illegal address with a reply that is no exception by the standard.
  test.skipIf(libmodbusWhy !== null)(
    'an exception is a refusal for commands and unknown for readings',
    async () => {
      const slave = await libmodbus(program, ['tcp', '127.0.0.1']);
      const outside = testProfile({
        connect: { function: 5, address: 5000, value: 0xff00 },
        isolate: { function: 5, address: 5000, value: 0 },
        read: { function: 1, address: 5000, quantity: 8, connected_when: 1, reports: 'commanded' },
        startup_checks: [
          { name: 'mode', function: 3, address: 9000, quantity: 1, every: 0, danger: 'None.' },
        ],
      });
      const place = { name: 'relay', profile: outside.id, bus: 'bus', unit: 1, channel: 1 };
      const hardware = await createHardware(
        {
          buses: { bus: { transport: 'modbus-tcp', host: '127.0.0.1', port: slave.port } },
          links: { vault: { contacts: [place], witnesses: [] } },
        },
        byId(outside),
      );
      const [contact] = hardware.contacts;
      if (contact === undefined) throw new Error('no contact');
      expect(await bounded(contact.connect(current))).toMatchObject({
        kind: 'refused',
        why: expect.stringContaining('illegal address'),
      });
      expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
      expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'refused' });
      expect(await bounded(contact.settingsProblems())).toEqual([
        expect.stringContaining('could not be read'),
      ]);
      await hardware.close();
      await slave.stop();
    },
  );

  test('settings that are not as demanded are named with their danger', async () => {
    const slave = await pymodbus('tcp', '127.0.0.1', 1);
    const wrong = testProfile({
      startup_checks: [
        { name: 'mode', function: 3, address: 0x1000, quantity: 2, every: 7, danger: 'It moves.' },
      ],
    });
    const place = { name: 'relay', profile: wrong.id, bus: 'bus', unit: 1, channel: 1 };
    const hardware = await createHardware(
      {
        buses: { bus: { transport: 'modbus-tcp', host: '127.0.0.1', port: slave.port } },
        links: { vault: { contacts: [place], witnesses: [] } },
      },
      byId(wrong),
    );
    const [contact] = hardware.contacts;
    expect(await contact?.settingsProblems()).toEqual([
      'mode of unit 1: holding register 0x1000 holds 0, must be 7, holding register 0x1001 holds 0, must be 7. It moves. To put it right: set holding register 4096 (0x1000) to 7, RTU frame 01 06 10 00 00 07 CC C8. The others likewise.',
    ]);
    await hardware.close();
    await slave.stop();
  });
});
