/** The command line of `portcullis emulate`, read whole: everything that is wrong with it is reported at once. */
import { resolve } from 'node:path';
import { framingOf, type Framing } from '../contacts/modbus/profile.ts';
import type { Profile } from '../contacts/profile.ts';
import { loadProfiles, PROFILE_DIRECTORY, readProfileFile } from '../contacts/profile-store.ts';
import { processTimers } from '../contacts/timers.ts';
import type { CablePlan } from './cable.ts';
import { boardOf, type EmulationPlan, type PlayableProfile } from './emulation.ts';
import { faultWords, parseFault, type Fault } from './faults.ts';
import type { TcpAddress } from './tcp.ts';

/** Why an argument cannot be used, in a sentence. */
interface Wrong {
  readonly problem: string;
}
const wrong = (problem: string): Wrong => ({ problem });
const isWrong = (value: object): value is Wrong => 'problem' in value;

/** Where a board listens when nothing is said. */
const USUAL_ADDRESS: TcpAddress = { host: '127.0.0.1', port: 5020 };
/** `--control -`: control lines come on standard input, and its end ends the emulation. */
export const STANDARD_INPUT = '-';

/** The command line, as it was written. */
export interface EmulateArguments {
  /** A profile's id, or the path of a file that ends in `.yaml`. */
  readonly profile: string;
  /** `HOST:PORT`; port 0 lets the kernel choose. */
  readonly tcp?: string;
  readonly pty?: string;
  readonly framing?: string;
  readonly fault?: readonly string[];
  /** `CHANNEL:INPUT`. */
  readonly mirror?: readonly string[];
  /** `CHANNEL[+CHANNEL…],HOST:PORT=unix:PATH` or `…=tcp:HOST:PORT`. */
  readonly cable?: readonly string[];
  /** Path of a control socket, or `-` for standard input. */
  readonly control?: string;
  readonly json?: boolean;
  readonly directory?: string;
}

/** A plan, or at least one problem. */
export interface Planned {
  readonly plan: EmulationPlan | null;
  readonly problems: readonly string[];
}

/** Reads the whole command line and reports everything that is wrong with it. */
export async function planOf(args: EmulateArguments): Promise<Planned> {
  const found = await profileOf(args);
  if (isWrong(found)) return { plan: null, problems: [found.problem] };
  const profile = found;
  const problems: string[] = [];
  const note = <T extends object>(value: T | Wrong): T | null => {
    if (!isWrong(value)) return value;
    problems.push(value.problem);
    return null;
  };
  const list = <T extends object>(
    texts: readonly string[] | undefined,
    read: (text: string) => T | Wrong,
  ): T[] => (texts ?? []).flatMap((text) => note(read(text)) ?? []);
  const mirrors = list(args.mirror, (text) => readMirror(text, profile));
  const cables = list(args.cable, (text) => readCable(text, profile));
  const faults = list(args.fault, (text) => readFault(text, profile));
  const framing = note(readFraming(args, profile));
  const serial = args.pty !== undefined && args.tcp === undefined;
  if (
    args.pty === undefined &&
    args.tcp === undefined &&
    !profile.transports.some((each) => each !== 'serial')
  )
    problems.push(
      `${profile.id} sits on a serial line: say --pty PATH (or --tcp HOST:PORT for a serial server)`,
    );
  const address = serial
    ? null
    : args.tcp === undefined
      ? USUAL_ADDRESS
      : note(readAddress('--tcp', args.tcp));
  if (problems.length > 0) return { plan: null, problems };
  return {
    problems,
    plan: {
      profile,
      mirrors,
      cables,
      faults,
      ...(address === null || framing === null ? {} : { tcp: { ...address, ...framing } }),
      ...(args.pty === undefined ? {} : { pty: args.pty }),
      ...(args.control === undefined || args.control === STANDARD_INPUT ? {} : { control: args.control }),
    },
  };
}

async function profileOf({ profile: name, directory }: EmulateArguments): Promise<PlayableProfile | Wrong> {
  const shown = JSON.stringify(name.slice(0, 100));
  if (name.endsWith('.yaml')) {
    const reading = await readProfileFile(resolve(name));
    if (reading.kind === 'profile') return playable(reading.profile);
    return wrong(
      `${shown} is no sound profile (${reading.problems[0]?.what ?? ''}); see: portcullis profile check`,
    );
  }
  const home = directory ?? PROFILE_DIRECTORY;
  // All of them take half a second; only who mistyped one is told of the others.
  const profile = (await loadProfiles(home, (id) => id === name)).profiles.get(name);
  if (profile !== undefined) return playable(profile);
  const { profiles } = await loadProfiles(home);
  const known = [...profiles.values()].filter((each) => !isWrong(playable(each))).map(({ id }) => id);
  return wrong(`no usable profile ${shown}; known: ${known.join(', ')}`);
}

function playable(profile: Profile): PlayableProfile | Wrong {
  if (profile.driver !== 'modbus' && profile.driver !== 'serial')
    return wrong(`${profile.id} is a ${profile.driver} device; only Modbus and serial boards can be played`);
  if (profile.unsuitable !== undefined)
    return wrong(`${profile.id} must not be a contact, and is not played: ${profile.unsuitable}`);
  return profile;
}

function readFraming(
  { framing, pty, tcp }: EmulateArguments,
  profile: PlayableProfile,
): { readonly framing: Framing } | Wrong {
  if (profile.driver === 'serial')
    return framing === undefined
      ? { framing: 'rtu' }
      : wrong(`--framing is for Modbus; ${profile.id} has none`);
  const overNetwork = profile.transports.find((transport) => transport !== 'modbus-rtu');
  if (framing === undefined) return { framing: overNetwork === undefined ? 'rtu' : framingOf(overNetwork) };
  if (framing !== 'rtu' && framing !== 'modbus-tcp')
    return wrong(`--framing is rtu or modbus-tcp, not ${JSON.stringify(framing.slice(0, 40))}`);
  if (framing === 'modbus-tcp' && pty !== undefined && tcp === undefined)
    return wrong('--framing modbus-tcp: a terminal always speaks rtu');
  return { framing };
}

function readFault(text: string, profile: PlayableProfile): Fault | Wrong {
  const reading = parseFault(text, profile.channels);
  const problem = reading.kind === 'fault' ? faultProblem(reading.fault, profile) : null;
  if (problem !== null) return wrong(`--fault: ${problem}`);
  return reading.kind === 'fault'
    ? reading.fault
    : wrong(`--fault: ${reading.what}\n${faultWords()}`.trimEnd());
}

const faultProblem = ({ name }: Fault, profile: PlayableProfile): string | null =>
  boardOf(profile, processTimers).faultProblem(name);

function readAddress(option: string, text: string): TcpAddress | Wrong {
  const match = /^(?<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?<port>\d{1,5})$/.exec(text);
  const { host = '', port = '' } = match?.groups ?? {};
  if (match === null || Number(port) > 65_535)
    return wrong(`${option}: ${JSON.stringify(text.slice(0, 100))} is not HOST:PORT`);
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function readMirror(text: string, profile: PlayableProfile): { channel: number; input: number } | Wrong {
  const { channels } = profile;
  const inputs = profile.driver === 'modbus' ? profile.inputs : undefined;
  const match = /^(?<channel>\d{1,3}):(?<input>\d{1,3})$/.exec(text);
  if (match === null) return wrong(`--mirror: ${JSON.stringify(text.slice(0, 100))} is not CHANNEL:INPUT`);
  const channel = Number(match.groups?.['channel']);
  const input = Number(match.groups?.['input']);
  if (channel < 1 || channel > channels) return wrong(`--mirror ${text}: channels are 1 to ${channels}`);
  if (inputs === undefined) return wrong(`--mirror ${text}: this board has no inputs`);
  if (input < 1 || input > inputs.quantity)
    return wrong(`--mirror ${text}: inputs are 1 to ${inputs.quantity}`);
  return { channel, input };
}

/** Reads `1+2,127.0.0.1:8000=unix:/path` or `1,127.0.0.1:8000=tcp:HOST:PORT`. */
export function readCable(
  text: string,
  { channels: count }: Pick<PlayableProfile, 'channels'>,
): CablePlan | Wrong {
  const match = /^(?<channels>\d{1,3}(?:\+\d{1,3})*),(?<listen>[^=]+)=(?<kind>unix|tcp):(?<to>.+)$/.exec(
    text,
  );
  if (match === null)
    return wrong(
      `--cable: ${JSON.stringify(text.slice(0, 150))} is not CHANNEL[+CHANNEL],HOST:PORT=unix:PATH or =tcp:HOST:PORT`,
    );
  const { channels: listed = '', listen = '', kind = '', to = '' } = match.groups ?? {};
  const channels = listed.split('+').map(Number);
  if (channels.some((channel) => channel < 1 || channel > count))
    return wrong(`--cable ${text}: channels are 1 to ${count}`);
  const address = readAddress('--cable', listen);
  if (isWrong(address)) return address;
  if (kind === 'unix') return { channels, listen: address, target: { unix: to } };
  const target = readAddress('--cable', to);
  return isWrong(target) ? target : { channels, listen: address, target: { tcp: target } };
}
