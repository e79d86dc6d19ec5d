/** What can be wrong with an emulated board, by name. Written `name` or `name:number`, as in `late-reply:1500` or `welded:1`. */

interface FaultKind {
  /** What the number means, or `null` when there is none. */
  readonly takes: 'ms' | 'channel' | 'code' | 'check' | null;
  /** The number when none is given. */
  readonly usual: number;
  readonly says: string;
}

const MAX_FAULT_MS = 600_000;
const MAX_EXCEPTION_CODE = 0xff;
/** Most start-up checks that a profile may have. */
const MAX_CHECKS = 64;

const kind = (says: string): FaultKind => ({ takes: null, usual: 0, says });

/** Every fault the emulator knows. */
export const FAULTS = {
  silence: kind('hears nothing: does nothing, answers nothing'),
  mute: kind('does what it is told and answers nothing'),
  'late-reply': { takes: 'ms', usual: 1500, says: 'does it at once and answers after so many ms' },
  'garbled-reply': kind('answers with bytes that are no reply'),
  'wrong-echo': kind('does it and echoes another value'),
  'duplicate-reply': kind('answers twice'),
  exception: { takes: 'code', usual: 4, says: 'does nothing and answers with this exception' },
  'echo-only': kind('echoes every write and moves nothing, as a board in linkage mode does'),
  welded: {
    takes: 'channel',
    usual: 1,
    says: 'the contact is connected from now on, whatever the coil says',
  },
  'stuck-isolated': {
    takes: 'channel',
    usual: 1,
    says: 'the contact is isolated from now on, whatever the coil says',
  },
  'lying-read-back': kind('every coil reads isolated, whatever was commanded'),
  'lease-not-renewable': kind('a repeated lease is echoed, but the first one runs on to its end'),
  'isolate-ignored-during-lease': kind('a plain isolate is echoed, but the running lease goes on to its end'),
  asleep: kind('says and does nothing until it has been initialised'),
  'wrong-setting': {
    takes: 'check',
    usual: 1,
    says: 'what this start-up check of the profile (counted from 1) reads first is wrong',
  },
  'refuse-connections': kind('new TCP connections are refused; those that stand go on'),
  'drop-connections': kind('resets every TCP connection, once'),
  reboot: {
    takes: 'ms',
    usual: 500,
    says: 'power-cycles once: drops contacts and connections, deaf for so many ms',
  },
} as const satisfies Readonly<Record<string, FaultKind>>;

export type FaultName = keyof typeof FAULTS;

/** What a request is, as far as faults tell requests apart. */
export type RequestKind = 'connect' | 'isolate' | 'read' | 'other';

/** A fault as it was asked for. */
export interface Fault {
  readonly name: FaultName;
  /** ms, channel or start-up check from 1, or exception code; 0 when the fault takes none. */
  readonly value: number;
  /** Only for requests of this kind. */
  readonly on: RequestKind | 'any';
  /** How many requests it strikes before it is over; `null`: until cleared. Counts only for faults that strike requests. */
  readonly times: number | null;
}

/** A fault, or why the text names none. */
export type FaultReading =
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'problem'; readonly what: string };

const isName = (name: string): name is FaultName => Object.hasOwn(FAULTS, name);
const problem = (what: string): FaultReading => ({ kind: 'problem', what });

/** Reads `name` or `name:number` for a board with so many channels. */
export function parseFault(
  text: string,
  channels: number,
  scope: Partial<Pick<Fault, 'on' | 'times'>> = {},
): FaultReading {
  const [name = '', number, ...rest] = text.split(':');
  if (!isName(name))
    return problem(
      `unknown fault ${JSON.stringify(name.slice(0, 60))}; known: ${Object.keys(FAULTS).join(', ')}`,
    );
  const { takes, usual }: FaultKind = FAULTS[name];
  if (rest.length > 0 || (number !== undefined && !/^\d{1,6}$/.test(number)))
    return problem(`${name}: write ${name}:NUMBER`);
  if (takes === null && number !== undefined) return problem(`${name} takes no number`);
  const value = number === undefined ? usual : Number(number);
  if (takes === 'ms' && value > MAX_FAULT_MS) return problem(`${name}: at most ${MAX_FAULT_MS} ms`);
  if (takes === 'channel' && (value < 1 || value > channels))
    return problem(`${name}: channels are 1 to ${channels}`);
  if (takes === 'code' && (value < 1 || value > MAX_EXCEPTION_CODE))
    return problem(`${name}: codes are 1 to ${MAX_EXCEPTION_CODE}`);
  if (takes === 'check' && (value < 1 || value > MAX_CHECKS))
    return problem(`${name}: start-up checks are 1 to ${MAX_CHECKS}`);
  return { kind: 'fault', fault: { name, value, on: scope.on ?? 'any', times: scope.times ?? null } };
}

/** One line for each fault, for `--help` and messages. */
export function faultWords(): string {
  return Object.entries(FAULTS)
    .map(([name, { takes, usual, says }]: [string, FaultKind]) => {
      const form = takes === null ? name : `${name}[:${takes.toUpperCase()}]`;
      return `  ${form.padEnd(28)} ${says}${takes === null ? '' : ` (usual: ${usual})`}\n`;
    })
    .join('');
}

/** The faults that stand against a board, in the order in which they came. */
export class FaultList {
  #standing: { fault: Fault; left: number | null }[] = [];

  add(fault: Fault): void {
    this.#standing.push({ fault, left: fault.times });
  }

  /** Removes one kind of fault, or all. */
  clear(name?: FaultName): void {
    this.#standing = name === undefined ? [] : this.#standing.filter(({ fault }) => fault.name !== name);
  }

  list(): readonly Fault[] {
    return this.#standing.map(({ fault, left }) => ({ ...fault, times: left }));
  }

  /** Whether a fault stands, for one channel or in general. Does not use it up. */
  has(name: FaultName, channel?: number): boolean {
    return this.#standing.some(
      ({ fault }) => fault.name === name && (channel === undefined || fault.value === channel),
    );
  }

  /** The fault of this name that strikes a request of this kind, counted as having struck; `null` when there is none. */
  strike(name: FaultName, request: RequestKind): Fault | null {
    const entry = this.#standing.find(
      ({ fault }) => fault.name === name && (fault.on === 'any' || fault.on === request),
    );
    if (entry === undefined) return null;
    if (entry.left !== null) {
      entry.left -= 1;
      if (entry.left <= 0) this.#standing = this.#standing.filter((other) => other !== entry);
    }
    return entry.fault;
  }
}
