/** An isolate of several frames, against a peer that answers each of them as the test says. */
import { afterEach, expect, test } from 'vitest';
import { createHardware } from '../../src/contacts/drivers.ts';
import type { Contact } from '../../src/contacts/port.ts';
import { until, type WireBetween, wireBetween } from './bench.ts';
import { bounded } from './contract.ts';
import { byId, testProfile } from './profiles.ts';

const profile = testProfile({
  channels: 2,
  connect: { function: 6, address: 1, value: 0x0100 },
  isolate: { function: 6, address: 1, value: 0x0600, followed_by: [0x0200], read_back: true },
  read: {
    function: 3,
    address: 1,
    quantity: 2,
    layout: 'register-per-channel',
    connected_when: 1,
    isolated_when: 0,
    reports: 'commanded',
  },
});

/** What the peer says to a request PDU; `null`: nothing. */
type Peer = (pdu: Buffer, connection: number) => Buffer | null;
const echo: Peer = (pdu) => pdu;
const refuse = (pdu: Buffer, code: number): Buffer => Buffer.of(pdu.readUInt8(0) | 0x80, code);
const registers = (...values: readonly number[]): Buffer =>
  Buffer.concat([
    Buffer.of(3, values.length * 2),
    ...values.map((value) => Buffer.of(value >> 8, value & 0xff)),
  ]);

let wire: WireBetween | null = null;
let contact: Contact | null = null;
afterEach(async () => {
  await contact?.close();
  await wire?.stop();
});

/** A contact whose board answers writes by `writes` and readings by `reads`; and the values that it was told, in order. */
async function rig(writes: Peer, reads: Peer): Promise<{ contact: Contact; told: () => number[] }> {
  const between = await wireBetween(null);
  wire = between;
  const told: number[] = [];
  between.behave = ({ bytes, answer }) => {
    const pdu = bytes.subarray(7);
    const isRead = pdu.readUInt8(0) === 3;
    if (!isRead) told.push(pdu.readUInt16BE(3));
    const reply = (isRead ? reads : writes)(pdu, between.connections());
    if (reply === null) return;
    const header = Buffer.from(bytes.subarray(0, 7));
    header.writeUInt16BE(1 + reply.length, 4);
    answer(Buffer.concat([header, reply]));
  };
  const place = { name: 'relay', profile: profile.id, bus: 'bus', unit: 1, channel: 1 };
  const {
    contacts: [made],
  } = await createHardware(
    {
      buses: { bus: { transport: 'modbus-tcp', host: '127.0.0.1', port: between.port } },
      links: { vault: { contacts: [place], witnesses: [] } },
    },
    byId(profile),
  );
  if (made === undefined) throw new Error('no contact was made');
  contact = made;
  return { contact: made, told: () => told };
}

const isolated: Peer = () => registers(0, 0);

test('all frames are written in order, and a reading confirms them', async () => {
  const board = await rig(echo, isolated);
  expect(await bounded(board.contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
  expect(board.told()).toEqual([0x0600, 0x0200]);
});

test('a board that does not know the first command is told the second all the same', async () => {
  const board = await rig((pdu) => (pdu.readUInt16BE(3) === 0x0600 ? refuse(pdu, 3) : pdu), isolated);
  expect(await bounded(board.contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
  expect(board.told()).toEqual([0x0600, 0x0200]);
});

test('refused altogether is refused, whatever the reading says, and is tried again', async () => {
  const board = await rig((pdu) => refuse(pdu, 4), isolated);
  expect(await bounded(board.contact.isolate().acknowledged)).toEqual({
    kind: 'refused',
    why: 'unit 1 refused: exception 4 (device failure)',
  });
  await until(() => board.told().length >= 4, 'it is tried again');
});

test.each([
  ['still reads connected', () => registers(1, 0)],
  ['reads neither connected nor isolated', () => registers(0x0100, 0)],
])('a board that took everything and %s has not isolated', async (_, reads) => {
  const board = await rig(echo, reads);
  expect(await bounded(board.contact.isolate().acknowledged)).toEqual({
    kind: 'refused',
    why: 'unit 1 was told to isolate and does not read isolated',
  });
  await until(() => board.told().length >= 4, 'it is tried again');
});

test('another channel that reads connected does no harm', async () => {
  const board = await rig(echo, () => registers(0, 1));
  expect(await bounded(board.contact.isolate().acknowledged)).toMatchObject({ kind: 'done' });
});

test('silence in the middle is unknown; on a fresh wire it begins again with the first frame', async () => {
  const board = await rig(
    (pdu, connection) => (connection === 1 && pdu.readUInt16BE(3) === 0x0200 ? null : pdu),
    isolated,
  );
  expect(await bounded(board.contact.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
  await until(() => board.told().length >= 4, 'the whole sequence is written again');
  expect(board.told().slice(0, 4)).toEqual([0x0600, 0x0200, 0x0600, 0x0200]);
});

test('an echo of another value is a fault', async () => {
  const board = await rig((pdu) => {
    const other = Buffer.from(pdu);
    other.writeUInt16BE(0x0100, 3);
    return other;
  }, isolated);
  expect(await bounded(board.contact.isolate().acknowledged)).toMatchObject({
    kind: 'unknown',
    why: expect.stringContaining('echo') as string,
  });
});

test('a channel that reads neither is unknown to whoever asks', async () => {
  const board = await rig(echo, () => registers(7, 0));
  expect(await bounded(board.contact.read())).toMatchObject({
    position: 'unknown',
    detail: 'channel 1 reads neither connected nor isolated',
  });
});
