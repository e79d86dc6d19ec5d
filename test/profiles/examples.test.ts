/** Every example of every profile, byte for byte: as the request we build, as the reply we read, and as the emulated board answers. */
import { describe, expect, test } from 'vitest';
import { encodeRequest, ReplyDecoder } from '../../src/contacts/modbus/frame.ts';
import type { ModbusExample, ModbusProfile } from '../../src/contacts/modbus/profile.ts';
import { transactionOf, turnId } from '../../src/contacts/modbus/examples.ts';
import type { Reply } from '../../src/contacts/modbus/pdu.ts';
import { channelsOf, meaningOf, requestFor, requestsFor } from '../../src/contacts/modbus/requests.ts';
import { valuesOf } from '../../src/contacts/modbus/settings.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { createBoard } from '../../src/emulator/board.ts';
import { spelledBytes } from '../../src/contacts/hex.ts';
import { Session } from '../../src/emulator/session.ts';
import { virtualTimers } from '../emulator/virtual-timers.ts';

const { profiles, problems } = await loadProfiles();
const bytes = (frame: string): Buffer => Buffer.from(frame.replaceAll(' ', ''), 'hex');
const title = (example: ModbusExample): string =>
  `${example.ask}${'channel' in example ? ` ${example.channel}` : ''} ${example.framing} ${example.request} → ${example.reply}`;
/** Every frame of an example with its reply. */
const turnsOf = (example: ModbusExample): readonly { readonly request: string; readonly reply: string }[] => [
  example,
  ...(('followed_by' in example ? example.followed_by : undefined) ?? []),
];
const idOf = (example: ModbusExample, turn: number): number =>
  turnId(transactionOf(example), turn, example.framing);

/** What the recorded replies say, each judged against its request. */
function repliesTo(profile: ModbusProfile, example: ModbusExample): readonly Reply[] {
  const turns = turnsOf(example);
  const requests = requestsFor(profile, example);
  expect(requests, title(example)).toHaveLength(turns.length);
  return requests.map((request, turn) => {
    const { framing } = example;
    const decoder = new ReplyDecoder({
      framing,
      transaction: idOf(example, turn),
      unit: profile.unit,
      request,
    });
    const progress = decoder.push(bytes(turns[turn]?.reply ?? ''));
    if (progress.kind !== 'reply') throw new Error(`${title(example)}: ${JSON.stringify(progress)}`);
    return progress.reply;
  });
}

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
    for (const [index, value] of valuesOf(repliesTo(profile, example)[0] ?? { kind: 'echo' }).entries()) {
      if (index < check.quantity) board.setValue(check.function, check.address + index, value);
    }
  } else if (example.ask === 'isolate' || example.ask === 'isolate-all') {
    for (let channel = 1; channel <= profile.channels; channel += 1) {
      board.hear(requestFor(profile, { ask: 'connect', channel }), '');
    }
    // What the recorded read-back says of the other channels.
    const last = repliesTo(profile, example).at(-1);
    if (example.ask === 'isolate' && profile.isolate.read_back === true && last !== undefined) {
      const { connected } = channelsOf(profile, last);
      for (let channel = 1; channel <= profile.channels; channel += 1) {
        if (connected.includes(channel) || channel === example.channel) continue;
        board.hear(requestFor(profile, { ask: 'isolate', channel }), '');
      }
    }
    if (example.means === 'refused') board.addFault({ name: 'echo-only', value: 0, on: 'any', times: null });
  }
  return board;
}

function ask(
  profile: ModbusProfile,
  example: ModbusExample,
): { answers: readonly string[]; board: ReturnType<typeof createBoard> } {
  const board = prepare(profile, example);
  const answers = turnsOf(example).map(({ request }) => {
    const sent: Buffer[] = [];
    const session = new Session(board, example.framing, {
      send: (reply) => sent.push(reply),
      reject: (why) => {
        throw new Error(`the emulator rejects the recorded request: ${why}`);
      },
    });
    session.receive(bytes(request));
    session.end();
    return spelledBytes(Buffer.concat(sent));
  });
  return { answers, board };
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
  test('every example is the requests that we build', () => {
    for (const example of profile.examples) {
      const built = requestsFor(profile, example).map((request, turn) =>
        encodeRequest(example.framing, { transaction: idOf(example, turn), unit: profile.unit }, request),
      );
      expect(built.map(spelledBytes), title(example)).toEqual(turnsOf(example).map(({ request }) => request));
    }
  });

  test('every example means what the profile says', () => {
    for (const example of profile.examples)
      expect(meaningOf(profile, example, repliesTo(profile, example)), title(example)).toEqual(example.means);
  });

  test('every example is what the emulated board answers, and it moves accordingly', () => {
    for (const example of profile.examples) {
      const { answers, board } = ask(profile, example);
      expect(answers, title(example)).toEqual(turnsOf(example).map(({ reply }) => reply));
      const { contacts } = board.state();
      if (example.ask === 'connect' || example.ask === 'lease') {
        expect(contacts.indexOf('connected'), title(example)).toBe(example.channel - 1);
        expect(contacts.lastIndexOf('connected'), title(example)).toBe(example.channel - 1);
      }
      if (example.ask === 'isolate')
        expect(contacts[example.channel - 1], title(example)).toBe(
          example.means === 'accepted' ? 'isolated' : 'connected',
        );
      if (example.ask === 'isolate-all') expect(contacts, title(example)).not.toContain('connected');
      board.close();
    }
  });
});

/** What is read back or refused must be shown by the boards that need it. */
test('settings, watchdogs and timers stand where the devices have them', () => {
  const named = (id: string): ModbusProfile | undefined => boards.find((profile) => profile.id === id);
  expect(boards.length).toBeGreaterThanOrEqual(12);
  for (const id of ['wirenboard/wb-mr6c-v3', 'wago/750-352', 'beckhoff/bk9050', 'beckhoff/ek9000'])
    expect(named(id)?.communication_watchdog?.time_check, id).toBeDefined();
  for (const id of ['moxa/iologik-e1214', 'advantech/adam-6060', 'brainboxes/ed-538'])
    expect(named(id)?.communication_watchdog?.verified_by, id).toEqual([]);
  expect(named('eletechsup/r4d8a08')?.isolate_all, 'its all-off does not end a delay').toBeUndefined();
  expect(named('ebyte/me31-axax4040')?.startup_checks.map(({ name }) => name)).toContain('output-modes');
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
  ['waveshare/modbus-poe-eth-relay-30ch', '01 01 00 00 00 1E BC 02'],
  ['waveshare/modbus-rtu-relay-16ch', '01 05 02 00 02 58 CC E8'],
  ['eletechsup/r4d8a08', '01 06 00 01 01 00 D9 9A'],
  ['eletechsup/r4d8a08', '01 06 00 08 01 00 09 98'],
  ['eletechsup/r4d8a08', '01 06 00 01 06 00 DB AA'],
  ['eletechsup/r4d8a08', '01 06 00 01 02 00 D9 6A'],
  ['eletechsup/r4d8a08', '01 06 00 08 02 00 09 68'],
  ['eletechsup/r4d8a08', '01 06 00 01 06 0A 5B AD'],
  ['eletechsup/r4d8a08', '01 06 00 01 06 64 DA 41'],
  ['eletechsup/r4d8a08', '01 06 00 01 06 FF 9B EA'],
  ['eletechsup/r4d8a08', '01 03 00 01 00 08 15 CC'],
  ['eletechsup/r4d3b16', '01 03 00 01 00 10 15 C6'],
  ['kmtronic/rs485-8ch', '01 05 00 07 00 00 7C 0B'],
  ['wirenboard/wb-mr6c-v3', '01 01 00 00 00 06 BC 08'],
  ['wirenboard/wb-mr6c-v3', '01 03 00 08 00 01 05 C8'],
  ['wirenboard/wb-mr6c-v3', '01 03 03 A2 00 06 64 6E'],
  ['wirenboard/wb-mr6c-v3', '01 03 03 AA 00 06 E5 AC'],
  ['generic/modbus-coils', '01 05 00 00 00 00 CD CA'],
  ['generic/modbus-coils', '00 01 00 00 00 06 01 05 00 00 FF 00'],
];

test.each(MUST_HOLD)('%s shows %s', (id, frame) => {
  const examples = boards.find((profile) => profile.id === id)?.examples ?? [];
  expect(examples.flatMap(turnsOf).map(({ request }) => request)).toContain(frame);
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
