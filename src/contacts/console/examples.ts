/** Whether the recorded dialogues of a profile are what the profile makes of them. Pure. */
import type { Finding } from '../profile-finding.ts';
import { CursorReader } from './cursor.ts';
import type { ConsoleExample } from './fields.ts';
import { errorIn, stateRead, storedRead } from './printed.ts';
import type { ConsoleProfile } from './profile.ts';
import { cutLines, commandLines, type Mode, parkedAt, portProblem, spelled, way } from './script.ts';

/** What is wrong with the examples, and which behaviour none of them shows. */
export function exampleFindings(profile: ConsoleProfile): readonly Finding[] {
  const cursor = new CursorReader(profile);
  return [
    ...profile.examples.flatMap((example, index) => one(profile, cursor, example, ['examples', index])),
    ...coverage(profile),
  ];
}

/** The words that an example leads to: what is typed, and what is understood. */
export interface Shown {
  readonly sends: readonly string[];
  readonly means: string;
}

/** What the driver makes of an example. */
export function shown(profile: ConsoleProfile, cursor: CursorReader, example: ConsoleExample): Shown {
  switch (example.ask) {
    case 'isolate':
    case 'connect':
      return { sends: sentFor(profile, example), means: 'accepted' };
    case 'administrative':
    case 'operational': {
      const reading = profile[example.ask];
      const template = example.sends === '' ? reading.command : commandOf(profile, example);
      const read = stateRead(reading, example.port, example.prints.split('\n'));
      return { sends: [spelled(profile, template, example.port)], means: read.kind };
    }
    case 'stored': {
      const { stored } = profile;
      if (stored === undefined) return { sends: [], means: 'unknown' };
      const read = storedRead(stored, example.port, example.prints.split('\n'));
      return { sends: [spelled(profile, stored.command, example.port)], means: read.kind };
    }
    case 'cursor': {
      const says = cursor.says(example.prints);
      if (says.kind === 'mode') return { sends: [], means: says.at };
      if (says.kind === 'question') return { sends: [says.question.answer], means: says.question.kind };
      return { sends: [], means: says.kind };
    }
    case 'error': {
      const error = errorIn(profile, example.prints.split('\n'));
      return { sends: [], means: error === null ? 'accepted' : 'refused' };
    }
  }
}

/** Of the two lines of a reading the one that the example types. */
function commandOf(
  profile: ConsoleProfile,
  example: Extract<ConsoleExample, { ask: 'administrative' | 'operational' | 'stored' }>,
): string {
  const reading = example.ask === 'stored' ? profile.administrative : profile[example.ask];
  const { parked, command } = reading;
  return parked !== undefined && spelled(profile, parked, example.port) === example.sends ? parked : command;
}

const OTHER_PORT = null;

function modeOf(profile: ConsoleProfile, example: Extract<ConsoleExample, { in: string }>): Mode {
  switch (example.in) {
    case 'privileged':
    case 'configure':
      return { at: example.in };
    case 'port':
      return parkedAt(profile, example.port);
    case 'other-port':
      return { at: 'interface', port: OTHER_PORT };
  }
}

function sentFor(
  profile: ConsoleProfile,
  example: Extract<ConsoleExample, { in: string }>,
): readonly string[] {
  const mode = modeOf(profile, example);
  if (example.ask === 'isolate') return cutLines(profile, mode, example.port) ?? [];
  const there = way(profile, mode, example.port) ?? [];
  return [...there, ...commandLines(profile, 'connect', example.port)];
}

function one(
  profile: ConsoleProfile,
  cursor: CursorReader,
  example: ConsoleExample,
  path: Finding['path'],
): readonly Finding[] {
  if ('port' in example) {
    const problem = portProblem(profile, example.port);
    if (problem !== null)
      return [{ path: [...path, 'port'], what: problem, hint: 'name a port of this switch' }];
  }
  const findings: Finding[] = [];
  const is = shown(profile, cursor, example);
  const said = 'sends' in example && example.sends !== undefined ? [example.sends].flat() : [];
  if (said.join('\n') !== is.sends.join('\n')) {
    const what = `the profile types ${is.sends.map((line) => `"${line}"`).join(', ') || 'nothing'} here`;
    findings.push({ path: [...path, 'sends'], what, hint: 'correct the example, or the profile it shows' });
  }
  if (example.means !== is.means) {
    const what = `the profile understands ${is.means}`;
    findings.push({ path: [...path, 'means'], what, hint: 'correct the example, or the profile it shows' });
  }
  return findings;
}

/** What a profile must show of itself. */
function coverage(profile: ConsoleProfile): readonly Finding[] {
  const has = (ask: ConsoleExample['ask'], means: string): boolean =>
    profile.examples.some((example) => example.ask === ask && example.means === means);
  const wanted: readonly (readonly [ConsoleExample['ask'], string, boolean])[] = [
    ['isolate', 'accepted', true],
    ['connect', 'accepted', true],
    ['administrative', 'isolated', true],
    ['administrative', 'connected', true],
    ['operational', 'isolated', true],
    ['operational', 'connected', true],
    ['stored', 'isolated', profile.stored !== undefined],
    ['stored', 'connected', profile.stored !== undefined],
    ['cursor', 'privileged', true],
    ['cursor', 'configure', profile.configure !== undefined],
    ['cursor', 'interface', profile.interface !== undefined],
    ['error', 'refused', true],
  ];
  return wanted.flatMap(([ask, means, needed]) =>
    !needed || has(ask, means)
      ? []
      : [{ path: ['examples'], what: `no example shows ${ask}: ${means}`, hint: 'add one' }],
  );
}
