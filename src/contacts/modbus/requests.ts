/** What a profile makes of a wish: the Modbus request it becomes, and what the board's reply to it means. Pure. */
import type { Reply, Request } from './pdu.ts';
import type { ModbusProfile, ModbusExample } from './profile.ts';

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

/** The Modbus request for a wish. Throws RangeError with the sentence of `askProblem` for what the profile cannot do. */
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
      if (all.function === 5) return { function: 5, address: all.address, value: all.value };
      return { function: 15, address: all.address, bits: Array.from({ length: all.quantity }, () => false) };
    }
    case 'lease': {
      const lease = present(profile.hardware_lease);
      return { function: 5, address: lease.address + ask.channel - 1, value: ask.lease_ms / lease.unit_ms };
    }
    case 'read':
      return { function: 1, address: profile.read.address, quantity: profile.read.quantity };
    case 'inputs': {
      const { address, quantity } = present(profile.inputs);
      return { function: 2, address, quantity };
    }
    case 'startup-check': {
      const { address, quantity } = present(checkNamed(profile, ask.check));
      return { function: 3, address, quantity };
    }
  }
}

/** What `reply` (already judged against its request) means to whoever asked. */
export function meaningOf(profile: ModbusProfile, ask: Ask, reply: Reply): Meaning {
  if (reply.kind === 'exception') return 'refused';
  switch (ask.ask) {
    case 'connect':
    case 'isolate':
    case 'isolate-all':
    case 'lease':
      if (reply.kind !== 'echo')
        throw new TypeError(`a write is answered with an echo, not with ${reply.kind}`);
      return 'accepted';
    case 'read':
      return { connected: numbersSet(reply, profile.channels) };
    case 'inputs':
      return { active: numbersSet(reply, present(profile.inputs).quantity) };
    case 'startup-check': {
      if (reply.kind !== 'registers') throw new TypeError(`registers are expected, not ${reply.kind}`);
      const { every, quantity } = present(checkNamed(profile, ask.check));
      return reply.values.length === quantity && reply.values.every((value) => value === every)
        ? 'passed'
        : 'failed';
    }
  }
}

const checkNamed = (
  profile: ModbusProfile,
  name: string,
): ModbusProfile['startup_checks'][number] | undefined =>
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
