/** What the rest of this process, the API above all, may know and ask of the controller. */
import type { Config } from '../config/schema.ts';
import type { InterlockClient } from '../protocol/client.ts';
import type { EventLine } from '../protocol/messages.ts';
import type { AttendedSessions } from './attended.ts';
import type { Chronicle } from './chronicle/chronicle.ts';
import type { InterlockView } from './interlock-view.ts';
import type { Ledger } from './ledger.ts';
import type { DestinationStatus } from './notify/courier.ts';
import type { Draft } from './notify/notice.ts';
import type { WindowReport } from './report.ts';
import type { RunningWindows } from './running.ts';
import type { Voice } from './voice.ts';

/** The controller, seen from within its process. Nothing here waits for anybody else's answer unless it says so. */
export interface ControllerFace {
  readonly config: Config;
  readonly build: string;
  readonly client: InterlockClient;
  readonly view: InterlockView;
  readonly voice: Pick<Voice, 'note'>;
  readonly ledger: Ledger;
  /** What follows from the journal. */
  readonly chronicle: Chronicle;
  readonly attended: AttendedSessions;
  readonly running: RunningWindows;
  /** The newest, newest first. */
  readonly reports: readonly WindowReport[];
  /** Where reports lie, one file each. */
  readonly reportsDirectory: string;
  readonly notifications: () => readonly DestinationStatus[];
  /** Hands an entry to the journal; its type begins with `controller.`. Never throws, never waits. */
  readonly journal: (type: string, data: Readonly<Record<string, unknown>>) => void;
  /** Tells whoever is notified. Never throws, never waits. */
  readonly tell: (draft: Draft) => void;
  /** Calls `listener` when anything that is shown has changed, with the interlock's event when it was one. */
  readonly listen: (listener: (event: EventLine | null) => void) => () => void;
}

/** A server of the controller that listens. */
export interface Served {
  /** `https://host:port`, or `http://` on loopback. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Begins to listen; rejects with `ControllerFault` when it cannot. */
export type Serve = (face: ControllerFace) => Promise<Served>;
