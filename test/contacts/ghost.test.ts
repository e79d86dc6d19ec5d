/**
 * The ghost: a connect that timed out while the cable was out must not move the relay when the cable returns.
 * A real cable (veth into a network namespace) is really cut; the slaves are libmodbus and pymodbus.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HEARD_MS } from '../../src/contacts/tempo.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import { createHardware } from '../../src/contacts/drivers.ts';
import { encodeRequest } from '../../src/contacts/modbus/frame.ts';
import type { Contact } from '../../src/contacts/port.ts';
import { CarrierWitness } from '../../src/contacts/witnesses/carrier.ts';
import { FileReads } from '../../src/contacts/witnesses/file-reads.ts';
import {
  compileLibmodbus,
  libmodbus,
  pymodbus,
  pymodbusMissing,
  scratch,
  skipLoudly,
  type Slave,
  until,
} from './bench.ts';
import { type Cable, cableMissing, layCable } from './cable.ts';
import { bounded, current } from './contract.ts';
import { byId, testProfile } from './profiles.ts';

const directory = scratch();
const missing = cableMissing();
const compiled = compileLibmodbus(directory.path);
const libmodbusWhy = missing ?? ('missing' in compiled ? compiled.missing : null);
const program = 'program' in compiled ? compiled.program : '';
const pymodbusWhy = missing ?? pymodbusMissing();
afterAll(directory.remove);

/** The coil that the bench itself writes to, to show that this cable does deliver ghosts. */
const CONTROL_COIL = 100;
/** ms; three probes for a neighbour, one second apart, and a little. */
const NEIGHBOUR_MS = 4000;
const profile = testProfile();
let cable: Cable | null = null;
let slave: Slave | null = null;
let contact: Contact | null = null;
const sockets: Socket[] = [];

function present<T>(value: T | null): T {
  if (value === null) throw new Error('the bench is not set up');
  return value;
}

async function contactAt(host: string, port: number): Promise<Contact> {
  const place = { name: 'relay', profile: profile.id, bus: 'bus', unit: 1, channel: 1 };
  const hardware = await createHardware(
    {
      buses: { bus: { transport: 'modbus-tcp', host, port } },
      links: { vault: { contacts: [place], witnesses: [] } },
    },
    byId(profile),
  );
  const [made] = hardware.contacts;
  if (made === undefined) throw new Error('no contact was made');
  return made;
}

/** Writes a connect of another coil as a master does that leaves its socket alone: the ghost itself. */
async function control(host: string, port: number, address: number): Promise<() => void> {
  const socket = connect({ host, port });
  sockets.push(socket);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  const request = { function: 5, address, value: 0xff00 } as const;
  return () => socket.write(encodeRequest('modbus-tcp', { transaction: 1, unit: 1 }, request));
}

function ghosts(kind: string, why: string | null, start: (at: Cable) => Promise<Slave>): void {
  describe.skipIf(skipLoudly(`the ghost over a cable that is really cut (${kind})`, why))(
    `a cut cable to ${kind}`,
    () => {
      beforeAll(async () => {
        cable = layCable();
        slave = await start(cable);
      });
      afterEach(async () => {
        await contact?.close();
        contact = null;
        for (const socket of sockets.splice(0)) socket.resetAndDestroy();
        cable?.plug();
      });
      afterAll(async () => {
        await slave?.stop();
        cable?.remove();
      });

      test('a connect that timed out while it was out does not move the relay when it returns', async () => {
        const { far, pull, plug } = present(cable);
        const { port, coil, writes } = present(slave);
        const relay = (contact = await contactAt(far, port));
        expect(await bounded(relay.isolate().acknowledged)).toMatchObject({ kind: 'done' });
        const writeControl = await control(far, port, CONTROL_COIL);
        const before = writes.length;
        pull();
        writeControl();
        await longerThan(HEARD_MS + profile.timings.gap_ms);
        expect(await bounded(relay.connect(current))).toMatchObject({ kind: 'unknown' });
        plug();
        await until(() => coil(CONTROL_COIL), 'the cable delivers what an abandoned socket had queued');
        expect(await bounded(eventually(relay))).toBe('isolated');
        expect(writes.slice(before)).not.toContain('0=1');
        expect(coil(0)).toBe(false);
      }, 60_000);

      test('a connect written in the instant in which it was pulled is followed by an isolate when it returns', async () => {
        const { far, pull, plug } = present(cable);
        const { port, coil, writes } = present(slave);
        const relay = (contact = await contactAt(far, port));
        expect(await bounded(relay.isolate().acknowledged)).toMatchObject({ kind: 'done' });
        const writeControl = await control(far, port, CONTROL_COIL + 1);
        expect(await bounded(relay.read())).toMatchObject({ position: 'isolated' });
        // The board was heard just now, so this connect is written, into the dead cable. The kernel may deliver it later.
        pull();
        writeControl();
        expect(await bounded(relay.connect(current))).toMatchObject({ kind: 'unknown' });
        const before = writes.length;
        plug();
        await until(() => coil(CONTROL_COIL + 1), 'the cable delivers what an abandoned socket had queued');
        // The retransmissions of the two sockets are a few ms apart.
        await longerThan(500);
        expect(await bounded(eventually(relay))).toBe('isolated');
        await until(() => !coil(0), 'the slave is isolated');
        expect(writes.slice(before).findLast((write) => write.startsWith('0='))).not.toBe('0=1');
      }, 60_000);

      test('a connect written in the instant in which it was pulled is not retransmitted after a long outage', async () => {
        const { far, pull, plug } = present(cable);
        const { port, coil, writes } = present(slave);
        const relay = (contact = await contactAt(far, port));
        expect(await bounded(relay.isolate().acknowledged)).toMatchObject({ kind: 'done' });
        const writeControl = await control(far, port, CONTROL_COIL + 2);
        expect(await bounded(relay.read())).toMatchObject({ position: 'isolated' });
        // The board was heard just now, so this connect is written, into the dead cable. The kernel retransmits it.
        pull();
        writeControl();
        expect(await bounded(relay.connect(current))).toMatchObject({ kind: 'unknown' });
        // Longer than the kernel keeps frames for an unresolved neighbour: from here only TCP itself could deliver it.
        await longerThan(NEIGHBOUR_MS);
        const before = writes.length;
        plug();
        await until(() => coil(CONTROL_COIL + 2), 'the cable delivers what an abandoned socket had queued');
        // The retransmissions of the two sockets are a few ms apart.
        await longerThan(500);
        expect(await bounded(eventually(relay))).toBe('isolated');
        await until(() => !coil(0), 'the slave is isolated');
        expect(writes.slice(before)).not.toContain('0=1');
      }, 60_000);

      test('an isolate that nobody answered is not reported done, and is the first thing when the cable returns', async () => {
        const { far, pull, plug } = present(cable);
        const { port, coil, writes } = present(slave);
        const relay = (contact = await contactAt(far, port));
        expect(await bounded(relay.connect(current))).toMatchObject({ kind: 'done' });
        await until(() => coil(0), 'the slave is connected');
        const before = writes.length;
        pull();
        await longerThan(HEARD_MS + profile.timings.gap_ms);
        // A renewal dies with the cable; a cut follows. Neither is answered.
        expect(await bounded(relay.connect(current))).toMatchObject({ kind: 'unknown' });
        expect(await bounded(relay.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
        expect(await bounded(relay.read())).toMatchObject({ position: 'unknown' });
        expect(coil(0)).toBe(true);
        plug();
        await until(() => !coil(0), 'the isolate is carried out');
        expect(await bounded(eventually(relay))).toBe('isolated');
        expect(writes.slice(before)).not.toContain('0=1');
      }, 60_000);

      test('9: with the cable out, everything on a fresh bus ends in bounded time, and connecting goes on', async () => {
        const { far, pull, plug } = present(cable);
        const { port, coil } = present(slave);
        const relay = await contactAt(far, port);
        expect(await bounded(relay.connect(current))).toMatchObject({ kind: 'done' });
        await relay.close();
        pull();
        const fresh = (contact = await contactAt(far, port));
        expect(await bounded(fresh.read())).toMatchObject({ position: 'unknown' });
        expect(await bounded(fresh.connect(current))).toMatchObject({ kind: 'unknown' });
        const receipt = fresh.isolate();
        expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'unknown' });
        plug();
        await until(() => !coil(0), 'the isolate is carried out');
        expect(await bounded(receipt.written)).toEqual(expect.any(Number));
      }, 60_000);

      test('the carrier of our end tells a pulled plug from an interface out of service', async () => {
        const { interface: name, pull, plug, administer } = present(cable);
        const witness = new CarrierWitness({
          name: 'w',
          interface: name,
          reads: new FileReads(),
          timers: processTimers,
        });
        const becomes = async (wanted: string): Promise<void> => {
          let seen = '';
          for (let tries = 0; tries < 400 && seen !== wanted; tries += 1) {
            seen = (await witness.read()).position;
            await new Promise((resolve) => setTimeout(resolve, 25));
          }
          expect(seen).toBe(wanted);
        };
        await becomes('connected');
        pull();
        await becomes('isolated');
        plug();
        await becomes('connected');
        administer('down');
        await becomes('unknown');
        administer('up');
        await becomes('connected');
      }, 60_000);
    },
  );
}

/** Waits longer than `ms`; how much longer does not matter. */
const longerThan = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms + 50));

/** The first reading that is not unknown: a fresh wire may take a moment after the cable is back. */
async function eventually(relay: Contact): Promise<string> {
  for (;;) {
    const { position } = await relay.read();
    if (position !== 'unknown') return position;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

ghosts('libmodbus', libmodbusWhy, (at) => libmodbus(program, ['tcp', at.far], at.inside));
ghosts('pymodbus', pymodbusWhy, (at) => pymodbus('tcp', at.far, 1, at.inside));
