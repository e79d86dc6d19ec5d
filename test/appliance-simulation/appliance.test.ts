/**
 * Seeded simulation of the whole appliance: both real programs in virtual time, the real protocol between them, over hardware,
 * disk, network, vaults, restic, clocks and people that fail as each seed weighs it. `PORTCULLIS_LONG=1` lives 1,000
 * appliance-days; `SEED=n` (with `DAYS=n`) tells the story of one seed again.
 */
import { describe, expect, test } from 'vitest';
import { wholeHistory } from './history.ts';
import { realWhole } from './program.ts';

const only = process.env['SEED'];
const isLong = process.env['PORTCULLIS_LONG'] === '1';
const seeds = Number(process.env['SEEDS'] ?? (isLong ? 100 : 6));
const days = Number(process.env['DAYS'] ?? (isLong ? 7 : 2));
const PER_SEED_MS = 60_000;
if (!isLong)
  console.warn(`SHORT FORM: ${seeds} seeds of a few days; PORTCULLIS_LONG=1 lives 1,000 appliance-days`);

/** What the seeds together must have met; a promise about something that never happened is worth nothing. */
const VISITED: readonly string[] = [
  ...['backup', 'cat', 'check', 'diff', 'forget', 'init', 'prune', 'snapshots', 'unlock'].map(
    (command) => `restic ${command}`,
  ),
  ...['config', 'index', 'lock', 'pack', 'removal', 'snapshot'].map((what) => `wrote ${what}`),
  ...['done', 'cut-short', 'partly-done', 'skipped'].map((outcome) => `report ${outcome}`),
  ...['anomaly', 'guard', 'tripped', 'of nothing'].map((why) => `report because ${why}`),
  'backup done',
  'backup cut-short',
  'check done',
  'forget done',
  'forget skipped',
  'recover done',
  'forgot',
  'freeze',
  'freeze released',
  'recovered attic',
  'recovered vault',
  'power-loss in isolated',
  'window by schedule',
  'weather controller-crash',
];
/** What only many seeds meet. */
const VISITED_LONG: readonly string[] = [
  'report resumed',
  'ledger mended',
  'window missed',
  'malicious requests refused',
  'session from afar refused',
];

test.runIf(only !== undefined)(
  `seed ${only}`,
  async () => {
    const { broken, events } = await wholeHistory(Number(only), days, realWhole);
    console.info(broken ?? `seed ${only}: ${events} events, every promise kept`);
    expect(broken).toBeNull();
  },
  PER_SEED_MS,
);

describe.skipIf(only !== undefined)('the appliance in a world that fails', () => {
  test(
    `keeps every promise through ${seeds} seeds`,
    async () => {
      const met = new Map<string, number>();
      let events = 0;
      let lived = 0;
      for (let seed = 1; seed <= seeds; seed++) {
        // oxlint-disable-next-line no-await-in-loop -- one world after the other
        const told = await wholeHistory(seed, days, realWhole);
        if (told.broken !== null) throw new Error(told.broken);
        for (const [what, times] of told.met) met.set(what, (met.get(what) ?? 0) + times);
        events += told.events;
        lived += told.days;
      }
      console.info(`lived ${lived} appliance-days in ${seeds} seeds, ${events} events`);
      const wanted = [...VISITED, ...(isLong ? VISITED_LONG : [])];
      expect(wanted.filter((what) => !met.has(what))).toEqual([]);
      if (process.env['MET'] !== undefined)
        console.info(
          [...met]
            .toSorted()
            .map(([what, n]) => `${what}: ${n}`)
            .join('\n'),
        );
    },
    60_000 + seeds * PER_SEED_MS,
  );
});
