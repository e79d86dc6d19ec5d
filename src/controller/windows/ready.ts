/** A repository before its first step in a window: is it the one we know, is it there, is it whole? */
import type { Ledger } from '../ledger.ts';
import type { StepOutcome } from '../outcome.ts';
import type { StepReport } from '../report.ts';
import { identify, initialise } from '../restic/identity.ts';
import { recover, removeOwnLocks } from '../restic/recovery.ts';
import type { Repository } from '../restic/repository.ts';
import type { Run } from '../restic/run.ts';
import type { Time } from '../../protocol/time.ts';
import type { ResticVersion } from '../restic/verdict.ts';
import { failed } from '../restic/outcome.ts';
import type { Recovery, Standing } from './plan.ts';

export interface Ready {
  readonly standing: Standing;
  /** False when a cut repository still needs its recovery. */
  readonly isRecovered: boolean;
  readonly report: StepReport | null;
}

/** What is to be made ready. */
export interface Claim {
  readonly name: string;
  readonly run: Run;
  readonly recovery: Recovery;
  readonly version: ResticVersion;
  readonly ledger: Ledger;
  readonly time: Time;
  /** Its server refuses every delete. */
  readonly isAppendOnly: boolean;
  /** One that is only read is never made. */
  readonly mayMake: boolean;
  /** Whose chunker parameters a new one gets, or `null`. */
  readonly alike: Repository | null;
  /** The outcome with the real reason of a stop in it; `null` for done. */
  readonly unlessDone: (outcome: StepOutcome) => StepOutcome | null;
}

/** Makes a repository ready. */
export async function makeReady(claim: Claim): Promise<Ready> {
  const { name, run, recovery, version, time } = claim;
  const identified = claim.unlessDone(await identifyOrMake(claim));
  if (identified !== null)
    return {
      standing: { kind: 'unusable', outcome: identified },
      isRecovered: recovery !== 'full',
      report: null,
    };
  if (recovery === 'none') return { standing: { kind: 'usable' }, isRecovered: true, report: null };

  const beganAtMs = time.now();
  const recovered = recovery === 'full' ? recover(run, version, claim.isAppendOnly) : removeOwnLocks(run);
  const outcome = claim.unlessDone(await recovered) ?? { kind: 'done' as const };
  const took_ms = Math.round(time.now() - beganAtMs);
  const report: StepReport = { step: 'recover', repository: name, outcome, took_ms };
  const isRecovered = outcome.kind === 'done' || recovery !== 'full';
  // Somebody else's lock stands in the way of our check, not of a backup beside it: the check waits for another window.
  if (outcome.kind === 'done' || (outcome.kind === 'failed' && outcome.code === 'locked'))
    return { standing: { kind: 'usable' }, isRecovered, report };
  return {
    standing: {
      kind: 'unusable',
      outcome: { kind: 'skipped', why: 'the repository could not be recovered' },
    },
    isRecovered,
    report,
  };
}

/** Makes sure that this is the repository we know, or a new one. `done`, or why it must not be used. */
async function identifyOrMake({ name, run, ledger, mayMake, alike }: Claim): Promise<StepOutcome> {
  const known = ledger.repository(name).id;
  let identity = await identify(run);
  if (identity.kind === 'missing') {
    if (known !== null)
      return failed(
        'repository-gone',
        `the repository ${name} (${known.slice(0, 10)}) is not there any more`,
        'see whether the right vault is connected and mounted; if it was replaced on purpose, remove the repository from ledger.json in the state directory of the controller',
      );
    if (!mayMake)
      return failed('repository-missing', `there is no repository ${name} to read from`, 'see its `url`');
    const made = await initialise(run, alike);
    if (made.kind !== 'done') return made;
    identity = await identify(run);
  }
  if (identity.kind === 'no') return identity.outcome;
  if (identity.kind === 'missing')
    return failed(
      'repository-missing',
      `the repository ${name} was made and is not there`,
      'see whether the vault keeps what is written to it',
    );
  if (known === null) await ledger.note({ [name]: { id: identity.id } });
  else if (known !== identity.id)
    return failed(
      'other-repository',
      `another repository (${identity.id.slice(0, 10)}) answers where ${name} (${known.slice(0, 10)}) was`,
      'find out who answers at this address; if the vault was replaced on purpose, remove the repository from ledger.json in the state directory of the controller',
    );
  return { kind: 'done' };
}
