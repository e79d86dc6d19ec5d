/** What signs of life rest on: the loops of all links, and how the links stand, in words. */
import { isolationProvenAt, type State } from '../../core/link.ts';
import type { Looked } from './life-signs.ts';
import type { LinkAtWork } from '../link-at-work.ts';

/** The links of an interlock, as its signs of life see them. */
export const lookedAt = (links: ReadonlyMap<string, LinkAtWork>): Looked => ({
  checked: () => [...links.values()].map(({ watch }) => watch.checked),
  mayBeConnected: () => [...links.values()].some(({ shell }) => mayBeConnected(shell.state)),
  words: () =>
    links.size === 0
      ? 'no link is configured'
      : [...links.values()].map(({ name, shell }) => `${name}: ${words(shell.state)}`).join(', '),
});

/** By what was commanded: whatever is isolating or latched wants no edge. */
function mayBeConnected({ at }: State): boolean {
  switch (at) {
    case 'connecting':
    case 'connected':
    case 'proving':
    case 'commissioning':
      return true;
    case 'unproven':
    case 'isolated':
    case 'isolating':
    case 'tripped':
    case 'stuck':
      return false;
  }
}

const words = (state: State): string =>
  `${state.at}${isolationProvenAt(state) === null || state.at === 'isolated' ? '' : ', isolation proven'}`;
