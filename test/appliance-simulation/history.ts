/** One seed, some days of one appliance: judged after every event, mended at the end, and then it must work. */
import { Appliance } from './appliance.ts';
import type { WholeProgram } from './program.ts';
import type { WeatherName } from './weather.ts';

const DAY_MS = 86_400_000;
/** The box lives through this time of each day: a few minutes before the first window to a few after the last, ms from midnight UTC. */
const MORNING_MS = (3 * 60 + 3.5) * 60_000;
/** By then all windows have begun. */
const BEGUN_MS = (3 * 60 + 8) * 60_000;
/** A day is lived for at most so long, ms. */
const LONGEST_DAY_MS = 25 * 60_000;
/** Every so many seeds nothing goes wrong. */
const CALM_EVERY = 6;
/** Days after everything was mended, in which the box must recover. */
const CALM_DAYS = 3;
/** Promises of long ago are no help to a reader. */
const GIVE_UP_MS = 3 * 60 * 60_000;

/** What came of a seed. */
export interface WholeHistory {
  readonly seed: number;
  readonly days: number;
  readonly events: number;
  readonly met: ReadonlyMap<string, number>;
  /** The first promise broken, with the story before it; null when all were kept. */
  readonly broken: string | null;
}

/** Runs one seed for `days` until its end or until a promise is broken. */
export async function wholeHistory(
  seed: number,
  days: number,
  program: WholeProgram,
  stress: readonly WeatherName[] = [],
): Promise<WholeHistory> {
  const calm = seed % CALM_EVERY === 0 && stress.length === 0;
  const box = new Appliance(seed, program, calm, stress);
  const { story, time } = box.world;
  const run = { events: 0 };
  box.begin();
  for (let day = 1; day <= days && box.promises.broken === null; day += 1) {
    story.tell(`--- day ${day} ---`);
    await live(box, run);
    await night(box, run);
  }
  if (box.promises.broken === null) await mend(box, run);
  box.world.kill();
  box.lives.isHeldBack = true;
  box.lives.losePower(0);
  const { broken } = box.promises;
  return {
    seed,
    days: days + CALM_DAYS,
    events: run.events,
    met: story.met,
    broken:
      broken === null
        ? null
        : `seed ${seed}, day ${Math.ceil(((time.now + 1) / LONGEST_DAY_MS) * 1)}, after ${run.events} events: ${broken}\n${String(story)}\nagain: SEED=${seed} DAYS=${days} npx vitest run test/appliance-simulation`,
  };
}

async function step(box: Appliance, until: number, run: { events: number }): Promise<boolean> {
  const went = await box.world.time.step(until);
  if (went) run.events += 1;
  box.check();
  return went && box.promises.broken === null;
}

/** Lives through the morning, in which all windows are. */
async function live(box: Appliance, run: { events: number }): Promise<void> {
  const { time } = box.world;
  const from = time.now;
  while (time.now - from < LONGEST_DAY_MS) {
    if (box.trueMs() % DAY_MS > BEGUN_MS && box.isQuiet) return;
    // oxlint-disable-next-line no-await-in-loop -- one event after the other
    if (!(await step(box, from + LONGEST_DAY_MS, run))) return;
  }
}

/** The rest of the day passes while the box stands still, or is switched off. */
async function night(box: Appliance, run: { events: number }): Promise<void> {
  const { dice, story, time } = box.world;
  for (const since = time.now; !box.isQuiet && box.promises.broken === null;) {
    if (time.now - since > GIVE_UP_MS) {
      story.meet('no quiet night');
      return;
    }
    // oxlint-disable-next-line no-await-in-loop
    await step(box, time.now + 5_000, run);
  }
  const now = box.trueMs();
  const restMs = (Math.floor(now / DAY_MS) + 1) * DAY_MS + MORNING_MS - now;
  story.tell(`--- ${(restMs / 3_600_000).toFixed(1)} hours later ---`);
  box.world.lapse(restMs);
  box.promises.lapsed();
  for (const { sources } of box.places.values()) sources.work(dice);
  if (!dice.chance(0.2)) return;
  story.tell('the box is switched off for the night');
  box.chaos.powerCycle();
}

/** Everything is mended; within a few days windows succeed and backups arrive. */
async function mend(box: Appliance, run: { events: number }): Promise<void> {
  const { links, story, time } = box.world;
  story.tell('--- everything is mended ---');
  const since = time.now;
  const before = new Map([...box.places].map(([name, { vault }]) => [name, vault.ever.size]));
  box.weather.rest();
  box.chaos.rest();
  box.people.isDiligent = true;
  for (let day = 1; day <= CALM_DAYS && box.promises.broken === null; day += 1) {
    story.tell(`--- calm day ${day} ---`);
    // oxlint-disable-next-line no-await-in-loop -- one day after the other
    await live(box, run);
    // oxlint-disable-next-line no-await-in-loop
    await night(box, run);
  }
  for (const { name } of links) {
    const openings = box.whole.openings.filter(({ link, at }) => link === name && at >= since);
    // The first may have to find out what was wrong, and be released by a person.
    if (openings.length > 1 && box.places.get(name)?.vault.ever.size === before.get(name))
      box.promises.breaks(`nothing is wrong any more, and no backup arrives in ${name}`);
    if (openings.length > 1) story.meet(`recovered ${name}`);
  }
  box.whole.judgeOpenings();
}
