/** What a profile makes of a wish: the Modbus requests it becomes, and what the board's replies to them mean. Pure. */
import type { ChannelsRead } from '../board-contact.ts';
import type { Reply, Request } from './pdu.ts';
import type { ModbusProfile, ModbusExample } from './profile.ts';
import { passes, settingRequest, type StartupCheck, valuesOf } from './settings.ts';

/** What may be asked of a board. Channels count from 1. */
export type Ask =
  | { readonly ask: 'connect' | 'isolate'; readonly channel: number }
  | { readonly ask: 'isolate-all' | 'read' | 'inputs' }
  | { readonly ask: 'lease'; readonly channel: number; readonly lease_ms: number }
  | { readonly ask: 'startup-check'; readonly check: string };

/** What a reply means, in the words of a profile's examples; `refused`: the board answered with an exception. */
export type Meaning = ModbusExample['means'] | 'refused';

/** Why `profile` cannot be asked this, in words, or `null` when it can. */
export function askProblem(profile: ModbusProfile, ask: Ask): string | null {
  if (
    'channel' in ask &&
    (!Number.isInteger(ask.channel) || ask.channel < 1 || ask.channel > profile.channels)
  ) {
    return `channel ${ask.channel} is outside 1 to ${profile.channels}`;
  }
  switch (ask.ask) {
    case 'connect':
    case 'isolate':
    case 'read':
      return null;
    case 'isolate-all':
      return profile.isolate_all === undefined ? 'the profile has no isolate_all' : null;
    case 'inputs':
      return profile.inputs === undefined ? 'the profile has no inputs' : null;
    case 'startup-check':
      return checkNamed(profile, ask.check) === undefined
        ? `the profile has no start-up check ${JSON.stringify(ask.check)}`
        : null;
    case 'lease': {
      const lease = profile.hardware_lease;
      if (lease === undefined) return 'the profile has no hardware_lease';
      const value = ask.lease_ms / lease.unit_ms;
      if (!Number.isInteger(value)) return `${ask.lease_ms} ms is no multiple of unit_ms ${lease.unit_ms}`;
      if (value < lease.min || value > lease.max) {
        return `${ask.lease_ms} ms is outside ${lease.min * lease.unit_ms} to ${lease.max * lease.unit_ms} ms`;
      }
      return null;
    }
  }
}

/** The Modbus requests for a wish, in order. Throws RangeError with the sentence of `askProblem` for what the profile cannot do. */
export function requestsFor(profile: ModbusProfile, ask: Ask): readonly [Request, ...Request[]] {
  const first = requestFor(profile, ask);
  if (ask.ask !== 'isolate') return [first];
  const { isolate } = profile;
  const following = isolate.function === 6 ? (isolate.followed_by ?? []) : [];
  const address = isolate.address + ask.channel - 1;
  return [
    first,
    ...following.map((value) => ({ function: 6, address, value }) as const),
    ...(isolate.read_back === true ? [readRequest(profile)] : []),
  ];
}

/** The first request for a wish: what moves a contact. Throws as `requestsFor` does. */
export function requestFor(profile: ModbusProfile, ask: Ask): Request {
  const problem = askProblem(profile, ask);
  if (problem !== null) throw new RangeError(`${profile.id}: ${problem}`);
  switch (ask.ask) {
    case 'connect':
    case 'isolate': {
      const { function: code, address, value } = profile[ask.ask];
      return { function: code, address: address + ask.channel - 1, value };
    }
    case 'isolate-all': {
      const all = present(profile.isolate_all);
      if (all.function !== 15) return { function: all.function, address: all.address, value: all.value };
      return { function: 15, address: all.address, bits: Array.from({ length: all.quantity }, () => false) };
    }
    case 'lease': {
      const lease = present(profile.hardware_lease);
      const time = ask.lease_ms / lease.unit_ms;
      const address = lease.address + ask.channel - 1;
      return lease.function === 5
        ? { function: 5, address, value: time }
        : { function: 6, address, value: lease.opcode + time };
    }
    case 'read':
      return readRequest(profile);
    case 'inputs': {
      const { function: code, address, quantity } = present(profile.inputs);
      return { function: code, address, quantity };
    }
    case 'startup-check':
      return settingRequest(present(checkNamed(profile, ask.check)));
  }
}

const readRequest = ({ read: { function: code, address, quantity } }: ModbusProfile): Request => ({
  function: code,
  address,
  quantity,
});

/** What `replies` (one to each request, already judged against it) mean to whoever asked. */
export function meaningOf(profile: ModbusProfile, ask: Ask, replies: readonly Reply[]): Meaning {
  const last = present(replies.at(-1));
  switch (ask.ask) {
    case 'isolate':
      return isolateMeaning(profile, ask.channel, replies);
    case 'connect':
    case 'isolate-all':
    case 'lease':
      return isRefusal(last) ? 'refused' : accepted(last);
    case 'read': {
      if (isRefusal(last)) return 'refused';
      const { connected, unknown } = channelsOf(profile, last);
      return unknown.length === 0
        ? { connected: [...connected] }
        : { connected: [...connected], unknown: [...unknown] };
    }
    case 'inputs':
      return isRefusal(last) ? 'refused' : { active: numbersSet(last, present(profile.inputs).quantity) };
    case 'startup-check':
      if (isRefusal(last)) return 'refused';
      return passes(present(checkNamed(profile, ask.check)), valuesOf(last)) ? 'passed' : 'failed';
  }
}

/** An isolate of several frames counts when one of them was accepted, and the board then reads isolated where it is asked. */
function isolateMeaning(
  profile: ModbusProfile,
  channel: number,
  replies: readonly Reply[],
): 'accepted' | 'refused' {
  if (profile.isolate.read_back !== true) {
    return replies.some(isRefusal) ? 'refused' : accepted(present(replies.at(-1)));
  }
  const read = present(replies.at(-1));
  if (replies.slice(0, -1).every(isRefusal) || isRefusal(read)) return 'refused';
  const { connected, unknown } = channelsOf(profile, read);
  return connected.includes(channel) || unknown.includes(channel) ? 'refused' : 'accepted';
}

const isRefusal = (reply: Reply): boolean => reply.kind === 'exception';

function accepted(reply: Reply): 'accepted' {
  if (reply.kind !== 'echo') throw new TypeError(`a write is answered with an echo, not with ${reply.kind}`);
  return 'accepted';
}

/** What a reply to the profile's read says of each channel. */
export function channelsOf({ read, channels }: ModbusProfile, reply: Reply): ChannelsRead {
  if (read.function === 1) return { connected: numbersSet(reply, channels), unknown: [] };
  if (reply.kind !== 'registers') throw new TypeError(`registers are expected, not ${reply.kind}`);
  const numbers = Array.from({ length: channels }, (_, index) => index + 1);
  const valueOf = (channel: number): number | undefined => {
    if (read.layout === 'register-per-channel') return reply.values[channel - 1];
    const register = reply.values[(channel - 1) >> 4];
    return register === undefined ? undefined : (register >> ((channel - 1) & 15)) & 1;
  };
  return {
    connected: numbers.filter((channel) => valueOf(channel) === read.connected_when),
    unknown: numbers.filter((channel) => {
      const value = valueOf(channel);
      return value !== read.connected_when && value !== read.isolated_when;
    }),
  };
}

const checkNamed = (profile: ModbusProfile, name: string): StartupCheck | undefined =>
  profile.startup_checks.find((check) => check.name === name);

/** The positions from 1 whose bit is 1. */
function numbersSet(reply: Reply, count: number): number[] {
  if (reply.kind !== 'bits') throw new TypeError(`bits are expected, not ${reply.kind}`);
  return reply.bits.slice(0, count).flatMap((bit, index) => (bit ? [index + 1] : []));
}

/** `askProblem` has ruled out absence before. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('asked for what the profile does not have');
  return value;
}
