/** Mistakes in serial profiles are found, each where it stands. */
import { describe, expect, test } from 'vitest';
import { serialFindings } from '../../src/contacts/serial/findings.ts';
import { serialProfile, type SerialProfile } from '../../src/contacts/serial/profile.ts';
import { serialProfileNamed, serialProfiles } from './serial-bench.ts';

const lcus = serialProfileNamed('lc-technology/lcus-4', false);
const silent = serialProfileNamed('lc-technology/lcus-1', false);
const numato = serialProfileNamed('numato/usb-relay-8ch', false);
const eth = serialProfileNamed('devantech/eth008', false);
const conrad = serialProfileNamed('conrad/197720', false);

const found = (profile: SerialProfile): readonly string[] =>
  serialFindings(profile).map(({ path, what }) => `${path.join('.')}: ${what}`);

test('the profiles of the program have no findings', () => {
  expect(serialProfiles.flatMap((profile) => found(profile))).toEqual([]);
});

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the profile has changed');
  return value;
}

const read = present(lcus.read);
const hex = present(numato.read);
const lease = present(eth.hardware_lease);
const exampleOf = (profile: SerialProfile, change: object, index = 0): SerialProfile => ({
  ...profile,
  examples: profile.examples.map((example, at) =>
    at === index ? (serialProfile.shape.examples.parse([{ ...example, ...change }])[0] ?? example) : example,
  ),
});

describe('a mistake is found where it stands', () => {
  const cases: readonly (readonly [string, SerialProfile, string])[] = [
    ['notation', { ...lcus, connect: { send: 'A0 {chan} 01' } }, 'connect.send: {chan} is no placeholder'],
    [
      'checksum copied',
      { ...lcus, connect: { send: 'A0 {channel} 01 A2' } },
      'the profile computes A0 02 01 A2',
    ],
    [
      'wrong checksum',
      { ...lcus, connect: { send: 'A0 {channel} 01 {xor}' } },
      'the profile computes A0 01 01 A0',
    ],
    [
      'one frame for all channels',
      { ...lcus, connect: { send: 'A0 01 01 {sum8}' } },
      'connect.send: the frame is the same for every channel',
    ],
    ['connect is isolate', { ...lcus, isolate: lcus.connect }, 'begin alike'],
    [
      'bases that overlap',
      { ...serialProfileNamed('devantech/usb-rly08', false), isolate: { send: '{channel+68}' } },
      'connect 5 (69) and isolate 1 (69) begin alike',
    ],
    ['a channel too many', { ...conrad, channels: 9 }, 'channel 9: bit: 256 is no byte'],
    [
      'a placeholder out of place',
      { ...lcus, isolate: { send: 'A0 {channel} {state} {sum8}' } },
      'isolate.send: {state} cannot stand here',
    ],
    [
      'a lease without its field',
      { ...eth, hardware_lease: { ...lease, send: '20 {channel} 05' } },
      'hardware_lease.send: {lease} must stand here once',
    ],
    [
      'an address without addresses',
      { ...lcus, read: { ...read, send: 'A0 {address} {channel}' } },
      'read.send: {address} in a board without addresses',
    ],
    [
      'a checksum over nothing',
      { ...lcus, isolate: { send: '{sum8} {channel}' } },
      'a checksum over nothing',
    ],
    [
      'a gap at the end',
      { ...numato, connect: { ...numato.connect, reply: 'relay on {channel0}{gap}' } },
      'connect.reply: nobody can tell when a {gap} at the end is over',
    ],
    [
      'no state in the read',
      { ...lcus, read: { ...read, reply: 'A0 {channel} 00 {sum8}' } },
      'read.reply: {state} must stand here once',
    ],
    ['read-back without read', { ...lcus, read: undefined }, 'confirmed_by: there is no read'],
    ['a reply that is not there', { ...lcus, confirmed_by: 'reply' }, 'confirmed_by: a command has no reply'],
    [
      'confirmed by nothing though readable',
      { ...lcus, confirmed_by: 'nothing' },
      'confirmed_by: the board can be read',
    ],
    [
      'silent over a network',
      { ...silent, transports: ['serial', 'tcp'] },
      'may be delivered when the network returns',
    ],
    [
      'silent and to be initialised',
      { ...silent, initialise: [{ send: '50', wait_ms: 10, attempts: 1 }] },
      'nobody can tell when a board that never answers',
    ],
    [
      'words that begin alike',
      { ...numato, read: { ...hex, state: { form: 'words', connected: 'on', isolated: 'o' } } },
      'read.state.connected: "on" and "o" begin alike',
    ],
    [
      'a bit order with a hole',
      {
        ...eth,
        read: {
          ...present(eth.read),
          state: { form: 'bitmap', first: 'lowest-bit', connected_when: 1, order: [1, 2, 3, 4, 5, 6, 7, 7] },
        },
      },
      'read.state.order: is not each of channels 1 to 8 once',
    ],
    [
      'too few digits',
      { ...numato, read: { ...hex, state: { form: 'hex', digits: 1, connected_when: 1 } } },
      'read.state.digits: 1 digits hold 4 channels',
    ],
    [
      'digits among bytes',
      { ...eth, read: { ...present(eth.read), state: { form: 'hex', digits: 2, connected_when: 1 } } },
      'read.state.form: hexadecimal digits are text',
    ],
    [
      'an inverted bitmap',
      {
        ...eth,
        read: { ...present(eth.read), state: { form: 'bitmap', first: 'lowest-bit', connected_when: 0 } },
      },
      'the reply means {"connected":[1,2,3,4,5,6,7,8]}',
    ],
    [
      'a lease that is too short',
      { ...eth, hardware_lease: { ...lease, default_ms: 1000 } },
      'is over before one lost reply is noticed',
    ],
    [
      'a lease that cannot be counted',
      { ...eth, hardware_lease: { ...lease, default_ms: 26_000 } },
      '26000 ms is no multiple of 100 ms from 100 to 25500 ms',
    ],
    ['a lease beyond its byte', { ...eth, hardware_lease: { ...lease, max: 256 } }, 'lease: 256 is no byte'],
    [
      'serial without settings',
      { ...lcus, serial: undefined },
      'serial: serial is offered, but serial is missing',
    ],
    ['a port without tcp', { ...lcus, tcp_port: 17_494 }, 'tcp_port: tcp_port without tcp'],
    [
      'addresses the wrong way round',
      { ...conrad, addresses: { first: 2, last: 1 } },
      'addresses: first 2 exceeds last 1',
    ],
    [
      'a time-out shorter than the reply',
      { ...numato, timings: { ...numato.timings, reply_timeout_ms: 10 } },
      'timings.reply_timeout_ms: the longest reply takes',
    ],
    [
      'a check named twice',
      { ...eth, startup_checks: [...eth.startup_checks, ...eth.startup_checks] },
      'module-id is the name of an earlier check',
    ],
    [
      'an example missing',
      { ...eth, examples: eth.examples.filter(({ ask }) => ask !== 'lease') },
      'missing: an example of lease',
    ],
    [
      'a read that never says connected',
      {
        ...lcus,
        examples: lcus.examples.filter((each) => each.ask !== 'read' || each.means.connected.length === 0),
      },
      'missing: an example of read that says connected',
    ],
    [
      'a reply that is none',
      exampleOf(eth, { reply: '02' }),
      'examples.0.reply: not a reply to this request',
    ],
    [
      'a meaning that is wrong',
      exampleOf(eth, { means: 'refused' }),
      'examples.0.means: the reply means "accepted"',
    ],
    [
      'a request that is wrong',
      exampleOf(eth, { request: '20 02 00' }),
      'examples.0.request: the profile computes 20 01 00',
    ],
    [
      'a channel that is not there',
      exampleOf(eth, { channel: 9 }),
      'examples.0.channel: channels are 1 to 8',
    ],
    [
      'a placeholder in an example',
      exampleOf(eth, { request: '20 {channel} 00' }),
      'examples.0.request: an example has no placeholders',
    ],
  ];

  test.each(cases)('%s', (_, profile, what) => {
    expect(found(profile)).toContainEqual(expect.stringContaining(what));
  });
});
