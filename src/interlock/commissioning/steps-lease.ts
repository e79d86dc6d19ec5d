/** What the device itself does when nobody renews: its timer isolates, a renewal extends it, a plain isolate ends it. */
import { type Bench, WrongError } from './bench.ts';
import type { LinkFacts } from './facts.ts';
import { asExpected, pathOf } from './sight.ts';
import { connected } from './steps-wiring.ts';
import { passed, type Step, type StepEnd } from './step.ts';
import { judge } from './wiring.ts';

/** The renewal comes when this part of the lease has gone by. */
const RENEWED_AT = 0.5;
/** What a timer may be wrong by, as a part of its time. */
const SLACK = 0.1;
const LOOK_PAUSE_MS = 25;

/** One step for each contact with a hardware lease. */
export function leaseSteps(facts: LinkFacts): readonly Step[] {
  return facts.contacts.flatMap(({ name, hardwareLeaseMs }) =>
    hardwareLeaseMs === null
      ? []
      : [
          {
            name: 'hardware-lease',
            about: name,
            what: `contact ${name} is connected for ${hardwareLeaseMs} ms, renewed once, and left alone: it must isolate by itself`,
            run: (bench: Bench) => ranOut(bench, name, hardwareLeaseMs),
          },
          {
            name: 'lease-cancelled',
            about: name,
            what: `contact ${name} is told to isolate in the middle of its hardware lease: it must, and must stay isolated`,
            run: (bench: Bench) => cancelled(bench, name, hardwareLeaseMs),
          },
        ],
  );
}

async function ranOut(bench: Bench, contact: string, leaseMs: number): Promise<StepEnd> {
  await connected(bench);
  bench.leave(contact);
  const first = await bench.renew(contact);
  await bench.pass(Math.max(0, first.from + leaseMs * RENEWED_AT - bench.now()));
  const second = await bench.renew(contact);
  const slackMs = leaseMs * SLACK;
  const { lease } = bench.figures.of(contact);
  const seen = await watched(bench, second.to + leaseMs + slackMs + bench.facts.isolateTimeoutMs);
  if (seen.isolatedAt === null)
    throw new WrongError({
      code: 'lease-never-ends',
      what: `contact ${contact} stays connected ${Math.round(bench.now() - second.to)} ms after its last renewal; its hardware lease is ${leaseMs} ms`,
      todo: `the board of ${contact} does not isolate by itself: set \`hardware_lease: none\`, and do not count on it`,
    });
  lease.ran_out_after_ms = Math.max(0, seen.isolatedAt - second.from);
  if (seen.isolatedAt < second.from + leaseMs - slackMs) {
    lease.renewal = 'refuted';
    throw new WrongError({
      code: 'lease-not-renewed',
      what: `contact ${contact} isolated ${Math.round(seen.isolatedAt - first.from)} ms after the first command although its hardware lease of ${leaseMs} ms was renewed after ${Math.round(second.from - first.from)} ms`,
      todo: `a renewal does not extend the timer of this board: set \`hardware_lease: none\` for ${contact}, or every backup is cut after ${leaseMs} ms`,
    });
  }
  if (seen.connectedAt === null || seen.connectedAt <= first.to + leaseMs + slackMs)
    throw new WrongError({
      code: 'lease-too-short',
      what: `the hardware lease of contact ${contact} (${leaseMs} ms) is too short to tell whether a renewal extends it`,
      todo: 'set `hardware_lease` to at least 3s',
    });
  lease.renewal = 'proven';
  // A board that goes on calling it connected would let a proof test of another contact pass when its timer runs out then.
  const { contacts, path } = bench.expected();
  const expected = { contacts: { ...contacts, [contact]: 'isolated' as const }, path };
  const sight = await bench.awaited(expected, seen.isolatedAt, bench.facts.isolateTimeoutMs);
  if (!asExpected(sight)) throw new WrongError(judge({ step: 'alone-isolates', moved: contact, sight }));
  return passed(
    `isolated by itself ${Math.round(lease.ran_out_after_ms)} ms after its last renewal; a renewal extends it`,
  );
}

/** Looks until the path is gone or `until`: when it was last seen connected, and first seen isolated (monotonic ms). */
async function watched(
  bench: Bench,
  until: number,
): Promise<{ readonly connectedAt: number | null; readonly isolatedAt: number | null }> {
  let connectedAt: number | null = null;
  for (;;) {
    const before = bench.now();
    const sight = await bench.look(bench.expected(), before);
    const path = pathOf(sight);
    if (path === 'isolated') return { connectedAt, isolatedAt: before };
    if (path === 'connected') connectedAt = before;
    if (bench.now() >= until) return { connectedAt, isolatedAt: null };
    await bench.pass(LOOK_PAUSE_MS);
  }
}

async function cancelled(bench: Bench, contact: string, leaseMs: number): Promise<StepEnd> {
  await connected(bench);
  bench.leave(contact);
  const renewed = await bench.renew(contact);
  const { lease } = bench.figures.of(contact);
  const { from } = await bench.isolate([contact]);
  const expected = bench.expected();
  const sight = await bench.awaited(expected, from, bench.facts.isolateTimeoutMs);
  if (!asExpected(sight)) {
    lease.isolate_cancels = 'refuted';
    throw new WrongError(judge({ step: 'alone-isolates', moved: contact, sight }));
  }
  const later = await bench.held(expected, Math.max(0, renewed.to + leaseMs * (1 + SLACK) - bench.now()));
  if (!asExpected(later)) {
    lease.isolate_cancels = 'refuted';
    throw new WrongError({
      code: 'lease-comes-back',
      what: `contact ${contact} connected again after it had been told to isolate, when its hardware lease ended`,
      todo: `the timer of this board toggles at its end: set \`hardware_lease: none\` for ${contact}`,
    });
  }
  lease.isolate_cancels = 'proven';
  return passed('a plain isolate ends a running hardware lease');
}
