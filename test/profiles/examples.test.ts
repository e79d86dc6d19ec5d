/** Every example of every profile, byte for byte: as the request we build, as the reply we read, and as the emulated board answers. */
import { describe, expect, test } from 'vitest';
import { encodeRequest, ReplyDecoder } from '../../src/contacts/modbus/frame.ts';
import type { ModbusExample, ModbusProfile } from '../../src/contacts/modbus/profile.ts';
import { transactionOf } from '../../src/contacts/modbus/examples.ts';
import { meaningOf, requestFor } from '../../src/contacts/modbus/requests.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { createBoard } from '../../src/emulator/board.ts';
import { spelledBytes } from '../../src/emulator/delivery.ts';
import { Session } from '../../src/emulator/session.ts';
import { virtualTimers } from '../emulator/virtual-timers.ts';

const { profiles, problems } = await loadProfiles();
const bytes = (frame: string): Buffer => Buffer.from(frame.replaceAll(' ', ''), 'hex');
const title = (example: ModbusExample): string =>
  `${example.ask}${'channel' in example ? ` ${example.channel}` : ''} ${example.framing} ${example.request} → ${example.reply}`;

/** Puts the board where the example finds it. */
function prepare(profile: ModbusProfile, example: ModbusExample): ReturnType<typeof createBoard> {
  const board = createBoard(profile, virtualTimers());
  if (example.ask === 'read') {
    for (const channel of example.means.connected)
      board.hear(requestFor(profile, { ask: 'connect', channel }), '');
  } else if (example.ask === 'inputs') {
    for (const input of example.means.active) board.setInput(input, true);
  } else if (example.ask === 'startup-check') {
    const check = profile.startup_checks.find(({ name }) => name === example.check);
    if (check === undefined) throw new Error(`no check ${example.check}`);
    // The registers of the recorded reply: after unit, function and byte count, before the checksum.
    const values = bytes(example.reply).subarray(3, -2);
    for (let index = 0; index < check.quantity; index += 1) {
      board.setRegister(check.address + index, values.readUInt16BE(index * 2));
    }
  } else if (example.ask === 'isolate' || example.ask === 'isolate-all') {
    for (let channel = 1; channel <= profile.channels; channel += 1) {
      board.hear(requestFor(profile, { ask: 'connect', channel }), '');
    }
  }
  return board;
}

function ask(
  profile: ModbusProfile,
  example: ModbusExample,
): { answer: string; board: ReturnType<typeof createBoard> } {
  const board = prepare(profile, example);
  const sent: Buffer[] = [];
  const session = new Session(board, example.framing, {
    send: (reply) => sent.push(reply),
    reject: (why) => {
      throw new Error(`the emulator rejects the recorded request: ${why}`);
    },
  });
  session.receive(bytes(example.request));
  session.end();
  return { answer: spelledBytes(Buffer.concat(sent)), board };
}

const boards = [...profiles.values()].filter((profile) => profile.driver === 'modbus');

test('the profiles of the program are sound', () => {
  expect(problems).toEqual([]);
  expect([...profiles.keys()]).toEqual(
    expect.arrayContaining([
      'generic/modbus-coils',
      'waveshare/modbus-poe-eth-relay-8ch',
      'waveshare/modbus-rtu-relay-8ch',
      'waveshare/modbus-rtu-relay-8ch-d',
    ]),
  );
});

describe.each(boards.map((profile) => ({ id: profile.id, profile })))('$id', ({ profile }) => {
  describe.each(profile.examples.map((example) => ({ name: title(example), example })))(
    '$name',
    ({ example }) => {
      const transaction = transactionOf(example);

      test('is the request we build', () => {
        const request = requestFor(profile, example);
        const built = encodeRequest(example.framing, { transaction, unit: profile.unit }, request);
        expect(spelledBytes(built)).toBe(example.request);
      });

      test('means what the profile says', () => {
        const request = requestFor(profile, example);
        const decoder = new ReplyDecoder({
          framing: example.framing,
          transaction,
          unit: profile.unit,
          request,
        });
        const progress = decoder.push(bytes(example.reply));
        if (progress.kind !== 'reply') throw new Error(JSON.stringify(progress));
        expect(meaningOf(profile, example, progress.reply)).toEqual(example.means);
      });

      test('is what the emulated board answers, and it moves accordingly', () => {
        const { answer, board } = ask(profile, example);
        expect(answer).toBe(example.reply);
        const { contacts } = board.state();
        if (example.ask === 'connect' || example.ask === 'lease') {
          expect(contacts.indexOf('connected')).toBe(example.channel - 1);
          expect(contacts.lastIndexOf('connected')).toBe(example.channel - 1);
        }
        if (example.ask === 'isolate') expect(contacts.indexOf('isolated')).toBe(example.channel - 1);
        if (example.ask === 'isolate-all') expect(contacts).not.toContain('connected');
        board.close();
      });
    },
  );
});

/** From the reference sheet, typed again by hand: the profile files must not lose these. */
const MUST_HOLD: readonly (readonly [string, string])[] = [
  ['waveshare/modbus-rtu-relay-8ch', '01 05 00 00 FF 00 8C 3A'],
  ['waveshare/modbus-rtu-relay-8ch', '01 05 00 07 00 00 7C 0B'],
  ['waveshare/modbus-rtu-relay-8ch', '01 05 00 FF 00 00 FD FA'],
  ['waveshare/modbus-rtu-relay-8ch', '01 01 00 00 00 08 3D CC'],
  ['waveshare/modbus-rtu-relay-8ch', '01 05 02 00 00 64 CD 99'],
  ['waveshare/modbus-rtu-relay-8ch', '01 05 02 00 7F FF AC 02'],
  ['waveshare/modbus-rtu-relay-8ch', '01 05 02 07 02 58 7D 29'],
  ['waveshare/modbus-rtu-relay-8ch-d', '01 02 00 00 00 08 79 CC'],
  ['waveshare/modbus-rtu-relay-8ch-d', '01 03 10 00 00 08 40 CC'],
  ['waveshare/modbus-poe-eth-relay-8ch', '01 05 02 00 00 64 CD 99'],
  ['waveshare/modbus-poe-eth-relay-8ch', '00 02 00 00 00 06 01 05 00 00 00 00'],
  ['generic/modbus-coils', '01 05 00 00 00 00 CD CA'],
  ['generic/modbus-coils', '00 01 00 00 00 06 01 05 00 00 FF 00'],
];

test.each(MUST_HOLD)('%s shows %s', (id, frame) => {
  expect(boards.find((profile) => profile.id === id)?.examples.map(({ request }) => request)).toContain(
    frame,
  );
});

test('what nobody has tried on hardware is marked so', () => {
  for (const profile of boards) {
    expect(profile.evidence.grade, profile.id).toBe('paper');
    expect(profile.power_on.certainty, profile.id).toBe('unproven');
    expect(profile.read.reports, profile.id).toBe('commanded');
    if (profile.hardware_lease === undefined) continue;
    expect(Object.values(profile.hardware_lease.evidence), profile.id).toEqual([
      'unproven',
      'unproven',
      'unproven',
    ]);
  }
});
