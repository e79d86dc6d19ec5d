/** What every kind of step gets, and what it gives back. */
import type { Programs } from '../processes/child.ts';
import type { DrillRecords } from './drill-records.ts';
import type { RepositoryRecord } from '../ledger.ts';
import type { StepOutcome } from '../outcome.ts';
import type { StepFacts } from '../report.ts';
import type { BackupSummary, FileSeen, ResticProgress, ScanSeen } from '../restic/lines.ts';
import type { Repository } from '../restic/repository.ts';
import type { Run } from '../restic/run.ts';
import type { Snapshot } from '../restic/snapshots.ts';
import type { ResticVersion } from '../restic/verdict.ts';

/** How a step ended. */
export interface StepEnd {
  readonly outcome: StepOutcome;
  readonly facts?: StepFacts;
  /** What the ledger is to know of the repository from now on. */
  readonly learnt?: Partial<RepositoryRecord>;
  /** The rest of the step, which needs no vault: done when the link is isolated again. Its end replaces this one. */
  readonly afterwards?: Afterwards;
}

/** `stop` aborts when the program is told to stop. Never rejects for what it found, only for a broken invariant. */
export type Afterwards = (stop: AbortSignal) => Promise<StepEnd>;

/** What a step works with. */
export interface StepTools {
  /** restic in the step's own repository. */
  readonly run: Run;
  readonly version: ResticVersion;
  /** What the ledger knows of the step's repository. */
  readonly record: RepositoryRecord;
  /** Writes down at once what must be known also when the step does not come to its end. Rejects when it cannot. */
  readonly note: (learnt: Partial<RepositoryRecord>) => Promise<void>;
  readonly now: () => Date;
  readonly programs: Programs;
  /** Environment of the user's programs, with the window in it. */
  readonly env: Readonly<Record<string, string>>;
  /** Aborts when the step has to end. */
  readonly stop: AbortSignal;
  /** Where files may be put for a while. */
  readonly scratchDirectory: string;
  readonly records: DrillRecords;
  readonly watch: BackupWatch | null;
  readonly onProgress: (progress: ResticProgress) => void;
  /** Another repository and restic in it. */
  readonly other: (name: string) => { readonly repository: Repository; readonly run: Run };
}

/** Looks at a backup while it runs and after it: the place of the anomaly rules. None of its methods waits but `ended`. */
export interface BackupWatch {
  /** Each new or changed file, as restic stores it. Whoever must stop the backup throws the window's cut. */
  file(seen: FileSeen): void;
  /** What the scan of the sources found. */
  scanned(seen: ScanSeen): void;
  /** The snapshot stands in the vault and was read back; the vault is still connected. */
  ended(backup: EndedBackup): Promise<Judged>;
}

export interface EndedBackup {
  readonly run: Run;
  readonly snapshot: Snapshot;
  /** Everything that is in the repository now. */
  readonly list: readonly Snapshot[];
  readonly summary: BackupSummary;
  /** Snapshots that we made, as far as the ledger knows. */
  readonly known: RepositoryRecord['snapshots'];
}

/** What was thought of a backup. */
export interface Judged {
  /** Why it is not good, and nothing may be forgotten until a person has looked; `null` when all is as usual. */
  readonly why: string | null;
  /** As it stands now: a tag gives it another id. */
  readonly snapshot: Snapshot;
  /** What is known from now on. */
  readonly known: RepositoryRecord['snapshots'];
}
