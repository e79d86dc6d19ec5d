/** What a serial profile of the right shape may still say wrongly. Pure. */
import type { Finding } from '../profile-finding.ts';
import { coverageFindings, serialExampleFindings } from './examples.ts';
import { Frames } from './frames.ts';
import type { SerialProfile } from './profile.ts';
import { frameFindings } from './templates.ts';
import { clashFindings } from './clashes.ts';
import { leaseProblem } from './lease.ts';
import { bytesOnLineMs } from './pace.ts';

/** Everything that contradicts itself or its own examples in a serial profile whose shape is right. */
export function serialFindings(profile: SerialProfile): readonly Finding[] {
  const unreadable = frameFindings(profile);
  const plain = [
    ...transportFindings(profile),
    ...confirmationFindings(profile),
    ...stateFindings(profile),
    ...leaseFindings(profile),
    ...checkFindings(profile),
  ];
  // A frame that cannot be built has no bytes to compare.
  if (unreadable.length > 0) return [...unreadable, ...plain];
  const frames = new Frames(profile);
  return [
    ...plain,
    // An unsuitable board may be unsuitable for just that.
    ...(profile.unsuitable === undefined ? clashFindings(frames) : []),
    ...profile.examples.flatMap((example, index) => serialExampleFindings(frames, example, index)),
    ...coverageFindings(profile),
    ...paceFindings(frames),
  ];
}

function transportFindings(profile: SerialProfile): readonly Finding[] {
  const findings: Finding[] = [];
  const needs = (there: boolean, key: 'serial' | 'tcp_port', transport: 'serial' | 'tcp'): void => {
    const offered = profile.transports.includes(transport);
    if (offered === there) return;
    const what = offered ? `${transport} is offered, but ${key} is missing` : `${key} without ${transport}`;
    const hint = offered ? `add ${key} from the manual` : `remove it or add ${transport} to transports`;
    findings.push({ path: [key], what, hint });
  };
  needs(profile.serial !== undefined, 'serial', 'serial');
  // A serial board behind a serial server listens on the server's port, which is no fact about the board.
  if (profile.transports[0] === 'tcp' || !profile.transports.includes('tcp')) {
    needs(profile.tcp_port !== undefined, 'tcp_port', 'tcp');
  }
  const [first, second] = profile.transports;
  if (first === second)
    findings.push({ path: ['transports', 1], what: `${first} is named twice`, hint: 'remove one' });
  const { addresses } = profile;
  if (addresses !== undefined && addresses.first > addresses.last) {
    const what = `first ${addresses.first} exceeds last ${addresses.last}`;
    findings.push({ path: ['addresses'], what, hint: 'correct the range' });
  }
  return findings;
}

/** What makes a command done must be there. */
function confirmationFindings(profile: SerialProfile): readonly Finding[] {
  const findings: Finding[] = [];
  const { confirmed_by: by, read, connect, isolate, isolate_all: all, hardware_lease: lease } = profile;
  const found = (what: string, hint: string): void => {
    findings.push({ path: ['confirmed_by'], what, hint });
  };
  const commands = [connect, isolate, all, lease].filter((command) => command !== undefined);
  switch (by) {
    case 'reply':
      if (commands.some(({ reply }) => reply === undefined))
        found(
          'a command has no reply that could confirm it',
          'use read-back, or give every command its reply',
        );
      break;
    case 'read-back':
      if (read === undefined) found('there is no read that could confirm a command', 'add read');
      break;
    case 'nothing':
      if (read !== undefined) found('the board can be read, so nothing need go unconfirmed', 'use read-back');
      if (commands.some(({ reply }) => reply !== undefined))
        found('the board replies, so nothing need go unconfirmed', 'use reply');
      if (profile.transports.includes('tcp'))
        found(
          'over tcp, a frame to a board that never answers may be delivered when the network returns',
          'offer serial only',
        );
      if (profile.initialise.length > 0 && profile.unsuitable === undefined)
        found(
          'nobody can tell when a board that never answers must be initialised',
          'it is unsuitable; say why',
        );
  }
  if (commands.some(({ reply, refused }) => reply === undefined && refused !== undefined))
    found('a refusal is expected where no reply is', 'give the reply, too');
  return findings;
}

function stateFindings({ read, channels, speaks }: SerialProfile): readonly Finding[] {
  if (read === undefined) return [];
  const found = (key: string, what: string, hint: string): Finding => ({
    path: ['read', 'state', key],
    what,
    hint,
  });
  const { state } = read;
  switch (state.form) {
    case 'word':
    case 'words': {
      const [yes, no] = [state.connected, state.isolated];
      if (!yes.startsWith(no) && !no.startsWith(yes)) return [];
      return [
        found(
          'connected',
          `${JSON.stringify(yes)} and ${JSON.stringify(no)} begin alike`,
          'the words must differ',
        ),
      ];
    }
    case 'bitmap': {
      const { order } = state;
      if (order === undefined) return [];
      const every = Array.from({ length: channels }, (_, index) => index + 1);
      const whole = order.length === channels && every.every((channel) => order.includes(channel));
      return whole
        ? []
        : [found('order', `is not each of channels 1 to ${channels} once`, 'name every channel once')];
    }
    case 'hex':
      if (speaks === 'bytes') return [found('form', 'hexadecimal digits are text', 'use bitmap')];
      return state.digits * 4 >= channels
        ? []
        : [
            found(
              'digits',
              `${state.digits} digits hold ${state.digits * 4} channels`,
              'four channels take a digit',
            ),
          ];
  }
}

function leaseFindings({ hardware_lease: lease, timings }: SerialProfile): readonly Finding[] {
  if (lease === undefined) return [];
  const findings: Finding[] = [];
  const found = (key: string, what: string, hint: string): void => {
    findings.push({ path: ['hardware_lease', key], what, hint });
  };
  if (lease.min > lease.max) found('min', `min ${lease.min} exceeds max ${lease.max}`, 'correct the range');
  const problem = leaseProblem(lease, lease.default_ms);
  if (problem !== null) found('default_ms', problem, 'choose a time that the field can hold');
  const leastMs = 2 * (timings.reply_timeout_ms + timings.gap_ms);
  if (lease.default_ms <= leastMs)
    found(
      'default_ms',
      `${lease.default_ms} ms is over before one lost reply is noticed and the lease asked for again (${leastMs} ms)`,
      'take several times reply_timeout_ms + gap_ms',
    );
  return findings;
}

function checkFindings({ startup_checks: checks }: SerialProfile): readonly Finding[] {
  return checks.flatMap(({ name }, index) =>
    checks.findIndex((other) => other.name === name) === index
      ? []
      : [
          {
            path: ['startup_checks', index, 'name'],
            what: `${name} is the name of an earlier check`,
            hint: 'choose another',
          },
        ],
  );
}

/** A reply must be able to arrive within its time-out. */
function paceFindings(frames: Frames): readonly Finding[] {
  const { timings, examples } = frames.profile;
  const longestMs = Math.max(
    ...examples.map((example) => bytesOnLineMs(frames, 'reply' in example ? (example.reply ?? '') : '')),
  );
  if (longestMs < timings.reply_timeout_ms) return [];
  return [
    {
      path: ['timings', 'reply_timeout_ms'],
      what: `the longest reply takes ${Math.ceil(longestMs)} ms on the line, and ${timings.reply_timeout_ms} ms are allowed`,
      hint: 'allow several times as long',
    },
  ];
}
