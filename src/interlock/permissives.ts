/** The conditions of a lease as the interlock itself knows them, at this moment. Pure. */
import type { Conditions, Refusal } from '../core/link.ts';
import type { Millis } from '../core/time.ts';

/** How a state file does: why it cannot be read, why it cannot be written, or null. */
export interface Kept {
  readonly unreadable: string | null;
  readonly unwritable: string | null;
}

/** What the interlock has looked at. */
export interface Outlook {
  readonly journal: { readonly ok: true } | { readonly ok: false; readonly why: string };
  readonly clock: { readonly synchronised: boolean; readonly detail: string };
  /** A person at the box began it, so neither a schedule nor a code that rests on the clock is relied on. */
  readonly atTheBox: boolean;
  /** Why the exposure record cannot be read or written, or null. */
  readonly ledger: Kept;
  /** Why the record of proof tests cannot be read or written, or null. */
  readonly proofRecord: Kept;
  /** What the proof tests of the link's contacts refuse. */
  readonly proofs: readonly Refusal[];
  /** Why the commissioning of the link refuses, or null. */
  readonly commissioning: Refusal | null;
  /** Why heartbeats of the link refuse. */
  readonly heartbeats: readonly Refusal[];
  /** Why the button keeps the link isolated, or null. */
  readonly button?: Refusal | null;
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
  if (!outlook.clock.synchronised && !outlook.atTheBox) {
    const hint = 'wait for NTP, or name who synchronises this clock in clock.trust';
    failing.push({ code: 'clock-unsynchronised', why: outlook.clock.detail, hint });
  }
  if (outlook.ledger.unreadable !== null) {
    const hint =
      'restart the interlock: a disk that failed once may read now; if not, move ledger.json in state_directory aside and restart again; exposure of the last day is then forgotten';
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
  failing.push(...proofRecordRefusals(outlook.proofRecord), ...outlook.proofs);
  failing.push(...outlook.heartbeats);
  if (outlook.commissioning !== null) failing.push(outlook.commissioning);
  if (outlook.button !== undefined && outlook.button !== null) failing.push(outlook.button);
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

function proofRecordRefusals({ unreadable, unwritable }: Kept): readonly Refusal[] {
  const refusals: Refusal[] = [];
  if (unreadable !== null)
    refusals.push({
      code: 'proof-record-unreadable',
      why: `what the proof tests came to is not known: ${unreadable}`,
      hint: 'restart the interlock: a disk that failed once may read now; if not, move proofs.json in state_directory aside, restart, then `portcullis commission LINK`',
    });
  if (unwritable !== null)
    refusals.push({
      code: 'proof-record-unwritable',
      why: `results of proof tests cannot be recorded: ${unwritable}`,
      hint: 'make room on or repair the disk of state_directory',
    });
  return refusals;
}

/** What must hold wherever anything may be connected, whoever permits it: no matter which window, clock or proof. */
const ALWAYS: ReadonlySet<string> = new Set([
  'journal-unwritable',
  'ledger-unreadable',
  'ledger-unwritable',
  'proof-record-unreadable',
  'proof-record-unwritable',
  'board-settings',
  'button-pressed',
  'button-unknown',
]);

/** Of what fails, what ends a commissioning session or a proof test, and refuses a session. */
export const alwaysNeeded = (failing: readonly Refusal[]): readonly Refusal[] =>
  failing.filter(({ code }) => ALWAYS.has(code));

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
  'proof-failed': {
    why: 'one contact alone was not seen to isolate the link within isolate_timeout; all were isolated then',
    hint: 'see which contact (`portcullis status`), repair or replace it, then `portcullis commission LINK` at the box',
  },
} as const;
