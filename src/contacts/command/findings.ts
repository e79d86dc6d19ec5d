/** What a command profile of the right shape may still say wrongly. Pure. */
import type { Finding } from '../profile-finding.ts';
import { bears, type Sign } from './meaning.ts';
import type { Ended } from './process.ts';
import { type CommandExample, type CommandProfile, PLACEHOLDER } from './profile.ts';
import { filled, parameterProblems } from './words.ts';

/** Programs that run whatever they are given. */
const SHELLS = new Set([
  'ash',
  'bash',
  'busybox',
  'csh',
  'dash',
  'env',
  'fish',
  'ksh',
  'nsenter',
  'sh',
  'sudo',
  'tcsh',
  'zsh',
]);
/** A word of a program that turns a state round instead of setting it. */
const TOGGLES = /^(toggle|cycle|flip)$/i;

/** Everything that contradicts itself, or that must not be run. */
export function commandFindings(profile: CommandProfile): readonly Finding[] {
  const patterns = patternFindings(profile);
  const findings = [
    ...(['connect', 'isolate', 'read'] as const).flatMap((part) => argvFindings(profile, part)),
    ...unusedFindings(profile),
    ...patterns,
  ];
  // Nothing can be compared with a pattern that is none.
  if (patterns.length > 0) return findings;
  findings.push(...profile.examples.flatMap((example, index) => exampleFindings(profile, example, index)));
  const shown = profile.examples.map((example) => (example.ask === 'read' ? example.means : example.ask));
  for (const needed of ['connect', 'isolate', 'connected', 'isolated'] as const) {
    if (shown.includes(needed)) continue;
    const what = `missing: an example of ${needed === 'connect' || needed === 'isolate' ? needed : `a read that means ${needed}`}`;
    findings.push({ path: ['examples'], what, hint: 'add argv, exit and output' });
  }
  return findings;
}

function argvFindings(profile: CommandProfile, part: 'connect' | 'isolate' | 'read'): readonly Finding[] {
  return profile[part].argv.flatMap((word, index): readonly Finding[] => {
    const found = (what: string, hint: string): readonly Finding[] => [
      { path: [part, 'argv', index], what, hint },
    ];
    const name = word.split('/').at(-1) ?? '';
    if (index === 0 && !/^\/[^{}]*[^/{}]$/.test(word))
      return found('a program is named by its absolute path, without parameters', 'see `command -v NAME`');
    if (index === 0 && SHELLS.has(name))
      return found(
        `${name} runs whatever it is given`,
        'name the program itself, or write a script of your own',
      );
    if (index > 0 && part !== 'read' && TOGGLES.test(word))
      return found(
        `${word} may turn round what is set`,
        'a lost answer would leave nobody knowing; set the state',
      );
    const placeholder = PLACEHOLDER.exec(word)?.[1];
    if (placeholder !== undefined && !Object.hasOwn(profile.parameters, placeholder))
      return found(`there is no parameter ${placeholder}`, 'add it to parameters');
    if (placeholder === undefined && /[{}]/.test(word))
      return found('a parameter stands for a whole word', 'split the word, or write it out');
    return [];
  });
}

function unusedFindings(profile: CommandProfile): readonly Finding[] {
  const words = [...profile.connect.argv, ...profile.isolate.argv, ...profile.read.argv];
  return Object.keys(profile.parameters)
    .filter((name) => !words.includes(`{${name}}`))
    .map((name) => ({ path: ['parameters', name], what: 'nothing uses it', hint: 'remove it' }));
}

function patternFindings(profile: CommandProfile): readonly Finding[] {
  const { connect, isolate, read } = profile;
  const signs: readonly (readonly [readonly string[], Sign])[] = [
    [['connect', 'done'], connect.done],
    [['isolate', 'done'], isolate.done],
    [['read', 'connected'], read.connected],
    [['read', 'isolated'], read.isolated],
  ];
  const patterns = [
    ...signs.flatMap(([path, sign]) =>
      (['some_line', 'no_line'] as const).map((key) => ({ path: [...path, key], pattern: sign[key] })),
    ),
    ...Object.entries(profile.parameters).map(([name, { pattern }]) => ({
      path: ['parameters', name, 'pattern'],
      pattern,
    })),
  ];
  const broken = patterns.flatMap(({ path, pattern }): readonly Finding[] => {
    try {
      void new RegExp(pattern ?? '', 'u');
      return [];
    } catch (error) {
      const why = error instanceof Error ? error.message.slice(0, 120) : 'not a pattern';
      return [{ path, what: `not a regular expression: ${why}`, hint: 'correct it' }];
    }
  });
  if (
    read.isolated.some_line === undefined &&
    read.isolated.exit.some((code) => read.connected.exit.includes(code))
  ) {
    broken.push({
      path: ['read', 'isolated'],
      what: 'a program that prints nothing would read isolated',
      hint: 'say in some_line what is printed when isolated, or give it an exit code of its own',
    });
  }
  return broken;
}

function exampleFindings(profile: CommandProfile, example: CommandExample, at: number): readonly Finding[] {
  const found = (field: string, what: string, hint: string): Finding => ({
    path: ['examples', at, field],
    what,
    hint,
  });
  const wrong = parameterProblems(profile, example.parameters);
  if (wrong.length > 0) return wrong.map(({ what, hint }) => found('parameters', what, hint));
  const computed = filled(profile[example.ask].argv, example.parameters);
  const findings: Finding[] = [];
  if (JSON.stringify(computed) !== JSON.stringify(example.argv)) {
    findings.push(found('argv', `the profile runs ${JSON.stringify(computed)}`, 'one of the two is wrong'));
  }
  const ended: Ended = { kind: 'exited', code: example.exit, stdout: example.output, stderr: '' };
  const meaning = meaningOf(profile, example.ask, ended);
  if (meaning !== example.means)
    findings.push(found('means', `this run means ${meaning}`, 'correct it, or the signs of the profile'));
  return findings;
}

function meaningOf(profile: CommandProfile, ask: CommandExample['ask'], ended: Ended): string {
  if (ask !== 'read') return bears(ended, profile[ask].done) ? 'accepted' : 'refused';
  const connected = bears(ended, profile.read.connected);
  const isolated = bears(ended, profile.read.isolated);
  if (connected === isolated) return 'unknown';
  return connected ? 'connected' : 'isolated';
}
