/** One seed, one history: the real interlock in a simulated world, judged after every event. */
import { type ActName, Chaos } from './chaos.ts';
import type { Program } from './program.ts';
import { Promises } from './promises.ts';
import { World } from './world.ts';

/** How long the world of one seed lasts, ms of its own time. */
export const HISTORY_MS = 6 * 60_000;
/** Every so many seeds nothing goes wrong. */
const CALM_EVERY = 12;

/** What came of a seed. */
export interface History {
  readonly seed: number;
  readonly events: number;
  /** What was visited, and how often. */
  readonly met: ReadonlyMap<string, number>;
  /** The first promise broken, with the story before it; null when all were kept. */
  readonly broken: string | null;
}

/** Runs one seed until its world ends or a promise is broken. */
export async function history(
  seed: number,
  program: Program,
  stress: readonly ActName[] = [],
): Promise<History> {
  const world = new World(seed, program);
  const promises = new Promises(world);
  world.watchedBy(promises);
  const calm = seed % CALM_EVERY === 0 && stress.length === 0;
  const chaos = new Chaos(world, promises, calm, stress);
  chaos.begin();
  let events = 0;
  while (promises.broken === null && (await world.time.step(HISTORY_MS))) {
    events += 1;
    promises.check();
  }
  world.kill();
  const { met } = world.story;
  if (calm && promises.broken === null) judgeCalm(met, promises);
  const broken =
    promises.broken === null
      ? null
      : `seed ${seed}, after ${events} events: ${promises.broken}\n${String(world.story)}\nagain: SEED=${seed} npx vitest run test/simulation`;
  return { seed, events, met, broken };
}

/** Where nothing goes wrong, every window does its work and nobody is alarmed. */
function judgeCalm(met: ReadonlyMap<string, number>, promises: Promises): void {
  for (const what of met.keys()) {
    if (what.startsWith('alarm ')) promises.breaks(`nothing went wrong, and there was an ${what}`);
    if (
      what.startsWith('over ') &&
      !['over released', 'over lease-ended', 'over permissive-failed'].includes(what)
    )
      promises.breaks(`nothing went wrong, and a lease was ${what}`);
  }
  if (met.has('proof failed') || met.has('proof not-done'))
    promises.breaks('nothing went wrong, and a proof test did');
  const planned = (met.get('over released') ?? 0) + (met.get('over lease-ended') ?? 0);
  if ((met.get('proof passed') ?? 0) < planned)
    promises.breaks('nothing went wrong, and not every planned end was a proof test');
  if ((met.get('told connected') ?? 0) < 2)
    promises.breaks('nothing went wrong, and hardly anything was connected');
}
