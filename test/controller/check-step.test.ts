/** Which part of the data a check reads. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { missingTools } from './appliance.ts';
import { ended, StepBench } from './step-bench.ts';

let bench: StepBench;
beforeEach(async () => {
  bench = new StepBench();
  await bench.start();
});
afterEach(() => bench.stopAll());

test.skipIf(missingTools() !== null)(
  'rotations beside each other do not skip parts of each other',
  async () => {
    const read: string[] = [];
    const check = (subset: string, verdict: 'done' | 'failed' = 'done') =>
      bench.step(
        { check: { repository: 'vault', read_data_subset: subset } },
        {
          run: ({ args }) => {
            read.push(args.at(-1)?.replace('--read-data-subset=', '') ?? '');
            return Promise.resolve(ended({ verdict }));
          },
        },
      );
    for (let night = 0; night < 2; night += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one night after the other
      for (const subset of ['rotate/2', '5%', 'rotate/4', '1/9']) await check(subset);
    }
    expect(read).toEqual(['1/2', '5%', '1/4', '1/9', '2/2', '5%', '2/4', '1/9']);
    // One that was not read to its end comes again.
    await check('rotate/4', 'failed');
    await check('rotate/4');
    await check('rotate/4');
    expect(read.slice(-3)).toEqual(['3/4', '3/4', '4/4']);
    await check('rotate/2');
    expect(read.at(-1)).toBe('1/2');
  },
);
