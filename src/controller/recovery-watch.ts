/** Looks now and then whether recovery points hold, and tells once when one is endangered, breached, and met again. */
import type { Config } from '../config/schema.ts';
import type { InterlockClient } from '../protocol/client.ts';
import type { Status } from '../protocol/messages.ts';
import { machineTime } from '../protocol/time.ts';
import type { Time } from '../protocol/time.ts';
import type { Ledger } from './ledger.ts';
import type { Draft } from './notify/notice.ts';
import { recoveryPointOf } from './recovery-point.ts';
import type { RecoveryPoint } from './recovery-point.ts';

/** ms between looks. */
const LOOK_EVERY_MS = 60_000;
/** ms for which one must be endangered before it is told: a box that was just switched on may make up for it at once. */
export const ENDANGERED_GRACE_MS = 15 * 60_000;

interface Told {
  state: RecoveryPoint['state'];
  readonly since: number;
  isTold: boolean;
}

/** Remembers what was told; time is given to it, monotonic ms. */
export class RecoveryPoints {
  readonly #config: Pick<Config, 'repositories' | 'windows'>;
  readonly #ledger: Pick<Ledger, 'repository'>;
  readonly #told = new Map<string, Told>();

  constructor(config: Pick<Config, 'repositories' | 'windows'>, ledger: Pick<Ledger, 'repository'>) {
    this.#config = config;
    this.#ledger = ledger;
  }

  /** What is news about the recovery points. */
  look(status: Status | null, nowMs: number): readonly Draft[] {
    return Object.keys(this.#config.repositories).flatMap((name) => {
      const lastGoodAt = this.#ledger.repository(name).last_good_backup?.at ?? null;
      const point = recoveryPointOf(this.#config, name, lastGoodAt, status);
      return point === null || point.state === 'unknown' ? [] : this.#news(name, point, nowMs);
    });
  }

  #news(name: string, point: RecoveryPoint, nowMs: number): readonly Draft[] {
    const before = this.#told.get(name);
    const wasAlarm = before !== undefined && before.isTold && before.state !== 'met';
    if (before?.state !== point.state)
      // From endangered to breached is news at once, and so is the way back.
      this.#told.set(name, { state: point.state, since: nowMs, isTold: false });
    const now = this.#told.get(name);
    if (now === undefined || now.isTold) return [];
    if (point.state === 'endangered' && nowMs - now.since < ENDANGERED_GRACE_MS) return [];
    now.isTold = true;
    if (point.state === 'met' && !wasAlarm) return [];
    return [draftOf(name, point)];
  }
}

const TITLES = {
  met: 'has a backup that is young enough again',
  endangered: 'will have no backup in time',
  breached: 'has no backup that is young enough',
  unknown: '',
} as const;

function draftOf(name: string, point: RecoveryPoint): Draft {
  const { state, due_at, why, hint } = point;
  return {
    type:
      state === 'met'
        ? 'portcullis.recovery-point.met'
        : `portcullis.recovery-point.${state === 'breached' ? 'breached' : 'endangered'}`,
    severity: state === 'met' ? 'info' : state === 'breached' ? 'critical' : 'warning',
    link: null,
    window: null,
    title: `the repository ${name} ${TITLES[state]}`,
    text: state === 'met' ? 'A good backup was made.' : `${why}.`,
    hint: state === 'met' ? 'Nothing to do.' : `${hint}.`,
    data: { repository: name, due_at },
    repeats: null,
  };
}

/** Looks at once and each minute until the returned function is called. */
export function watchRecoveryPoints(
  config: Config,
  ledger: Ledger,
  client: Pick<InterlockClient, 'status'>,
  notices: { readonly tell: (draft: Draft) => void },
  time: Time = machineTime,
): () => void {
  if (Object.values(config.repositories).every((each) => each.recovery_point === undefined))
    return () => undefined;
  const points = new RecoveryPoints(config, ledger);
  const look = async (): Promise<void> => {
    const status = await client.status().catch(() => null); // a recovery point is unknown then
    for (const draft of points.look(status, time.now())) notices.tell(draft);
  };
  void look();
  return time.every(LOOK_EVERY_MS, () => void look());
}
