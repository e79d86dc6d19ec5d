/** In which order vitest begins the test files. A clean checkout remembers no durations, and would go by the files' sizes. */
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files and folders below `test/` that take longer than about eight seconds. What works and what waits stand mixed, for a core and a
 * worker are different things: longest first within each kind, both used up at the same time. Measured 2026-11-21.
 */
export const LONGEST: readonly string[] = [
  'vm/',
  'controller/window.test.ts',
  'faults/window.test.ts',
  'commissioning/processes.test.ts',
  'endurance/',
  'interlock/review-deaths.test.ts',
  'faults/interlock.test.ts',
  'faults/disk.test.ts',
  'systemd/box.test.ts',
  'controller/trouble.test.ts',
  'gpio-vm/gpio-vm.test.ts',
  'controller/cuts.test.ts',
  'faults/monitoring.test.ts',
  'faults/trip.test.ts',
  'contacts/slaves.test.ts',
  'lamps/processes.test.ts',
  'faults/controller.test.ts',
  'faults/board.test.ts',
  'notify/appliance.test.ts',
  'contacts/ghost.test.ts',
  'simulation/mutants.test.ts',
  'attack/attack.test.ts',
  'anomalies/window.test.ts',
  'docs/',
  'dashboard/trouble.test.ts',
  'contacts/console-dialogue.test.ts',
  'dashboard/pages.test.ts',
  'contacts/console-frr.test.ts',
  'core/explore.test.ts',
  'controller/death.test.ts',
  'controller/window-steps.test.ts',
  'protocol/client.test.ts',
  'simulation/proof-mutants.test.ts',
  'appliance-simulation/',
  'contacts/serial-text.test.ts',
  'contacts/serial.test.ts',
  'controller/compose.test.ts',
  'dashboard/tasks.test.ts',
  'contacts/defects.test.ts',
  'emulator/serial.test.ts',
  'button/processes.test.ts',
  'contacts/snmp-agent.test.ts',
  'controller/secrets.test.ts',
  'faults/attend.test.ts',
  'faults/rogue.test.ts',
  'contacts/register-board.test.ts',
  'controller/copy-step.test.ts',
  'install/install.test.ts',
  'anomalies/village.test.ts',
  'simulation/simulation.test.ts',
  'reports/restore.test.ts',
  'controller/drill-step.test.ts',
  'contacts/snmp.test.ts',
  'interlock/heartbeats.test.ts',
  'anomalies/ledger.test.ts',
  'api/process.test.ts',
  'contacts/serial-silent.test.ts',
  'hardware/dead-man.test.ts',
  'notify/delivery.test.ts',
  'faults/afar.test.ts',
  'journal/reading.test.ts',
  'controller/forget-step.test.ts',
  'dashboard/stream.test.ts',
  'emulator/command.test.ts',
  'interlock/socket-server.test.ts',
  'controller/remote.test.ts',
];

const rankOf = ({ moduleId }: TestSpecification): number => {
  const path = relative(import.meta.dirname, moduleId);
  const rank = LONGEST.findIndex((file) => (file.endsWith('/') ? path.startsWith(file) : path === file));
  return rank < 0 ? LONGEST.length : rank;
};

/** The long ones first, so that none of them runs alone at the end; files that share a process last, side by side. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- no array's
    const usual = await super.sort(files);
    const shares = (file: TestSpecification): number => (file.project.config.isolate ? 0 : 1);
    return usual.toSorted((a, b) => shares(a) - shares(b) || rankOf(a) - rankOf(b));
  }
}

/** Files of `LONGEST` that are not among these. */
export const missingFrom = (files: readonly string[]): readonly string[] => {
  const there = new Set(files.map((file) => relative('test', file)));
  return LONGEST.filter((file) => !file.endsWith('/') && !there.has(file));
};
