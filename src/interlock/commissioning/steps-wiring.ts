/** The steps that show how a link is wired: at rest, together, each contact alone, timed cycles, own word against witnesses. */
import { type Bench, WrongError } from './bench.ts';
import type { LinkFacts } from './facts.ts';
import { asExpected, namesOf, only, pathOf, type Sight, sightWords } from './sight.ts';
import { notTried, passed, type Step, type StepEnd } from './step.ts';
import { type Finding, inverted, judge, normallyClosed, type Situation } from './wiring.ts';

/** How often the whole link is connected and isolated for the figures. */
export const CYCLES = 10;
/** A path that must not appear is waited for this much longer than one that did, ms and factor. */
const DWELL_FACTOR = 2;
const DWELL_LEAST_MS = 250;
/** A lease that was not cancelled runs out this much later at most, as a part of it. */
const LEASE_SLACK = 0.2;

/** The steps for this link, in order. */
export function wiringSteps(facts: LinkFacts): readonly Step[] {
  const { contacts } = facts;
  const inSeries = contacts.length > 1;
  return [
    settings,
    atRest,
    together,
    ...contacts.map(({ name }) => aloneIsolates(name)),
    ...(inSeries ? contacts.map(({ name }) => aloneConnects(name, contacts.length)) : []),
    cycles,
    readBack,
  ];
}

const settings: Step = {
  name: 'settings',
  about: null,
  what: 'reading back every setting of the boards that their profiles demand',
  async run(bench) {
    const problems = await bench.settingsProblems();
    const [first] = problems;
    if (first === undefined) return passed('every board is set as its profile demands');
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    throw new WrongError({
      code: 'board-settings',
      what: `${first}${more}`,
      todo: 'set the board as its profile demands (`portcullis profile show`)',
    });
  },
};

const atRest: Step = {
  name: 'at-rest',
  about: null,
  what: 'every contact is told to isolate: contacts and witnesses must say so',
  async run(bench) {
    const sight = await allIsolated(bench);
    if (asExpected(sight)) return passed(sightWords(sight));
    const path = pathOf(sight);
    if (path !== 'connected' || only(sight, 'contact').some(({ position }) => position !== 'isolated'))
      throw new WrongError(judge({ step: 'at-rest', moved: null, sight }));
    // Something sees a path at rest. Whether connecting takes it away tells a wrong sense from a weld.
    await bench.connect(bench.names);
    const driven = await bench.awaited(
      { ...bench.expected(), path: 'isolated' },
      bench.now(),
      bench.facts.connectTimeoutMs,
    );
    await allIsolated(bench);
    const seeing = only(sight, 'witness').filter(({ position }) => position === 'connected');
    const turned = seeing.every(({ name }) =>
      only(driven, 'witness').some((each) => each.name === name && each.position === 'isolated'),
    );
    throw new WrongError(
      turned ? inverted(bench.names, only(sight, 'witness')) : judge({ step: 'at-rest', moved: null, sight }),
    );
  },
};

const together: Step = {
  name: 'together',
  about: null,
  what: 'every contact is told to connect: the link must be connected',
  async run(bench) {
    const sight = await allConnected(bench);
    if (!asExpected(sight)) throw new WrongError(await judgedTogether(bench, sight));
    bench.pathMs = Math.max(0, ...only(sight, 'witness').map(({ afterMs }) => afterMs ?? 0));
    return passed(sightWords(sight));
  },
};

/** With several contacts one that works the other way round is found by leaving it out. */
async function judgedTogether(bench: Bench, sight: Sight): Promise<ReturnType<typeof judge>> {
  const finding = judge({ step: 'together', moved: null, sight });
  await allIsolated(bench);
  if (finding.code !== 'never-connected' || bench.names.length < 2) return finding;
  for (const left of bench.names) {
    await bench.connect(bench.names.filter((name) => name !== left));
    const seen = await bench.awaited(
      { ...bench.expected(), path: 'connected' },
      bench.now(),
      bench.facts.connectTimeoutMs,
    );
    await allIsolated(bench);
    if (pathOf(seen) === 'connected') return normallyClosed(left);
  }
  return finding;
}

const aloneIsolates = (contact: string): Step => ({
  name: 'alone-isolates',
  about: contact,
  what: `the link is connected, then contact ${contact} alone is told to isolate: the link must be isolated`,
  async run(bench) {
    await connected(bench);
    const { from } = await bench.isolate([contact]);
    const sight = await bench.awaited(bench.expected(), from, bench.facts.isolateTimeoutMs);
    const notes = bench.figures.of(contact);
    if (asExpected(sight)) {
      const shown = only(sight, 'witness').filter(
        ({ sees, afterMs }) => afterMs !== null && sees.includes(contact),
      );
      const telling = shown.length > 0 ? shown : sight.filter(({ name }) => name === contact);
      if (telling.every(({ position }) => position === 'unknown'))
        throw new WrongError(nothingTells(contact));
      notes.isolatesAlone = 'proven';
      notes.isolatesAloneBy = shown.length > 0 ? 'witness' : 'read-back';
      notes.isolatesAloneMs = Math.max(0, ...telling.map(({ afterMs }) => afterMs ?? 0));
      return passed(
        shown.length > 0
          ? `contact ${contact} alone isolates the link (${namesOf(shown)} shows it)`
          : `contact ${contact} isolates, by the board's own word only: no witness shows it`,
      );
    }
    notes.isolatesAlone = 'refuted';
    const situation: Situation = { step: 'alone-isolates', moved: contact, sight };
    const ranOut = await ranOutByItself(bench, contact);
    if (!ranOut) throw new WrongError(judge(situation));
    notes.lease.isolate_cancels = 'refuted';
    throw new WrongError({
      code: 'lease-not-cancelled',
      what: `contact ${contact} went on to the end of its hardware lease although it was told to isolate`,
      todo: `set \`hardware_lease: none\` for contact ${contact}, or take a board whose timer a plain isolate ends`,
    });
  },
});

const nothingTells = (contact: string): Finding => ({
  code: 'nothing-tells',
  what: `contact ${contact} cannot be read, and no witness shows whether it isolates`,
  todo: 'add a witness to the link, such as carrier or a mirror contact',
});

/** Isolates everything; whether a contact that did not obey does once its hardware lease has run out. */
async function ranOutByItself(bench: Bench, contact: string): Promise<boolean> {
  const leaseMs = bench.facts.contacts.find(({ name }) => name === contact)?.hardwareLeaseMs ?? null;
  const { from } = await bench.isolate(bench.names);
  if (leaseMs === null) return false;
  const within = leaseMs * (1 + LEASE_SLACK) + bench.facts.isolateTimeoutMs;
  return asExpected(await bench.awaited(bench.expected(), from, within));
}

const aloneConnects = (contact: string, count: number): Step => ({
  name: 'alone-connects',
  about: contact,
  what: `contact ${contact} alone is told to connect: the other ${count - 1} must keep the link isolated`,
  async run(bench) {
    await isolated(bench);
    const { from } = await bench.connect([contact]);
    const expected = bench.expected();
    const sight = await bench.awaited(expected, from, bench.facts.connectTimeoutMs);
    const situation = { step: 'alone-connects', moved: contact } as const;
    if (!asExpected(sight)) throw new WrongError(judge({ ...situation, sight }));
    const dwellMs = Math.min(
      bench.facts.connectTimeoutMs,
      Math.max(DWELL_LEAST_MS, (bench.pathMs ?? bench.facts.connectTimeoutMs) * DWELL_FACTOR),
    );
    const later = await bench.held(expected, dwellMs);
    if (!asExpected(later)) throw new WrongError(judge({ ...situation, sight: later }));
    await isolated(bench);
    return passed(`the link stays isolated with contact ${contact} alone connected`);
  },
});

const cycles: Step = {
  name: 'cycles',
  about: null,
  what: `the whole link is connected and isolated ${CYCLES} times, with a watch`,
  async run(bench) {
    await isolated(bench);
    bench.figures.timing = true;
    try {
      for (let cycle = 1; cycle <= CYCLES; cycle += 1) {
        await connected(bench);
        await isolated(bench, 'cycle');
        bench.told({ event: 'cycle', cycle, of: CYCLES });
      }
    } finally {
      bench.figures.timing = false;
    }
    const witnesses = namesOf(bench.facts.witnesses);
    return passed(
      `${CYCLES} cycles${witnesses === '' ? ', by own word only' : `, every one shown by ${witnesses}`}`,
    );
  },
};

const readBack: Step = {
  name: 'read-back',
  about: null,
  what: "the contacts' own word is compared with the witnesses",
  run(bench): Promise<StepEnd> {
    const lying = bench.figures.contacts().filter(({ read_back }) => read_back.contradicted > 0);
    if (bench.figures.compared === 0)
      return Promise.resolve(notTried('not-applicable', 'there is no witness to compare with'));
    if (lying.length === 0)
      return Promise.resolve(
        passed(`no contradiction in ${bench.figures.compared} comparisons with the witnesses`),
      );
    const names = lying.map(({ name, read_back }) => `${name} (${read_back.contradicted} times)`).join(', ');
    return Promise.reject(
      new WrongError({
        code: 'read-back-lies',
        what: `the own word of ${names} contradicted the witnesses`,
        todo: 'look at the contact and its read-back; do not rely on it without a witness',
      }),
    );
  },
};

/** Tells every contact to isolate and looks until that is seen, or for the isolate time-out. */
export async function allIsolated(bench: Bench): Promise<Sight> {
  const { from } = await bench.isolate(bench.names);
  return bench.awaited(bench.expected(), from, bench.facts.isolateTimeoutMs);
}

/** Tells every contact to connect and looks until that is seen, or for the connect time-out. */
export async function allConnected(bench: Bench): Promise<Sight> {
  const { from } = await bench.connect(bench.names);
  return bench.awaited(bench.expected(), from, bench.facts.connectTimeoutMs);
}

/** As `allIsolated`; anything else is wrong. */
export async function isolated(bench: Bench, step: Situation['step'] = 'together'): Promise<void> {
  const sight = await allIsolated(bench);
  if (!asExpected(sight)) throw new WrongError(judge({ step, moved: null, sight }));
}

/** As `allConnected`; anything else is wrong. */
export async function connected(bench: Bench): Promise<void> {
  const sight = await allConnected(bench);
  if (!asExpected(sight)) throw new WrongError(judge({ step: 'cycle', moved: null, sight }));
}
