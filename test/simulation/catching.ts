/** Runs a planted fault through one seed after another until somebody notices. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { history } from './history.ts';
import type { Mutant } from './mutants.ts';
import { mutatedProgram } from './program.ts';

/** A mutant that survives this many seeds is not caught. */
const MUTANT_SEEDS = 600;
/** A machine that is busy with other things needs longer, ms. */
const PER_SEED_MS = 1_500;

/** One test for each mutant. They stand in two files so that two cores share them. */
export function catches(mutants: readonly Mutant[]): void {
  const scratch = mkdtempSync(join(tmpdir(), 'portcullis-simulation-'));
  afterAll(() => rmSync(scratch, { recursive: true }));
  test.skipIf(process.env['SEED'] !== undefined).each(mutants.map((mutant, index) => ({ ...mutant, index })))(
    'catches: $name',
    async ({ index, ...mutant }) => {
      const program = await mutatedProgram(join(scratch, String(index)), mutant);
      for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
        const { broken } = await history(seed, program, mutant.stress);
        if (broken === null) continue;
        console.info(`${mutant.name}: ${broken.split('\n')[0]}`);
        return;
      }
      throw new Error(`nobody noticed in ${MUTANT_SEEDS} seeds: ${mutant.name}`);
    },
    60_000 + MUTANT_SEEDS * PER_SEED_MS,
  );
}
