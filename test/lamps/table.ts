/** What the lamps must show: the rows of docs/button-and-lamps.md, and the promises that hold whatever is known. */
import type { LampFacts, LampLink, LampName, LampPattern, LampPatterns } from '../../src/core/lamps.ts';

/** The functions under test, as they are or with a planted fault. */
export interface Subject {
  readonly lampsFor: (facts: LampFacts) => LampPatterns;
  readonly isLit: (pattern: LampPattern, now: number, steady: boolean) => boolean;
}

export const quiet: LampFacts = {
  links: [],
  button: 'released',
  present: false,
  journalWritable: true,
  lampFailing: false,
  testing: false,
};
const isolated: LampLink = {
  at: 'isolated',
  proven: true,
  observed: 'isolated',
  latched: false,
  overdue: false,
  refused: false,
};
const connected: LampLink = { ...isolated, at: 'connected', proven: false, observed: 'connected' };
const tripped: LampLink = { ...isolated, at: 'tripped', latched: true };
const unproven: LampLink = { ...isolated, at: 'unproven', proven: false, observed: 'unknown' };
const stuck: LampLink = { ...tripped, at: 'stuck', proven: false, observed: 'connected' };

/** isolated, connected, tripped, fault: `.` dark, `*` lit, `s` slow, `f` fast. */
type Shown = `${string}${string}${string}${string}`;
type Row = readonly [name: string, facts: Partial<LampFacts>, shown: Shown];

export const rows: readonly Row[] = [
  ['no link at all', {}, '.s..'],
  ['all isolated and proven', { links: [isolated, isolated] }, '*...'],
  ['one not proven', { links: [isolated, unproven] }, '.s..'],
  ['one proven before, unreadable now', { links: [isolated, { ...isolated, observed: 'unknown' }] }, '.s..'],
  ['seen isolated, never proven', { links: [{ ...unproven, observed: 'isolated' }] }, '.s..'],
  [
    'being isolated, seen isolated',
    { links: [{ ...unproven, at: 'isolating', observed: 'isolated' }] },
    '.s..',
  ],
  ['being isolated, still seen connected', { links: [{ ...connected, at: 'isolating' }] }, '.*..'],
  [
    'connecting, still seen isolated',
    { links: [{ ...connected, at: 'connecting', observed: 'isolated' }] },
    '.s..',
  ],
  ['one connected', { links: [isolated, connected] }, '.*..'],
  [
    'proof test: one contact alone isolates',
    { links: [{ ...connected, at: 'proving', observed: 'isolated' }] },
    '.s..',
  ],
  ['commissioning', { links: [{ ...connected, at: 'commissioning' }] }, '.*..'],
  ['connected unasked', { links: [{ ...isolated, observed: 'connected' }] }, '.f.f'],
  [
    'connected unasked beside one with a lease',
    { links: [connected, { ...unproven, observed: 'connected' }] },
    '.f.f',
  ],
  ['tripped, isolation proven', { links: [tripped] }, '*.*.'],
  ['tripped beside one connected', { links: [tripped, connected] }, '.**.'],
  ['tripped, the evidence lags', { links: [{ ...tripped, proven: false, observed: 'connected' }] }, '.fff'],
  ['tripped, nothing answers yet', { links: [{ ...tripped, proven: false, observed: 'unknown' }] }, '.sf.'],
  [
    'tripped, nothing answered in time',
    { links: [{ ...tripped, proven: false, observed: 'unknown', overdue: true }] },
    '.sff',
  ],
  ['two tripped, one of them not proven', { links: [tripped, { ...tripped, proven: false }] }, '.sf.'],
  ['tripped, and the button was held', { links: [tripped], present: true }, '*.s.'],
  ['held while isolation is not proven', { links: [{ ...tripped, proven: false }], present: true }, '.sf.'],
  ['held while nothing is latched', { links: [isolated], present: true }, '*...'],
  ['stuck', { links: [isolated, stuck] }, '.fff'],
  ['stuck, and seen isolated at last', { links: [{ ...stuck, proven: true, observed: 'isolated' }] }, '.sff'],
  ['the proof is overdue', { links: [{ ...unproven, overdue: true }] }, '.s.f'],
  ['the button is dead, all isolated', { links: [isolated], button: 'dead' }, '*..s'],
  ['the button is not known', { links: [isolated], button: 'unknown' }, '*..s'],
  ['no button', { links: [isolated], button: 'none' }, '*...'],
  ['the button is pressed', { links: [tripped], button: 'pressed' }, '*.*.'],
  ['the journal cannot be written', { links: [isolated], journalWritable: false }, '*..s'],
  ['the journal cannot be written, and one is stuck', { links: [stuck], journalWritable: false }, '.fff'],
  ['a permissive fails', { links: [isolated, { ...isolated, refused: true }] }, '*..*'],
  ['another lamp does not obey', { links: [isolated], lampFailing: true }, '*..*'],
  [
    'a lamp does not obey and the button is dead',
    { links: [isolated], lampFailing: true, button: 'dead' },
    '*..s',
  ],
  ['lamp test', { links: [stuck], testing: true }, '****'],
];

const SIGNS: Readonly<Record<LampPattern, string>> = {
  dark: '.',
  lit: '*',
  'slow-blink': 's',
  'fast-blink': 'f',
};
const NAMES: readonly LampName[] = ['isolated', 'connected', 'tripped', 'fault'];
export const shownAs = (patterns: LampPatterns): string =>
  NAMES.map((name) => SIGNS[patterns[name]]).join('');

function broken(promise: string, facts: LampFacts): never {
  throw new Error(`broken: ${promise}: ${JSON.stringify(facts)}`);
}

const STATES: readonly LampLink['at'][] = [
  'unproven',
  'isolated',
  'connecting',
  'connected',
  'proving',
  'commissioning',
  'isolating',
  'tripped',
  'stuck',
];
const BOTH = [false, true] as const;

/** Every link that there could be, also those that cannot. */
export const everyLink: readonly LampLink[] = STATES.flatMap((at) =>
  (['connected', 'isolated', 'unknown'] as const).flatMap((observed) =>
    BOTH.flatMap((proven) =>
      BOTH.flatMap((latched) =>
        BOTH.flatMap((overdue) =>
          BOTH.map((refused) => ({ at, observed, proven, latched, overdue, refused })),
        ),
      ),
    ),
  ),
);

/** Every link alone and beside others, with everything else that can be known. Returns how many cases were looked at. */
export function explore(subject: Subject): number {
  let cases = 0;
  const company = [[], [isolated], [connected], [tripped], [unproven], [stuck]];
  for (const link of everyLink)
    for (const others of company)
      for (const button of ['none', 'released', 'pressed', 'unknown', 'dead'] as const)
        for (const present of BOTH)
          for (const journalWritable of BOTH)
            for (const lampFailing of BOTH) {
              const links = [...others, link];
              const facts = { links, button, present, journalWritable, lampFailing, testing: false };
              keepsPromises(subject.lampsFor(facts), facts);
              cases += 1;
            }
  for (const [name, facts, shown] of rows) {
    const found = shownAs(subject.lampsFor({ ...quiet, ...facts }));
    if (found !== shown) throw new Error(`broken: the row "${name}": ${found} instead of ${shown}`);
  }
  blinks(subject);
  return cases;
}

/** Said in other words than the function says it. */
function keepsPromises(shown: LampPatterns, facts: LampFacts): void {
  const { links } = facts;
  const commanded = ['connecting', 'connected', 'proving', 'commissioning'];
  if (shown.isolated !== 'dark') {
    if (shown.isolated !== 'lit') broken('the isolated lamp never blinks', facts);
    if (links.some(({ proven }) => !proven)) broken('isolated is lit without proof', facts);
    if (links.some(({ observed }) => observed !== 'isolated'))
      broken('isolated is lit against what is seen', facts);
    if (links.some(({ at }) => commanded.includes(at)))
      broken('isolated is lit while connect is commanded', facts);
    if (shown.connected !== 'dark') broken('isolated and connected at once', facts);
    if (links.some(({ at }) => at === 'stuck')) broken('isolated is lit beside a stuck link', facts);
  }
  const dark = shown.isolated === 'dark' && shown.connected === 'dark';
  if (dark) broken('neither isolated nor connected says anything', facts);
  if (links.some(({ observed }) => observed === 'connected') && shown.connected === 'dark')
    broken('a connected link is not shown', facts);
  if (links.some(({ latched }) => latched) !== (shown.tripped !== 'dark'))
    broken('a latch is not shown', facts);
  const trouble =
    facts.button === 'dead' ||
    !facts.journalWritable ||
    facts.lampFailing ||
    links.some(({ refused }) => refused);
  if (trouble && shown.fault === 'dark') broken('a fault is not shown', facts);
  if (links.some(({ at, overdue }) => at === 'stuck' || overdue) && shown.fault !== 'fast-blink')
    broken('the worst fault does not beat the others', facts);
}

function blinks({ isLit }: Subject): void {
  const wave = (pattern: LampPattern, steady = false): string =>
    Array.from({ length: 16 }, (_, i) => (isLit(pattern, i * 250, steady) ? '*' : '.')).join('');
  const seen = [wave('dark'), wave('lit'), wave('slow-blink'), wave('fast-blink')];
  const due = ['................', '****************', '****....****....', '*.*.*.*.*.*.*.*.'];
  if (seen.join() !== due.join()) throw new Error(`broken: blinks as ${seen.join()}`);
  if (wave('slow-blink', true) + wave('fast-blink', true) !== '*'.repeat(32))
    throw new Error('broken: steady blinks');
  if (wave('dark', true).includes('*')) throw new Error('broken: steady lights what is dark');
}
