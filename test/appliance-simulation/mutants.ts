/** Faults planted into the controller, one at a time. The simulation of the whole must catch each. */
import type { Mutation } from '../simulation/program.ts';
import type { WeatherName } from './weather.ts';

export interface WholeMutant extends Mutation {
  readonly name: string;
  /** Where it shows soonest. */
  readonly stress: readonly WeatherName[];
}

const windows = 'controller/windows/';

export const wholeMutants: readonly WholeMutant[] = [
  {
    name: 'a report comes for every opening twice',
    stress: [],
    file: `${windows}windows.ts`,
    find: 'this.#events.onReport(await runWindow({ ...job, endsInMs }, this.#tools, switches));',
    replace:
      'const report = await runWindow({ ...job, endsInMs }, this.#tools, switches); this.#events.onReport(report); this.#events.onReport(report);',
  },
  {
    name: 'a report is forgotten',
    stress: [],
    file: `${windows}windows.ts`,
    find: 'this.#events.onReport(await runWindow({ ...job, endsInMs }, this.#tools, switches));',
    replace: 'await runWindow({ ...job, endsInMs }, this.#tools, switches);',
  },
  {
    name: 'exposure is counted in the half',
    stress: [],
    file: `${windows}connect.ts`,
    find: 'exposureMs: tools.programs.time.now() - grantedAtMs',
    replace: 'exposureMs: (tools.programs.time.now() - grantedAtMs) / 2',
  },
  {
    name: 'exposure is counted from the epoch',
    stress: [],
    file: `${windows}connect.ts`,
    find: 'exposureMs: tools.programs.time.now() - grantedAtMs',
    replace: 'exposureMs: tools.programs.time.now()',
  },
  {
    name: 'nothing is recovered after a cut',
    stress: ['controller-crash', 'controller-stop'],
    file: `${windows}plan.ts`,
    find: "case 'cut': return 'full';",
    replace: "case 'cut': return 'none';",
  },
  {
    name: 'after a cut only the lock is removed',
    stress: ['controller-crash'],
    file: `${windows}plan.ts`,
    find: "case 'cut': return 'full';",
    replace: "case 'cut': return 'unlock';",
  },
  {
    name: 'the locks of others are removed',
    stress: ['controller-crash'],
    file: 'controller/restic/recovery.ts',
    find: "args: ['unlock']",
    replace: "args: ['unlock', '--remove-all']",
  },
  {
    name: 'a cut does not kill restic',
    stress: ['controller-stop', 'connections-break', 'vault-slow'],
    file: 'controller/restic/run.ts',
    find: 'child.killAll();',
    replace: '',
  },
  {
    name: 'a freeze does not hold',
    stress: ['rogue-plants', 'rogue-removes'],
    file: `${windows}work.ts`,
    find: 'if (frozen !== null) restraints.set(',
    replace: 'if (frozen === null) restraints.set(',
  },
  {
    name: 'every backup lifts the freeze',
    stress: ['rogue-plants', 'rogue-removes', 'sources-encrypted'],
    file: 'controller/steps/backup.ts',
    find: 'return { snapshots, last_good_backup: good };',
    replace: 'return { snapshots, last_good_backup: good, frozen: null };',
  },
  {
    name: 'the floor is no floor',
    stress: [],
    file: 'controller/steps/forget.ts',
    find: 'remove.length > 0 && keep.length < least',
    replace: 'remove.length > 0 && keep.length < 1',
  },
  {
    name: 'the report is of another snapshot',
    stress: [],
    file: 'controller/steps/backup.ts',
    find: 'snapshot: judged.snapshot.id,',
    replace: "snapshot: '0'.repeat(64),",
  },
  {
    name: 'the lease is never renewed',
    stress: [],
    file: 'protocol/lease.ts',
    find: 'this.#cancelRenewal = this.#time.after(this.renewEveryMs, () => void this.#renew());',
    replace: '',
  },
  {
    name: 'a window is begun only once, whatever became of it',
    stress: [],
    file: `${windows}windows.ts`,
    find: "case 'run': case 'resume': {",
    replace: "case 'run': return; case 'resume': {",
  },
];
