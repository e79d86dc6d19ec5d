/** What the link does when a board loses its power: somebody pulls the supply while the link is connected. */
import { type Bench, WrongError } from './bench.ts';
import type { LinkFacts } from './facts.ts';
import { asExpected, type Commanded, pathOf, type Sight } from './sight.ts';
import { allIsolated, connected } from './steps-wiring.ts';
import { notTried, passed, type Step, type StepEnd } from './step.ts';
import { judge } from './wiring.ts';

/** How long a person may take to pull a supply or to put it back, ms. */
export const QUESTION_WITHIN_MS = 120_000;
/** How long a board may take to answer again once its supply is back, ms. */
const BOOT_WITHIN_MS = 20_000;
/** What a power supply may hold the link up after it was pulled, beyond the isolate time-out, ms. */
const HOLD_UP_MS = 3_000;
/** How often a person is asked again when the board still answers. */
const PULLS = 2;

/** One step for each supply of the link. */
export function supplySteps(facts: LinkFacts): readonly Step[] {
  const supplies = [...new Set(facts.contacts.map(({ supply }) => supply))];
  return supplies.map((supply) => ({
    name: 'without-power',
    about: supply,
    what: `the link is connected, then ${supply} loses its power: its fail-safe contacts must isolate the link`,
    run: (bench) => withoutPower(bench, supply),
  }));
}

async function withoutPower(bench: Bench, supply: string): Promise<StepEnd> {
  if (bench.facts.unattended)
    return notTried('simulated', 'not tried (simulated): nobody pulled a supply, and no real one is shown');
  const mine = bench.facts.contacts.filter((contact) => contact.supply === supply);
  const failSafe = mine.some(({ kind }) => kind === 'fail-safe');
  await connected(bench);
  const position = await pulled(bench, supply, failSafe);
  if (position === null) {
    await allIsolated(bench);
    return notTried('skipped', `nobody pulled the supply of ${supply}`);
  }
  for (const { name } of mine)
    bench.figures.of(name).withoutPower =
      position === 'connected' ? (failSafe ? 'connected' : 'keeps') : 'isolated';
  await bench.isolate(bench.names);
  const away = await restored(bench, supply);
  if (position === 'connected' && failSafe)
    throw new WrongError({
      code: 'connected-without-power',
      what: `the link stays connected while ${supply} has no power`,
      todo: 'its contact is wired to NC instead of NO, is a latching relay, or something else feeds it: rewire it, or declare it holding and add a fail-safe contact',
    });
  if (away !== null) throw away;
  return passed(
    position === 'isolated'
      ? 'without power the link is isolated, and it stays isolated when power returns'
      : 'without power its holding contacts keep the link connected, as declared',
  );
}

/** Where the path stood once the supply was pulled; null when nobody pulled it. */
async function pulled(bench: Bench, supply: string, failSafe: boolean): Promise<Commanded | null> {
  for (let pull = 1; pull <= PULLS; pull += 1) {
    const again = pull === 1 ? '' : 'The board still answers and the link is still connected. ';
    const { answer } = await bench.ask(
      {
        kind: 'pull-supply',
        about: supply,
        text: `${again}Pull the supply of ${supply} NOW. The link is connected and must fall. Answer when it is without power.`,
        answers: ['done', 'skip'],
        withinMs: QUESTION_WITHIN_MS,
      },
      bench.expected(),
    );
    if (answer !== 'done') return null;
    const sight = await fallen(bench);
    const path = pathOf(sight);
    if (path === 'unknown' || !bench.facts.witnesses.some(({ showsIsolation }) => showsIsolation))
      return byEye(bench, supply);
    if (path === 'isolated') return 'isolated';
    const answers = sight.some(({ kind, name, position }) =>
      kind === 'contact' && position !== 'unknown' ? hangsOn(bench, name, supply) : false,
    );
    // A holding contact keeps the link connected, and a board that is silent has lost its power.
    if (!failSafe || !answers) return 'connected';
  }
  return 'connected';
}

const hangsOn = (bench: Bench, contact: string, supply: string): boolean =>
  bench.facts.contacts.some((each) => each.name === contact && each.supply === supply);

/** Looks until the path is gone, or for as long as a supply may hold it up. */
async function fallen(bench: Bench): Promise<Sight> {
  const expected = bench.expected();
  const until = bench.now() + bench.facts.isolateTimeoutMs + HOLD_UP_MS;
  for (;;) {
    const sight = await bench.look(expected, bench.now());
    if (pathOf(sight) === 'isolated' || bench.now() >= until) return sight;
    await bench.pass(LOOK_PAUSE_MS);
  }
}

const LOOK_PAUSE_MS = 50;

/** No witness tells: the person looks at the vault's end of the cable. */
async function byEye(bench: Bench, supply: string): Promise<Commanded | null> {
  const { answer } = await bench.ask(
    {
      kind: 'is-it-dark',
      about: supply,
      text: 'No witness can tell. Look at the link light at the far end of the cable, or at the disk: is the vault disconnected?',
      answers: ['yes', 'no', 'skip'],
      withinMs: QUESTION_WITHIN_MS,
    },
    bench.expected(),
  );
  if (answer === 'yes') return 'isolated';
  return answer === 'no' ? 'connected' : null;
}

/** Has the supply put back; what is wrong then, or null. Everything has been told to isolate before. */
async function restored(bench: Bench, supply: string): Promise<WrongError | null> {
  const since = bench.now();
  const { answer, paths } = await bench.ask(
    {
      kind: 'restore-supply',
      about: supply,
      text: `Put the supply of ${supply} back. Every contact has been told to isolate; the link must stay isolated.`,
      answers: ['done'],
      withinMs: QUESTION_WITHIN_MS,
    },
    bench.expected(),
  );
  const sight = await bench.awaited(bench.expected(), since, bench.facts.isolateTimeoutMs + BOOT_WITHIN_MS);
  if (asExpected(sight)) return null;
  if (answer !== 'done' && !paths.has('connected'))
    return new WrongError({
      code: 'supply-not-restored',
      what: `nobody said that ${supply} has its power back, and it does not answer`,
      todo: 'put the supply back, and begin again',
    });
  return new WrongError(judge({ step: 'power-returned', moved: null, sight }));
}
