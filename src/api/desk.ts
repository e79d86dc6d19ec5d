/** What the handlers of all routes work with. */
import type { ControllerFace } from '../controller/face.ts';
import type { AnomalyReading } from './documents/anomaly-reading.ts';
import type { BackOff } from './people/back-off.ts';
import type { CodeTries } from './people/code-tries.ts';
import type { EventStreams } from './events.ts';
import type { InterlockNow } from './documents/interlock-now.ts';
import type { Logins } from './people/logins.ts';
import type { People } from './people/people.ts';
import type { SetupCode } from './people/setup-code.ts';
import type { Verifications } from './journal/verifications.ts';

/** One for each controller. */
export interface Desk {
  readonly face: ControllerFace;
  readonly interlock: InterlockNow;
  readonly anomalies: AnomalyReading;
  readonly people: People;
  readonly logins: Logins;
  readonly backOff: BackOff;
  readonly codeTries: CodeTries;
  readonly setup: SetupCode;
  readonly streams: EventStreams;
  readonly verifications: Verifications;
  /** What this controller shows of itself; set once it listens, and when its certificate is renewed. */
  readonly shown: { fingerprint: string | null };
  /** The configuration file, when the controller was started from one. */
  readonly configFile: string | null;
  /** Content of the configuration file when the controller began. */
  readonly beganWith: string | null;
}
