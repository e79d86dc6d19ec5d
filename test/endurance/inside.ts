/**
 * What runs inside a process under measurement, before the product does: on SIGUSR2 it collects garbage twice and writes down what is
 * left. It can turn the calendar on by some hours at each measurement, so that a year of days passes, and it can plant a leak, so that
 * the judgement is seen to fail. The product knows nothing of it. It stands alone: it is handed over as text.
 */

/** A leak of the test's own. Per measurement: 100 kB that are kept, or one file that is kept open. */
export type Planted = 'memory' | 'descriptor';

/** What the process says of itself. Bytes, counts. */
export interface Told {
  readonly number: number;
  /** What the program holds; without the code that V8 has compiled, which grows as long as it optimises. */
  readonly heap: number;
  readonly code: number;
  /** What V8 has taken from the system for both. */
  readonly committed: number;
  /** Outside of the heap: buffers. */
  readonly external: number;
}

/** JavaScript for `--import`. `file`: where it writes; `hours`: how far the calendar is turned each time; `times`: how often it was already. */
export const insideOf = (file: string, hours: number, planted: Planted | null, times = 0): string => `
import { isMainThread } from 'node:worker_threads';
import { openSync, renameSync, writeFileSync } from 'node:fs';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
if (isMainThread) {
  const Real = Date;
  let shift = ${times * hours} * 3_600_000;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [Real.now() + shift] : args, self === globalThis.Date ? Real : self),
    apply: () => new Real(Real.now() + shift).toString(),
    get: (target, key) => (key === 'now' ? () => Real.now() + shift : Reflect.get(target, key)),
  });
  setFlagsFromString('--no-flush-bytecode');
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  const kept = [];
  let number = 0;
  process.on('SIGUSR2', () => {
    shift += ${hours} * 3_600_000;
    if (${JSON.stringify(planted)} === 'memory') kept.push(new Array(12_500).fill(number));
    if (${JSON.stringify(planted)} === 'descriptor') kept.push(openSync('/dev/null', 'r'));
    gc();
    gc();
    number += 1;
    const used = (named) => getHeapSpaceStatistics().filter((each) => named.test(each.space_name)).reduce((sum, each) => sum + each.space_used_size, 0);
    const [heap, code] = [used(/^(old|new|large_object|new_large_object)_space$/), used(/code|trusted/)];
    const { external, heapTotal: committed } = process.memoryUsage();
    writeFileSync(${JSON.stringify(`${file}.new`)}, JSON.stringify({ number, heap, code, committed, external }));
    renameSync(${JSON.stringify(`${file}.new`)}, ${JSON.stringify(file)});
  });
}
`;
