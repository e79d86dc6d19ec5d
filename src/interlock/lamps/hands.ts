/** What the lamps see of the interlock. */
import type { LampLink } from '../../core/lamps.ts';
import { isolationProvenAt, latchOf } from '../../core/link.ts';
import type { Interlock } from '../interlock.ts';
import type { LampsHands } from './lamps.ts';
import type { LinkAtWork } from '../link-at-work.ts';

/** The hands of the lamps of this interlock. */
export const lampHands = (interlock: Interlock): LampsHands => ({
  facts: () => {
    const { button, journal } = interlock.parts;
    const { state, present } = button?.status() ?? { state: 'none', present: false };
    return {
      links: [...interlock.links.values()].map((link) => lampLink(interlock, link)),
      button: state,
      present,
      journalWritable: journal.writable().ok,
    };
  },
  note: (entry) => interlock.note(entry),
});

function lampLink(interlock: Interlock, link: LinkAtWork): LampLink {
  const { state } = link.shell;
  const proven = isolationProvenAt(state) !== null;
  const { failing } = interlock.conditionsNow(link);
  return {
    at: state.at,
    proven,
    observed: link.watch.evidence.position,
    latched: latchOf(state) !== null,
    overdue: 'alarmed' in state && state.alarmed && !proven,
    refused: failing.some(({ code }) => code !== 'button-pressed'),
  };
}
