/** What is wrong with the profile of a switch beyond its shape: lines that save, contradictions, examples that it does not produce. */
import type { Finding } from '../profile-finding.ts';
import { exampleFindings } from './examples.ts';
import type { ConsoleDevice } from './fields.ts';
import { forbiddenLine } from './forbidden.ts';
import type { ConsoleProfile } from './profile.ts';
import { storesIsolation } from './script.ts';

type Path = Finding['path'];

/** Everything that contradicts itself, the driver or its own examples in the profile of a switch. */
export function consoleFindings(profile: ConsoleProfile): readonly Finding[] {
  const typed = typedFindings(profile);
  return [
    ...typed,
    ...safetyFindings(profile),
    ...wayFindings(profile),
    ...questionFindings(profile),
    ...wakeFindings(profile),
    // With a line that must never be typed there is nothing to compare.
    ...(typed.length > 0 ? [] : exampleFindings(profile)),
  ];
}

/** Every line that is ever typed, by its place. */
export function typedLines(device: ConsoleDevice): readonly { readonly path: Path; readonly line: string }[] {
  const one = (path: Path, line: string | undefined): { path: Path; line: string }[] =>
    line === undefined ? [] : [{ path, line }];
  const many = (
    key: 'prepare' | 'isolate' | 'connect' | 'leave' | 'logout',
  ): { path: Path; line: string }[] => device[key].map((line, index) => ({ path: [key, index], line }));
  return [
    ...one(['marker'], device.marker.replaceAll('{mark}', '00000000')),
    ...one(['privilege'], device.privilege),
    ...many('prepare'),
    ...one(['configure'], device.configure),
    ...one(['interface'], device.interface),
    ...many('isolate'),
    ...many('connect'),
    ...many('leave'),
    ...many('logout'),
    ...(['administrative', 'operational'] as const).flatMap((key) => [
      ...one([key, 'command'], device[key].command),
      ...one([key, 'parked'], device[key].parked),
    ]),
    ...one(['stored', 'command'], device.stored?.command),
  ];
}

/** Most characters of a line on a terminal of 80 columns, which also holds the prompt. */
const ORDINARY_LINE = 60;
const NEEDS_PORT: readonly string[] = ['interface', 'administrative', 'operational'];
const HAS_NO_PORT: readonly string[] = ['marker', 'privilege', 'prepare', 'configure', 'leave', 'logout'];

function typedFindings(profile: ConsoleProfile): readonly Finding[] {
  const port = profile.examples.find((example) => 'port' in example)?.port ?? '';
  const isWide = profile.prepare.some((line) => line.includes('width'));
  return typedLines(profile).flatMap(({ path, line }) => {
    const findings: Finding[] = [];
    const [key] = path;
    const why = forbiddenLine(line, storesIsolation(profile, line));
    if (why !== null) {
      const hint = 'the driver never saves, erases or restarts; find another line';
      findings.push({ path, what: `"${line}" is never typed: ${why}`, hint });
    }
    if (!isWide && line.replaceAll('{port}', port).length > ORDINARY_LINE) {
      const what = `with a port like ${port} this is longer than ${ORDINARY_LINE} characters, and its echo would be torn`;
      findings.push({ path, what, hint: 'shorten it, or set the width of the terminal in prepare' });
    }
    if (NEEDS_PORT.includes(String(key)) && !line.includes('{port}') && !isTable(profile, key)) {
      findings.push({ path, what: 'this does not say which port', hint: 'write {port} where it stands' });
    }
    if (HAS_NO_PORT.includes(String(key)) && line.includes('{port}')) {
      findings.push({ path, what: 'there is no port at this place', hint: 'write it without {port}' });
    }
    return findings;
  });
}

/** A table of all ports needs no port in its line, but in every rule. */
function isTable(profile: ConsoleProfile, key: string | number | undefined): boolean {
  return (
    (key === 'administrative' || key === 'operational') &&
    profile[key].rules.every(({ line }) => line.includes('{port}'))
  );
}

function safetyFindings(profile: ConsoleProfile): readonly Finding[] {
  const findings: Finding[] = [];
  if (profile.contact !== 'holding') {
    const what = 'a switch port keeps its state without us';
    findings.push({ path: ['contact'], what, hint: 'say contact: holding' });
  }
  if (profile.persistence === 'stored' && profile.unsuitable === undefined) {
    const what = 'a change that survives a restart makes `connected` permanent';
    findings.push({ path: ['persistence'], what, hint: 'say in unsuitable why this switch is refused' });
  }
  const same = profile.isolate.filter((line) => profile.connect.includes(line) && line !== 'commit');
  if (same.length === profile.isolate.length) {
    findings.push({ path: ['connect'], what: 'isolate and connect are the same lines', hint: 'correct one' });
  }
  for (const key of ['administrative', 'operational'] as const) {
    const means = profile[key].rules.map((rule) => rule.means);
    for (const meaning of ['isolated', 'connected'] as const) {
      if (!means.includes(meaning)) {
        const what = `no rule says ${meaning}`;
        findings.push({ path: [key, 'rules'], what, hint: 'add one from what the switch prints' });
      }
    }
  }
  if (profile.transports.includes('serial') && profile.serial === undefined) {
    const hint = 'add serial: { baud, data_bits, parity, stop_bits } from the manual';
    findings.push({ path: ['serial'], what: 'the settings of the console are missing', hint });
  }
  return findings;
}

function wayFindings(profile: ConsoleProfile): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (path: Path, what: string, hint: string): number => findings.push({ path, what, hint });
  const { prompts } = profile;
  if (profile.interface !== undefined && prompts.interface.length === 0)
    add(['prompts', 'interface'], 'the context of a port has no prompt', 'add it');
  if (profile.interface !== undefined && profile.configure === undefined)
    add(['configure'], 'a context of a port without a configuration around it', 'say how it is entered');
  if (profile.configure !== undefined && prompts.configure.length === 0)
    add(['prompts', 'configure'], 'the configuration has no prompt', 'add it');
  if (profile.configure !== undefined && profile.leave.length === 0)
    add(['leave'], 'no line leaves the configuration', 'add it');
  if (prompts.user.length > 0 && profile.privilege === undefined)
    add(['privilege'], 'no line leads out of the user mode', 'add it');
  const needsPort = profile.interface === undefined;
  for (const key of ['isolate', 'connect'] as const) {
    if (needsPort && !profile[key].some((line) => line.includes('{port}')))
      add([key], 'without a context of the port the line must name it', 'write {port} where it stands');
  }
  return findings;
}

/** What a question about saving is recognised by. */
const ABOUT_SAVING = /sav|unsaved|startup|write|keep/i;

function questionFindings(profile: ConsoleProfile): readonly Finding[] {
  return profile.questions.flatMap((question, index): Finding[] => {
    const path = ['questions', index];
    const { kind, answer, asks } = question;
    if (kind !== 'save' && ABOUT_SAVING.test(asks)) {
      const what = 'this asks about saving';
      return [{ path: [...path, 'kind'], what, hint: 'say kind: save, and answer no' }];
    }
    if (kind === 'save' && !['n', 'n enter', 'no enter', 'ctrl-c'].includes(answer)) {
      const what = 'a question about saving is answered no, and by nothing else';
      return [{ path: [...path, 'answer'], what, hint: 'n, n enter, no enter or ctrl-c' }];
    }
    if (answer.startsWith('y') && kind !== 'logout') {
      const what = 'yes is answered only to the question whether to log out';
      return [{ path: [...path, 'answer'], what, hint: 'answer no' }];
    }
    return [];
  });
}

function wakeFindings(profile: ConsoleProfile): readonly Finding[] {
  const { wake } = profile;
  const erase = wake.findIndex((key) => key === 'ctrl-c' || key === 'ctrl-u');
  const ends = wake.findIndex((key) => key === 'enter' || key === 'ctrl-z');
  if (ends === -1 || (erase !== -1 && erase < ends)) return [];
  const what = 'a half-typed line would be carried out: it might be the one that connects';
  return [{ path: ['wake'], what, hint: 'press ctrl-c or ctrl-u before enter' }];
}
