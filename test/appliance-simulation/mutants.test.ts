/** The simulation of the whole can fail: faults planted into the controller are noticed. Two in the suite, all in the long form. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { wholeHistory } from './history.ts';
import { wholeMutants } from './mutants.ts';
import { mutatedWhole } from './program.ts';

/** A mutant that survives this many seeds is not caught. */
const MUTANT_SEEDS = 40;
const DAYS = 5;
const PATIENCE_MS = 600_000;
const IN_SUITE: ReadonlySet<string> = new Set([
  'a report comes for every opening twice',
  'exposure is counted in the half',
]);

const isLong = process.env['PORTCULLIS_LONG'] === '1';
const mutants = wholeMutants.filter(({ name }) => isLong || IN_SUITE.has(name));
if (!isLong)
  console.warn(
    `SHORT FORM: ${mutants.length} of ${wholeMutants.length} planted faults of the controller; PORTCULLIS_LONG=1 tries all`,
  );

const scratch = mkdtempSync(join(tmpdir(), 'portcullis-appliance-'));
afterAll(() => rmSync(scratch, { recursive: true }));

test.skipIf(process.env['SEED'] !== undefined).each(mutants)(
  'catches: $name',
  async (mutant) => {
    const program = await mutatedWhole(mkdtempSync(join(scratch, 'one-')), mutant);
    for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
      // oxlint-disable-next-line no-await-in-loop -- one world after the other
      const { broken } = await wholeHistory(seed, DAYS, program, mutant.stress);
      if (broken === null) continue;
      console.info(`${mutant.name}: ${broken.split('\n')[0]}`);
      return;
    }
    throw new Error(`nobody noticed in ${MUTANT_SEEDS} seeds: ${mutant.name}`);
  },
  PATIENCE_MS,
);
