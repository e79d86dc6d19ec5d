/** The GPIO driver on the kernel's own GPIO, in a machine of its own: see guest-scenarios.ts and guest-panel.ts for what is tried. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { onoffMissing } from '../../src/contacts/gpio/sysfs.ts';
import { skipLoudly } from '../contacts/bench.ts';
import { MACHINE_TIMEOUT_MS, type MachineReport, runMachine } from './machine.ts';
import { parts, PartsMissing } from './parts.ts';

/** ms for downloading and building, once, and then for the machine. */
const SETUP_TIMEOUT_MS = 600_000 + MACHINE_TIMEOUT_MS;

/** Each group of scenarios, and how many tests are in it. */
const GROUPS: readonly (readonly [name: string, tests: number])[] = [
  ['sysfs active-high keeps the contact contract', 9],
  ['sysfs active-low keeps the contact contract', 9],
  ['character-device active-high keeps the contact contract', 9],
  ['character-device active-low keeps the contact contract', 9],
  ['sysfs output', 8],
  ['character-device output', 8],
  ['sysfs input', 5],
  ['character-device input', 5],
  ['sysfs button and lamp', 3],
  ['character-device button and lamp', 3],
  ['chips', 2],
];

describe('the kernel GPIO of a virtual machine', () => {
  let report: MachineReport | null = null;
  let missing: string | null = onoffMissing();

  beforeAll(async () => {
    if (missing === null) {
      try {
        report = await runMachine(await parts(join(import.meta.dirname, '../../.toolchain/vm')));
      } catch (error) {
        if (!(error instanceof PartsMissing)) throw error;
        missing = error.message;
      }
    }
    skipLoudly('kernel GPIO in a virtual machine', missing);
  }, SETUP_TIMEOUT_MS);

  test.for(GROUPS)('%s (%i tests)', ([group, tests], { skip }) => {
    if (missing !== null) skip(missing);
    const results = report?.results.filter((result) => result.group === group) ?? [];
    const failures = results.filter((result) => result.failure !== null);
    expect(failures, report?.console).toEqual([]);
    expect(results.length, report?.console).toBe(tests);
  });

  test('the machine ran every test and ended by itself', ({ skip }) => {
    if (missing !== null) skip(missing);
    expect(report?.ended, report?.console).toBe(true);
    const known = new Set(GROUPS.map(([name]) => name));
    expect(report?.results.filter(({ group }) => !known.has(group))).toEqual([]);
  });
});
