/** What may grow by how much from one window to the next, and what was measured against it. */
import { LEAKING, type Reading } from './gauge.ts';
import { growing, leastOfTenths, slopeOf } from './trend.ts';
import type { Stated } from './stated.ts';
import type { Sizes, YearFigures } from './year.ts';

type Allowed = Readonly<Record<(typeof LEAKING)[number], number>>;

/**
 * Over a year. Bytes and counts a window; `resident` a tenth of the year. The interlock keeps a line for each stretch of the last 24 hours, of
 * which there are hundreds here and one in a life of one window a day.
 */
export const OVER_A_YEAR: Allowed = {
  heap: 3_000,
  external: 500,
  resident: 3_500_000,
  descriptors: 0.02,
  threads: 0.01,
  children: 0.01,
};

/** The sums that its pages show are of 2,000 windows, 5,000 proof tests and 10,000 snapshots: they fill for years. */
export const OVER_A_YEAR_OF_CONTROLLER: Allowed = { ...OVER_A_YEAR, heap: 6_000 };

/** Over a dozen: buffers that fill in the first forty windows (the newest thousand entries, twenty reports) are part of it. */
export const OVER_A_DOZEN: Allowed = {
  heap: 70_000,
  external: 20_000,
  resident: 5_000_000,
  descriptors: 0.4,
  threads: 0.2,
  children: 0.2,
};

/** The controller does more for the first time in its first windows: V8 keeps notes of what it has seen run, some 100 kB a window at first. */
export const OVER_A_DOZEN_OF_CONTROLLER: Allowed = { ...OVER_A_DOZEN, heap: 170_000 };

/** What of one process grows more than allowed, in words. */
export function leaksOf(name: string, readings: readonly Reading[], allowed: Allowed): readonly string[] {
  const series = Object.fromEntries(
    LEAKING.map((each) => {
      const all = readings.map((reading) => reading[each]);
      // How much is resident hangs on when V8 last gave something back.
      return [`${name} ${each}`, each === 'resident' ? leastOfTenths(all) : all];
    }),
  );
  const most = Object.fromEntries(LEAKING.map((each) => [`${name} ${each}`, allowed[each]]));
  return growing(series, most);
}

/** Where the page on storage promises less than was measured, or says nothing of a file. */
export function unstated(page: ReadonlyMap<string, Stated>, { disk, log }: YearFigures): readonly string[] {
  const last: Sizes = disk.at(-1) ?? {};
  const windows = disk.length;
  const files = Object.keys(last).filter((name) => !name.endsWith(' files'));
  const measured = [
    ...files.map((file) => ({
      what: file.replace(/^interlock\//, ''),
      perWindow: slopeOf(disk.map((sizes) => sizes[file] ?? 0)),
      size: last[file] ?? 0,
    })),
    { what: 'log of the interlock', perWindow: log.interlock / windows, size: log.interlock },
    { what: 'log of the controller', perWindow: log.controller / windows, size: log.controller },
  ];
  return measured.flatMap(({ what, perWindow, size }) => {
    const said = page.get(what);
    if (said === undefined)
      return [`docs/storage.md says nothing of ${what} (${size} bytes, ${perWindow} a window)`];
    const wrong: string[] = [];
    if (said.atMost !== null && size > said.atMost)
      wrong.push(`${what} has ${size} bytes, at most ${said.atMost} are stated`);
    // What has a bound may grow up to it.
    if (said.atMost === null && perWindow > (said.perWindow ?? 0))
      wrong.push(`${what} grows by ${perWindow} bytes a window, stated are ${said.perWindow ?? 0}`);
    return wrong;
  });
}

/** What the pages tell of a year: growth by window, and what there was at its end. */
export function summaryOf({ interlock, controller, disk, ...rest }: YearFigures): object {
  const trends = (readings: readonly Reading[]) =>
    Object.fromEntries(
      [...LEAKING, 'code' as const, 'committed' as const].map((name) => {
        const all = readings.map((reading) => reading[name]);
        return [name, { slope: slopeOf(all), last: all.at(-1) }];
      }),
    );
  const files = Object.keys(disk.at(-1) ?? {});
  const sizes = files.map((file) => {
    const all = disk.map((each) => each[file] ?? 0);
    return [file, { slope: slopeOf(all), last: all.at(-1) }];
  });
  return {
    ...rest,
    interlock: trends(interlock),
    controller: trends(controller),
    disk: Object.fromEntries(sizes),
  };
}
