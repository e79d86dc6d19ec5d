/**
 * What is not proven isolated is told again on every tick of the interlock. However slow the wire, those repetitions must let
 * the readings through that end them.
 */
import { expect, test } from 'vitest';
import { Bus } from '../../src/contacts/bus.ts';
import { CommandContact } from '../../src/contacts/command/contact.ts';
import { CommandWorker } from '../../src/contacts/command/worker.ts';
import { ModbusBoard } from '../../src/contacts/modbus/board.ts';
import { BoardContact } from '../../src/contacts/board-contact.ts';
import { ModbusWire } from '../../src/contacts/modbus/exchange.ts';
import type { Contact } from '../../src/contacts/port.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import type { Transport } from '../../src/contacts/transport.ts';
import { current } from './contract.ts';
import { consoleOn, switchProfile } from './console-parts.ts';
import { FakeSwitch } from './fake-switch.ts';
import { FakeCable, settled, VirtualTimers } from './fake-world.ts';
import { testProfile } from './profiles.ts';

const TICK_MS = 250;
const GENEROUS_MS = 60_000;

/** Four boards on one slow line: a round of isolates takes longer than a tick. */
function slowLine() {
  const timers = new VirtualTimers();
  const cable = new FakeCable('rtu', timers);
  cable.manner = () => ({ kind: 'answers', delayMs: 80 });
  const wire = new ModbusWire('rtu');
  const bus = new Bus({ transport: cable, timers, framesHaveIds: false });
  const contacts = [1, 2, 3, 4].map((unit) => {
    const board = new ModbusBoard(testProfile(), { wire, unit });
    return new BoardContact({ name: `${unit}`, bus, board, channel: 1, hardwareLeaseMs: null, timers });
  });
  const tick = (which: readonly Contact[]): void => {
    for (const contact of which) contact.isolate();
    timers.after(TICK_MS, () => tick(which));
  };
  return { timers, cable, contacts, tick };
}

test('on a slow line, repeated isolates of all boards let each of them be read', async () => {
  const { timers, contacts, tick } = slowLine();
  tick(contacts);
  await timers.advance(5_000);
  const readings = contacts.map((contact) => contact.read());
  await timers.advance(3_000);
  for (const reading of readings) expect(await reading).toMatchObject({ position: 'isolated' });
});

test('an isolate that is news goes before repetitions and before readings that wait', async () => {
  const { timers, cable, contacts, tick } = slowLine();
  const [fresh, ...repeated] = contacts;
  if (fresh === undefined) throw new Error('no contact');
  const connecting = fresh.connect(current);
  await timers.advance(5_000);
  expect(await connecting).toMatchObject({ kind: 'done' });
  tick(repeated);
  await timers.advance(5_000);
  for (const contact of repeated) void contact.read();
  await settled();
  const before = cable.written.length;
  fresh.isolate();
  await timers.advance(200);
  expect(cable.written.slice(before).map(({ unit, function: code }) => ({ unit, code }))[0]).toEqual({
    unit: 1,
    code: 5,
  });
});

/** Repeats the isolate in real time until the contact was read isolated, for as long as the test may last. */
async function readWhileRepeating(contact: Contact): Promise<void> {
  const receipt = contact.isolate();
  const repeating = setInterval(() => contact.isolate(), TICK_MS);
  try {
    await expect
      .poll(async () => (await contact.read()).position, { timeout: GENEROUS_MS / 2, interval: 50 })
      .toBe('isolated');
    expect(await receipt.acknowledged).toMatchObject({ kind: 'done' });
  } finally {
    clearInterval(repeating);
    await contact.close();
  }
}

test(
  'on a slow console, repeated isolates let the port be read, and the proof of the isolate come',
  { timeout: GENEROUS_MS },
  async () => {
    const { transport } = new FakeSwitch();
    const slow: Transport = {
      ...transport,
      open: (events) =>
        transport.open({
          ...events,
          onBytes: (chunk) => void setTimeout(() => events.onBytes(chunk), TICK_MS),
        }),
    };
    const profile = switchProfile('cisco/catalyst-ios', { reply_timeout_ms: 20_000 });
    await readWhileRepeating(consoleOn(profile, slow).contact('GigabitEthernet1/0/1'));
  },
);

test(
  'programs that take longer than a tick are read although the isolate is repeated',
  { timeout: GENEROUS_MS },
  async () => {
    const call = { argv: ['/bin/sleep', '0.4'], timeoutMs: 10_000 };
    const contact = new CommandContact({
      name: 'usb',
      kind: 'holding',
      worker: new CommandWorker(processTimers),
      calls: { connect: { ...call, done: { exit: [0] } }, isolate: { ...call, done: { exit: [0] } } },
      read: { ...call, connected: { exit: [1] }, isolated: { exit: [0] } },
    });
    await readWhileRepeating(contact);
  },
);
