/** The conditions of a lease as the interlock itself knows them, at this moment. Pure. */
import type { Conditions, Refusal } from '../core/link.ts';
import type { Millis } from '../core/time.ts';

/** What the interlock has looked at. */
export interface Outlook {
  readonly journal: { readonly ok: true } | { readonly ok: false; readonly why: string };
  readonly clock: { readonly synchronised: boolean; readonly detail: string };
  /** A person opened the window at the box, so no schedule is relied on. */
  readonly byHand: boolean;
  /** Why the exposure record cannot be read or written, or null. */
  readonly ledger: { readonly unreadable: string | null; readonly unwritable: string | null };
  /** Settings of the boards that are not as the profile demands. */
  readonly settings: readonly string[];
  readonly entitledUntil: Millis | null;
  readonly exposedMs: number;
  readonly budgetMs: number;
}

/** Every permissive that fails, by name, with the way out. */
export function conditionsOf(outlook: Outlook): Conditions {
  const failing: Refusal[] = [];
  if (!outlook.journal.ok) {
    const hint = 'make room on or repair the disk of state_directory; nothing is connected without a record';
    failing.push({
      code: 'journal-unwritable',
      why: `the journal cannot be written: ${outlook.journal.why}`,
      hint,
    });
  }
  if (!outlook.clock.synchronised && !outlook.byHand) {
    const hint = 'wait for NTP, or name who synchronises this clock in clock.trust';
    failing.push({ code: 'clock-unsynchronised', why: outlook.clock.detail, hint });
  }
  if (outlook.ledger.unreadable !== null) {
    const hint =
      'move ledger.json in state_directory aside and restart; exposure of the last day is then forgotten';
    failing.push({
      code: 'ledger-unreadable',
      why: `exposure is not known: ${outlook.ledger.unreadable}`,
      hint,
    });
  }
  if (outlook.ledger.unwritable !== null) {
    const hint =
      'make room on or repair the disk of state_directory; exposure that is not recorded is not granted';
    failing.push({
      code: 'ledger-unwritable',
      why: `exposure cannot be recorded: ${outlook.ledger.unwritable}`,
      hint,
    });
  }
  for (const why of outlook.settings) {
    failing.push({
      code: 'board-settings',
      why,
      hint: 'set the board as its profile demands (`portcullis profile show`)',
    });
  }
  return {
    failing,
    entitledUntil: outlook.entitledUntil,
    budgetLeftMs: outlook.budgetMs - outlook.exposedMs,
  };
}

/** What each alarm means, for people. */
export const alarmTexts = {
  'isolation-unproven': {
    why: 'isolation is not proven within isolate_timeout; the link is told to isolate for ever',
    hint: 'look at the board and its cable; pull the cable to the vault by hand if in doubt',
  },
  'proof-lost': {
    why: 'isolation was proven and cannot be proven any more',
    hint: 'look at the board, its supply and its cable; the link is told to isolate for ever',
  },
  stuck: {
    why: 'told to isolate, still connected: a welded contact or a lying board',
    hint: 'pull the cable to the vault by hand, then repair the contact; reset when isolation is proven',
  },
  'connected-unasked': {
    why: 'the link read connected although nobody holds a lease',
    hint: 'find out who or what switched the contact; see the journal',
  },
  'evidence-lost': {
    why: 'no whole evidence for evidence_max_age while connected; isolated',
    hint: 'look at the board, its supply and its cable',
  },
  'connection-lost': {
    why: 'the link reads isolated although it was told to be connected; isolated',
    hint: 'a cable, the vault, or a board that dropped the contact by itself (a hardware lease that was not renewed)',
  },
  'connect-timeout': {
    why: 'connection was not proven within connect_timeout; isolated',
    hint: 'look at the vault and its cable; raise connect_timeout if the path takes longer',
  },
} as const;
