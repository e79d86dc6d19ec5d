/** What each state of a link is called on the page, in which shape and tone it is drawn, and what it means to a tired person. */
import type { LinkStatus } from '../../protocol/messages.ts';
import type { Shape } from './symbols.tsx';

export type Tone = 'calm' | 'exposed' | 'moving' | 'alarm' | 'unknown';

export interface StateWord {
  readonly word: string;
  /** How wide it is in capitals, in ems of the widest common font (DejaVu Sans Bold): it fills the room it has. */
  readonly ems: number;
  readonly shape: Shape;
  readonly tone: Tone;
  readonly means: string;
}

/** The words of every state. */
export const STATE_WORDS: Record<LinkStatus['state'], StateWord> = {
  unproven: {
    word: 'Unknown',
    ems: 5.9,
    shape: 'question',
    tone: 'unknown',
    means: 'Told to isolate; nothing has shown yet that it is isolated. Treat it as connected.',
  },
  isolated: { word: 'Isolated', ems: 5.3, shape: 'gap', tone: 'calm', means: 'No path leads to the vault.' },
  connecting: {
    word: 'Connecting',
    ems: 7.2,
    shape: 'moving',
    tone: 'exposed',
    means: 'Under a lease. Treat it as connected.',
  },
  connected: {
    word: 'Connected',
    ems: 6.7,
    shape: 'bar',
    tone: 'exposed',
    means: 'The vault can be reached.',
  },
  proving: {
    word: 'Proving',
    ems: 5,
    shape: 'moving',
    tone: 'moving',
    means: 'One contact isolates alone first: the proof test.',
  },
  commissioning: {
    word: 'Commissioning',
    ems: 9.2,
    shape: 'moving',
    tone: 'exposed',
    means: 'A person at the box is proving this link. Treat it as connected.',
  },
  isolating: {
    word: 'Isolating',
    ems: 5.8,
    shape: 'moving',
    tone: 'moving',
    means: 'Told to isolate; not proven yet.',
  },
  tripped: {
    word: 'Tripped',
    ems: 4.7,
    shape: 'lock',
    tone: 'alarm',
    means: 'Cut and latched. Nothing connects it before a person resets it.',
  },
  stuck: {
    word: 'Stuck',
    ems: 3.6,
    shape: 'warning',
    tone: 'alarm',
    means:
      'Told to isolate and still reads connected: a welded contact or a lying board. Pull the cable by hand now.',
  },
};

/** The word for where a link or an indicator was seen. */
export const POSITION_WORDS: Record<LinkStatus['observed'], { word: string; shape: Shape }> = {
  connected: { word: 'connected', shape: 'bar' },
  isolated: { word: 'isolated', shape: 'gap' },
  unknown: { word: 'unknown', shape: 'question' },
};

/** How a proof was come by, in words. */
export const PROOF_WORDS: Record<LinkStatus['proof'], string> = {
  witness: 'shown by an independent witness',
  'read-back': 'by the board’s own word about itself; no witness',
  none: 'not proven by anything',
};
