/**
 * The defects that were measured in modbus-serial (docs/decisions/0001-own-modbus-master.md), one by one: each is provoked
 * here with a slave that nobody here wrote behind a wire that misbehaves, and must not reach us.
 * Numbers 2 and 9 need a cable that is really cut: ghost.test.ts.
 */
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createHardware } from '../../src/contacts/drivers.ts';
import type { BusSettings } from '../../src/contacts/hardware-settings.ts';
import { encodeFrame } from '../../src/contacts/modbus/frame.ts';
import type { CommandOutcome, Contact } from '../../src/contacts/port.ts';
import {
  has,
  honest,
  lineBetween,
  type Passage,
  pymodbus,
  pymodbusMissing,
  scratch,
  skipLoudly,
  until,
  wireBetween,
} from './bench.ts';
import { bounded, current } from './contract.ts';
import { byId, testProfile } from './profiles.ts';

const missing = pymodbusMissing() ?? (has('socat') ? null : 'socat is missing');
const skip = skipLoudly('the defects of modbus-serial, provoked', missing);
const directory = scratch();
const endings: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});
afterAll(directory.remove);

/** ms; a test that passes because this ran out would take longer than the test may. */
const NEVER_MS = 10_000;
const profile = testProfile();

async function contactsOn(bus: BusSettings, channels: readonly number[] = [1]): Promise<readonly Contact[]> {
  const contacts = channels.map((channel) => ({
    name: `relay ${channel}`,
    profile: profile.id,
    bus: 'bus',
    unit: 1,
    channel,
  }));
  const hardware = await createHardware(
    { buses: { bus }, links: { vault: { contacts, witnesses: [] } } },
    byId(profile),
  );
  endings.push(() => hardware.close());
  return hardware.contacts;
}

function first(contacts: readonly Contact[]): Contact {
  const [contact] = contacts;
  if (contact === undefined) throw new Error('no contact was made');
  return contact;
}

/** pymodbus behind a TCP wire, and a contact on it. */
async function tcpBench(transport: 'modbus-tcp' | 'rtu-over-tcp' = 'modbus-tcp', replyTimeoutMs?: number) {
  const slave = await pymodbus(transport === 'modbus-tcp' ? 'tcp' : 'rtu-tcp', '127.0.0.1');
  endings.push(slave.stop);
  const wire = await wireBetween(slave.port);
  endings.push(wire.stop);
  const bus = { transport, host: '127.0.0.1', port: wire.port };
  const contact = first(
    await contactsOn(replyTimeoutMs === undefined ? bus : { ...bus, reply_timeout: replyTimeoutMs }),
  );
  return { slave, wire, contact };
}

/** pymodbus on a serial line whose middle is ours, and a contact on it. */
async function serialBench() {
  const own = scratch();
  endings.push(own.remove);
  const line = await lineBetween(own.path);
  endings.push(line.stop);
  const slave = await pymodbus('rtu', line.theirs);
  endings.push(slave.stop);
  return { slave, line, contact: first(await contactsOn({ transport: 'modbus-rtu', device: line.ours })) };
}

/** Misbehaves with the replies only. */
const replies = (act: (passage: Passage) => void) => (passage: Passage) =>
  passage.direction === 'reply' ? act(passage) : passage.pass(passage.bytes);

describe.skipIf(skip)('the defects of modbus-serial cannot reach us', () => {
  test('1: a late RTU reply is not taken for the answer to the next request', async () => {
    const { slave, line, contact } = await serialBench();
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    const late: Buffer[] = [];
    line.behave = (passage) => {
      if (passage.direction === 'reply') late.push(passage.bytes);
      else passage.pass(passage.bytes);
    };
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
    await until(() => late.length > 0, 'the slave has answered the connect');
    expect(slave.coil(0)).toBe(true);
    // From here the slave hears nothing more, and its old answer arrives whenever something is asked.
    let asked = 0;
    line.behave = (passage) => {
      if (passage.direction === 'reply') return;
      asked += 1;
      for (const bytes of late) passage.answer(bytes);
    };
    const receipt = contact.isolate();
    expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'unknown' });
    await until(() => asked >= 4, 'the isolate is asked for again and again');
    expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
    expect(slave.coil(0)).toBe(true);
    line.behave = (passage) => passage.pass(passage.bytes);
    await until(() => !slave.coil(0), 'the slave isolates as soon as it hears');
  });

  test('1: a late answer to an earlier isolate does not report a later one done', async () => {
    const { line, contact } = await serialBench();
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    let late: Buffer | null = null;
    line.behave = (passage) => {
      if (passage.direction === 'reply') late = passage.bytes;
      else passage.pass(passage.bytes);
    };
    const wroteBefore = line.requests.length;
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
    await until(() => late !== null, 'the slave has answered the isolate');
    // The old answer arrives at once when the fresh line is opened, before anything may count.
    let released = 0;
    line.behave = (passage) => {
      if (passage.direction === 'reply' || late === null || released > 0) return;
      released += 1;
      passage.answer(late);
    };
    await until(
      () => released === 1 && line.requests.length >= wroteBefore + 3,
      'the isolate is written again after listening',
    );
    expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
  });

  test('3: many requests at once are carried out one after the other, each with its own answer', async () => {
    const slave = await pymodbus('rtu-tcp', '127.0.0.1');
    endings.push(slave.stop);
    const wire = await wireBetween(slave.port);
    endings.push(wire.stop);
    const channels = [1, 2, 3, 4, 5, 6, 7, 8];
    const contacts = await contactsOn(
      { transport: 'rtu-over-tcp', host: '127.0.0.1', port: wire.port },
      channels,
    );
    let open = 0;
    let most = 0;
    wire.behave = (passage) => {
      open += passage.direction === 'request' ? 1 : -1;
      most = Math.max(most, open);
      passage.pass(passage.bytes);
    };
    await bounded(first(contacts).read());
    const outcomes = await bounded(
      Promise.all(
        contacts.map((contact, index) =>
          index % 2 === 0 ? contact.connect(current) : contact.isolate().acknowledged,
        ),
      ),
    );
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(channels.map(() => 'done'));
    const readings = await bounded(Promise.all(contacts.map((contact) => contact.read())));
    expect(readings.map((reading) => reading.position)).toEqual(
      channels.map((_, index) => (index % 2 === 0 ? 'connected' : 'isolated')),
    );
    expect(most).toBe(1);
  });

  test('4: a silent peer hangs nothing, and closing with a request under way settles it', async () => {
    const { wire, contact } = await tcpBench();
    wire.behave = () => undefined;
    expect(await bounded(contact.read())).toMatchObject({ position: 'unknown' });
    const { wire: other, contact: patient } = await tcpBench('modbus-tcp', NEVER_MS);
    other.behave = () => undefined;
    const reading = patient.read();
    await until(() => other.requests.length > 0, 'the question is on its way');
    const before = performance.now();
    await patient.close();
    expect(await bounded(reading)).toMatchObject({ position: 'unknown' });
    expect(performance.now() - before).toBeLessThan(NEVER_MS);
  });

  test.each(['rst', 'fin'] as const)('5: a %s in the middle of a request is noticed at once', async (how) => {
    const { wire, contact } = await tcpBench('modbus-tcp', NEVER_MS);
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
    wire.behave = (passage) => passage.hangUp(how);
    const before = performance.now();
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
    expect(performance.now() - before).toBeLessThan(NEVER_MS);
    wire.behave = honest;
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
  });

  test.each<readonly [string, (reply: Buffer) => Buffer]>([
    ['another coil in the echo', (reply) => patched(reply, 9, 0x07)],
    ['the opposite state in the echo', (reply) => patched(reply, 10, 0xff)],
    ['another function', (reply) => patched(reply, 7, 0x06)],
    ['another unit', (reply) => patched(reply, 6, 0x02)],
    ['another protocol id', (reply) => patched(reply, 3, 0x01)],
    ['another transaction id', (reply) => patched(reply, 1, (reply[1] ?? 0) ^ 1)],
    ['an oversized length', (reply) => patched(reply, 4, 0x7f)],
    ['bytes after the reply', (reply) => Buffer.concat([reply, Buffer.of(0)])],
  ])('6: %s is never an acknowledgement', async (_name, patch) => {
    const { slave, wire, contact } = await tcpBench();
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
    wire.behave = replies((passage) => passage.pass(patch(passage.bytes)));
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
    wire.behave = honest;
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    expect(slave.coil(0)).toBe(false);
  });

  test('6: a reply with a bad checksum, another unit or the opposite state on RTU is never an acknowledgement', async () => {
    const { slave, wire, contact } = await tcpBench('rtu-over-tcp');
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
    const opposite = encodeFrame('rtu', { transaction: 0, unit: 1, pdu: Buffer.from('050000ff00', 'hex') });
    const stranger = encodeFrame('rtu', { transaction: 0, unit: 2, pdu: Buffer.from('0500000000', 'hex') });
    for (const patch of [(reply: Buffer) => patched(reply, 6, 0x55), () => opposite, () => stranger]) {
      wire.behave = replies((passage) => passage.pass(patch(passage.bytes)));
      expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
    }
    wire.behave = honest;
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    expect(slave.coil(0)).toBe(false);
  });

  test.each(['modbus-tcp', 'rtu-over-tcp'] as const)(
    '7: a line of HTTP desynchronises nothing (%s)',
    async (transport) => {
      const { wire, contact } = await tcpBench(transport);
      wire.behave = replies((passage) => passage.pass(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')));
      expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
      wire.behave = honest;
      expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
      expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
    },
  );

  test('7: a line of HTTP that nobody asked for is not kept for the next request', async () => {
    const { wire, contact } = await tcpBench();
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'done' });
    wire.behave = replies((passage) => {
      passage.pass(passage.bytes);
      setImmediate(() => passage.pass(Buffer.from('HTTP/1.1 408 Request Timeout\r\n\r\n')));
    });
    await bounded(contact.read());
    wire.behave = honest;
    await until(() => wire.connections() >= 1, 'the wire stands');
    const again = await settledRead(contact);
    expect(again).toBe('connected');
  });

  test('8: a duplicated RTU reply does not put later answers one behind', async () => {
    const { slave, line, contact } = await serialBench();
    // One duplicate at once, one more just before the answer to the next request.
    line.behave = (passage) => {
      passage.pass(passage.bytes);
      if (passage.direction === 'request') return;
      passage.pass(passage.bytes);
      const late = [passage.bytes];
      line.behave = (next) => {
        if (next.direction === 'reply') for (const bytes of late.splice(0)) next.pass(bytes);
        next.pass(next.bytes);
      };
    };
    await bounded(contact.read());
    // However late the duplicate comes, it may cost actions (unknown), but never stand for the answer to another one.
    for (const wanted of [true, false, true, false]) {
      await settledCommand(() => (wanted ? contact.connect(current) : contact.isolate().acknowledged));
      expect(slave.coil(0)).toBe(wanted);
      expect(await settledRead(contact)).toBe(wanted ? 'connected' : 'isolated');
    }
  });

  test('10: after the peer was gone, the first thing it hears is the isolate, and no connect is repeated', async () => {
    const { slave, wire, contact } = await tcpBench();
    expect(await bounded(contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
    const before = slave.writes.length;
    wire.behave = (passage) => passage.hangUp('rst');
    expect(await bounded(contact.connect(current))).toMatchObject({ kind: 'unknown' });
    const receipt = contact.isolate();
    expect(await bounded(receipt.acknowledged)).toMatchObject({ kind: 'unknown' });
    wire.behave = honest;
    await until(() => slave.writes.length > before, 'the slave hears something');
    expect(await bounded(contact.read())).toMatchObject({ position: 'isolated' });
    expect(new Set(slave.writes.slice(before))).toEqual(new Set(['0=0']));
  });
});

function patched(frame: Buffer, index: number, value: number): Buffer {
  const copy = Buffer.from(frame);
  copy.writeUInt8(value, index);
  return copy;
}

/** A wire that was reset for good reason may cost one reading; the next one counts. */
async function settledRead(contact: Contact): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const { position } = await bounded(contact.read());
    if (position !== 'unknown') return position;
  }
  return 'unknown';
}

/** As `settledRead`, for a command that counts only when it is `done`. */
async function settledCommand(command: () => Promise<CommandOutcome>): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if ((await bounded(command())).kind === 'done') return;
  }
  throw new Error('twenty attempts were not done: the answers stay one behind');
}
