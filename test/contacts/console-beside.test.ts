/** A console that hangs delays nobody else: a relay beside it is cut in the same tick. And what the configuration makes of a console. */
import { describe, expect, test } from 'vitest';
import { Bus } from '../../src/contacts/bus.ts';
import { cut } from '../../src/contacts/cut.ts';
import { createHardware } from '../../src/contacts/drivers.ts';
import { HardwareProblems } from '../../src/contacts/hardware-problems.ts';
import { ModbusBoard } from '../../src/contacts/modbus/board.ts';
import { BoardContact } from '../../src/contacts/board-contact.ts';
import { ModbusWire } from '../../src/contacts/modbus/exchange.ts';
import type { HardwareSettings } from '../../src/contacts/hardware-settings.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import type { Transport } from '../../src/contacts/transport.ts';
import { until } from './bench.ts';
import { consoleOn, switchProfile } from './console-parts.ts';
import { bounded, current } from './contract.ts';
import { FakeSwitch } from './fake-switch.ts';
import { byId, testProfile } from './profiles.ts';

const PORT = 'GigabitEthernet1/0/1';
const READ_COILS = 1;
/** Where the function stands in a Modbus TCP frame, and how long the header before it is. */
const FUNCTION_AT = 7;

/** A relay board on Modbus TCP that obeys at once. */
function relay(): { readonly contact: BoardContact; readonly frames: Buffer[] } {
  const frames: Buffer[] = [];
  const transport: Transport = {
    where: 'a relay for tests',
    byteMs: 0,
    quietMs: 0,
    open: (events) =>
      Promise.resolve({
        write: (bytes) => {
          const frame = Buffer.from(bytes);
          frames.push(frame);
          const answer =
            frame[FUNCTION_AT] === READ_COILS
              ? Buffer.concat([frame.subarray(0, 4), Buffer.from([0, 4, frame[6] ?? 1, READ_COILS, 1, 0])])
              : frame;
          setImmediate(() => events.onBytes(answer));
          return true;
        },
        drain: () => 0,
        discard: () => undefined,
      }),
  };
  const timers = processTimers;
  const bus = new Bus({ transport, timers, framesHaveIds: true });
  const board = new ModbusBoard(testProfile(), { wire: new ModbusWire('modbus-tcp'), unit: 1 });
  return {
    frames,
    contact: new BoardContact({ name: 'relay', bus, board, channel: 1, hardwareLeaseMs: null, timers }),
  };
}

describe('a console that hangs beside a relay', () => {
  test('holds the cut of the relay up by nothing, whichever is named first', async () => {
    for (const order of ['console first', 'relay first']) {
      const fake = new FakeSwitch();
      const profile = switchProfile('cisco/catalyst-ios', { reply_timeout_ms: 1000, wake_ms: 150 });
      const port = consoleOn(profile, fake.transport).contact(PORT);
      const { contact, frames } = relay();
      expect(await bounded(port.connect(current))).toMatchObject({ kind: 'done' });
      expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
      fake.silent = true;
      const reading = port.read();
      const before = frames.length;
      const receipts = cut(order === 'console first' ? [port, contact] : [contact, port]);
      expect(frames.length, order).toBe(before + 1);
      const [first, second] = order === 'console first' ? receipts.toReversed() : receipts;
      expect(await bounded(first?.acknowledged ?? Promise.reject(new Error('no receipt')))).toMatchObject({
        kind: 'done',
      });
      expect(await bounded(second?.acknowledged ?? Promise.reject(new Error('no receipt')))).toMatchObject({
        kind: 'unknown',
      });
      expect(await bounded(reading)).toMatchObject({ position: 'unknown' });
      fake.speak();
      await until(() => fake.isShut(PORT) === true, 'the port is shut, too');
      await Promise.all([port.close(), contact.close()]);
    }
  });
});

describe('from a configuration', () => {
  const profiles = byId(switchProfile('cisco/catalyst-ios'), switchProfile('juniper/junos'));
  const settings = (contact: object, witness = 'port'): HardwareSettings => ({
    buses: { switch: { transport: 'serial', device: '/dev/null/console', login: { username: 'gate' } } },
    links: {
      vault: {
        contacts: [{ name: 'port', profile: 'cisco/catalyst-ios', bus: 'switch', port: PORT, ...contact }],
        witnesses: [{ name: 'seen', type: 'console', contact: witness }],
      },
    },
  });

  test('a contact and its witness are made, and a device that is not there reads unknown', async () => {
    const hardware = await createHardware(settings({}), profiles);
    const link = hardware.links.get('vault');
    const [contact] = link?.contacts ?? [];
    expect(contact?.kind).toBe('holding');
    expect((await bounded(contact?.read() ?? Promise.reject(new Error('no contact')))).position).toBe(
      'unknown',
    );
    const [witness] = link?.witnesses ?? [];
    expect(witness?.type).toBe('console');
    await hardware.close();
  });

  test('an abbreviated port, a port with more behind it, an unsuitable switch are refused', async () => {
    const refused = async (contact: object): Promise<string> => {
      try {
        await createHardware(settings(contact), profiles);
        return '';
      } catch (error) {
        if (error instanceof HardwareProblems) return error.problems.join('\n');
        throw error;
      }
    };
    expect(await refused({ port: 'Gi1/0/1' })).toContain('named in full');
    expect(await refused({ port: `${PORT}\rwrite` })).toContain('no port of this switch');
    expect(await refused({ profile: 'juniper/junos', port: 'ge-0/0/1' })).toContain('must not be a contact');
  });
});
