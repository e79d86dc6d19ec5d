/**
 * The lamps of the box: a pure function of what is known of all links to what each lamp shows. The table is in
 * docs/button-and-lamps.md; a test holds this function to every row of it.
 *
 * `isolated` is lit or dark, never blinking: somebody who looks at the wrong moment must not read a blink as lit. It is lit
 * only while every link was proven isolated and is seen isolated; whenever it is lit, `connected` is dark and `fault` does
 * not blink fast. A lamp that is dark says nothing: it may be broken, hence the lamp test.
 */
import type { Position } from './evidence.ts';
import type { State } from './link.ts';

/** What a lamp shows. Slow: 1 s lit, 1 s dark. Fast: 250 ms lit, 250 ms dark. */
export type LampPattern = 'dark' | 'lit' | 'slow-blink' | 'fast-blink';

export const LAMP_NAMES = ['isolated', 'connected', 'tripped', 'fault'] as const;
export type LampName = (typeof LAMP_NAMES)[number];

/** What the lamps rest on, for one link. */
export interface LampLink {
  readonly at: State['at'];
  /** Isolation was proven, and nothing has taken the proof away. */
  readonly proven: boolean;
  /** Where all fresh evidence says that it is. */
  readonly observed: Position;
  readonly latched: boolean;
  /** Its isolation was due and was not shown in time. */
  readonly overdue: boolean;
  /** A permissive fails, the button apart: no lease would be granted. */
  readonly refused: boolean;
}

/** Everything that the lamps rest on. */
export interface LampFacts {
  readonly links: readonly LampLink[];
  readonly button: 'none' | 'released' | 'pressed' | 'unknown' | 'dead';
  /** A hold of the button has just given presence. */
  readonly present: boolean;
  readonly journalWritable: boolean;
  /** An output of a lamp does not do what it is told. */
  readonly lampFailing: boolean;
  /** A lamp test is under way. */
  readonly testing: boolean;
}

/** What each lamp shows. */
export type LampPatterns = Readonly<Record<LampName, LampPattern>>;

/** During a lamp test everything is lit; else what is known of all links together, the worst of them first. */
export function lampsFor(facts: LampFacts): LampPatterns {
  if (facts.testing) return { isolated: 'lit', connected: 'lit', tripped: 'lit', fault: 'lit' };
  return {
    isolated: facts.links.length > 0 && facts.links.every(isIsolated) ? 'lit' : 'dark',
    connected: connectedLamp(facts),
    tripped: trippedLamp(facts),
    fault: faultLamp(facts),
  };
}

/** Proven, still seen, and in a state in which nothing is commanded connected. A link that was stuck is not believed again before its reset. */
function isIsolated({ at, proven, observed }: LampLink): boolean {
  switch (at) {
    case 'isolated':
    case 'tripped':
      return proven && observed === 'isolated';
    case 'stuck':
    case 'unproven':
    case 'connecting':
    case 'connected':
    case 'proving':
    case 'commissioning':
    case 'isolating':
      return false;
  }
}

/** Seen connected although nothing permits it. While a link is being isolated its evidence lags behind. */
function isUnasked({ at, observed }: LampLink): boolean {
  switch (at) {
    case 'unproven':
    case 'isolated':
    case 'tripped':
    case 'stuck':
      return observed === 'connected';
    case 'connecting':
    case 'connected':
    case 'proving':
    case 'commissioning':
    case 'isolating':
      return false;
  }
}

function connectedLamp({ links }: LampFacts): LampPattern {
  if (links.some(isUnasked)) return 'fast-blink';
  if (links.some(({ observed }) => observed === 'connected')) return 'lit';
  return links.length > 0 && links.every(isIsolated) ? 'dark' : 'slow-blink';
}

function trippedLamp({ links, present }: LampFacts): LampPattern {
  const latched = links.filter((link) => link.latched);
  if (latched.length === 0) return 'dark';
  if (!latched.every(isIsolated)) return 'fast-blink';
  return present ? 'slow-blink' : 'lit';
}

function faultLamp({ links, button, journalWritable, lampFailing }: LampFacts): LampPattern {
  if (links.some((link) => link.at === 'stuck' || link.overdue || isUnasked(link))) return 'fast-blink';
  if (button === 'dead' || button === 'unknown' || !journalWritable) return 'slow-blink';
  return lampFailing || links.some(({ refused }) => refused) ? 'lit' : 'dark';
}

/** Half a period of a blink, ms. */
const SLOW_HALF_MS = 1_000;
const FAST_HALF_MS = 250;

/** Whether a lamp of this pattern is lit at this moment; `steady`: what would blink is lit, for contacts that wear. */
export function isLit(pattern: LampPattern, now: number, steady: boolean): boolean {
  switch (pattern) {
    case 'dark':
      return false;
    case 'lit':
      return true;
    case 'slow-blink':
      return steady || Math.floor(now / SLOW_HALF_MS) % 2 === 0;
    case 'fast-blink':
      return steady || Math.floor(now / FAST_HALF_MS) % 2 === 0;
  }
}

const MEANINGS: Readonly<Record<LampName, Readonly<Record<LampPattern, string>>>> = {
  isolated: {
    dark: 'not every link is proven isolated',
    lit: 'every link is isolated, and that is proven',
    'slow-blink': 'no meaning: this lamp never blinks',
    'fast-blink': 'no meaning: this lamp never blinks',
  },
  connected: {
    dark: 'no link is connected',
    lit: 'a link is connected',
    'slow-blink': 'a link may be connected: where it stands is not known',
    'fast-blink': 'a link is connected and must not be: pull its cable',
  },
  tripped: {
    dark: 'no link is latched',
    lit: 'a link is latched: only a reset lifts that',
    'slow-blink': 'a link is latched, and the button was just held: it may be reset now',
    'fast-blink': 'a link is latched, and its isolation is not proven',
  },
  fault: {
    dark: 'nothing is known to be wrong',
    lit: 'something keeps a link from being connected, or a lamp does not obey: see `portcullis status`',
    'slow-blink': 'the button cannot be read, or the journal cannot be written: nothing is connected',
    'fast-blink': 'isolation was due and was not shown: pull the cable',
  },
};

/** What a lamp says with this pattern, in a few words. */
export const lampMeaning = (lamp: LampName, pattern: LampPattern, testing: boolean): string =>
  testing ? 'lamp test: says nothing' : MEANINGS[lamp][pattern];
