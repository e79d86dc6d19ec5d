/** The two links of every simulated box and their windows, a little different for every seed. */
import type { Dice } from './dice.ts';
import { PhysicalContact, PhysicalLink, PhysicalWitness, type WitnessNature } from './hardware.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { WindowConfig } from '../../src/interlock/windows/window-clock.ts';
import type { Policy } from '../../src/core/link.ts';

const WITNESSES: readonly WitnessNature[] = [
  { name: 'carrier', sees: 'both', of: null },
  { name: 'tcp', sees: 'connected', of: null },
  { name: 'mirror', sees: 'isolated', of: null },
];
/** A contact mechanically linked with one of two. */
const LINKED: WitnessNature = { name: 'linked', sees: 'both', of: 'gate' };

/** What may be asked of the links at most, ms: one of these for each. */
export interface Allowances {
  readonly budgets: readonly number[];
  readonly proofAges: readonly number[];
}

const NARROW: Allowances = {
  budgets: [30_000, 90_000, 600_000],
  proofAges: [100_000, 2 * 86_400_000, 2 * 86_400_000],
};

/** `vault`: one fail-safe contact. `attic`: a fail-safe and a holding contact in series. */
export function linksOf(
  dice: Dice,
  time: VirtualTime,
  { budgets, proofAges }: Allowances = NARROW,
): readonly PhysicalLink[] {
  const lease = (): number | null => (dice.chance(0.5) ? dice.between(4_000, 8_000) : null);
  const reads = (): 'measured' | 'told' => dice.pick(['measured', 'told']);
  const relay = new PhysicalContact(
    { name: 'relay', kind: 'fail-safe', reads: reads(), hardwareLeaseMs: lease() },
    time,
  );
  const gate = new PhysicalContact(
    { name: 'gate', kind: 'fail-safe', reads: reads(), hardwareLeaseMs: lease() },
    time,
  );
  const port = new PhysicalContact(
    { name: 'port', kind: 'holding', reads: reads(), hardwareLeaseMs: null },
    time,
  );
  const witnesses = (): PhysicalWitness[] =>
    WITNESSES.filter(() => dice.chance(0.4)).map((nature) => new PhysicalWitness(nature));
  const budget = (): number => dice.pick(budgets);
  const maxAge = (): number => dice.pick(proofAges);
  return [
    new PhysicalLink('vault', [relay], witnesses(), policyOf(dice), budget(), maxAge()),
    new PhysicalLink(
      'attic',
      [gate, port],
      [...witnesses(), ...(dice.chance(0.4) ? [new PhysicalWitness(LINKED)] : [])],
      policyOf(dice),
      budget(),
      maxAge(),
    ),
  ];
}

const policyOf = (dice: Dice): Policy => ({
  connectTimeoutMs: dice.between(1_500, 4_000),
  isolateTimeoutMs: dice.between(500, 2_000),
  leaseTimeoutMs: dice.between(1_200, 3_000),
  commissioningMs: dice.between(20_000, 60_000),
  evidenceMaxAgeMs: dice.between(1_500, 5_000),
});

/** Windows come often here, so that a few minutes see many of them. */
export const windowsOf = (dice: Dice): Readonly<Record<string, WindowConfig>> => ({
  nightly: {
    link: 'vault',
    opens: '*/2 * * * *',
    timezone: 'Europe/Berlin',
    jitter: dice.pick([0, 4_000]),
    lasts: dice.between(15_000, 80_000),
  },
  weekly: {
    link: 'attic',
    opens: '1-59/2 * * * *',
    timezone: 'UTC',
    jitter: 0,
    lasts: dice.between(15_000, 50_000),
  },
});
