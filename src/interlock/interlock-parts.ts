/** What the composition root hands over. */
import type { Contact, IsolateReceipt } from '../contacts/port.ts';
import type { Journal } from '../journal/file.ts';
import type { JournalPages } from '../journal/page.ts';
import type { Approvers } from './rights/approvers.ts';
import type { Button } from './button/button.ts';
import type { Clock } from './clock.ts';
import type { CommissioningBook } from './commissioning/book.ts';
import type { ClockTrust } from './clock-trust.ts';
import type { DiskRoom } from './disk-room.ts';
import type { LifeSigns } from './last-resort/life-signs.ts';
import type { LatchFile, Latches } from './records/latch-file.ts';
import type { Lamps } from './lamps/lamps.ts';
import type { Ledger } from './records/ledger.ts';
import type { LinkParts } from './link-at-work.ts';
import type { ProofRecord } from './records/proof-record.ts';
import type { WindowClock } from './windows/window-clock.ts';

/** Everything the interlock is made of. */
export interface InterlockParts {
  readonly clock: Clock;
  readonly bootId: string;
  readonly build: string;
  readonly trust: () => ClockTrust;
  readonly journal: Journal;
  /** How much room the disk has left that all of this is kept on. */
  readonly room?: DiskRoom;
  readonly latchFile: LatchFile;
  readonly latches: Latches;
  /** False when the latch file does not say the same as `latches`. */
  readonly latchesSaved: boolean;
  readonly ledger: Ledger;
  readonly proofs: ProofRecord;
  /** What was shown of each link at its commissioning; a link without it is not connected. */
  readonly commissionings: Pick<CommissioningBook, 'plan' | 'record' | 'refusal' | 'save' | 'unsigned'>;
  readonly windows: WindowClock;
  /** The button on the box, if it has one. */
  readonly button?: Button;
  /** The lamps of the box, if it has some. */
  readonly lamps?: Lamps;
  /** Where signs of life go, if anybody counts them. */
  readonly lifeSigns?: LifeSigns;
  /** Who may approve a reset from afar. */
  readonly approvers?: Approvers;
  /** Entries for readers; missing where there is no directory to read them from. */
  readonly pages?: Pick<JournalPages, 'page'>;
  /** The signed head of the journal as it stands; null when the signing key cannot be read. */
  readonly signedHead: () => string | null;
  readonly links: Readonly<Record<string, LinkParts>>;
  readonly cut: (contacts: readonly Contact[]) => readonly IsolateReceipt[];
}
