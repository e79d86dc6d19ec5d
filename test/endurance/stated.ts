/** What docs/storage.md says of each file: by how much it grows with a window, and how large it gets at most. Bytes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = join(import.meta.dirname, '../../docs/storage.md');
const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1_000, MB: 1_000_000 };
/** `| what | … | 7 kB a window | 40 kB |`; the first is the path below the state directory, or a log. */
const ROW =
  /^\| `([^`]+)` \|[^|]*\| (?:([\d.]+) (B|kB|MB) a window|–)[^|]* \| (?:([\d.]+) (B|kB|MB)|–)[^|]*\|/;

/** One line of the table. `null`: it is not said to grow, or to have a bound. */
export interface Stated {
  readonly perWindow: number | null;
  readonly atMost: number | null;
}

/** Every line of the page's tables. */
export function stated(text: string = readFileSync(PAGE, 'utf8')): ReadonlyMap<string, Stated> {
  const bytes = (figure: string | undefined, unit: string | undefined): number | null =>
    figure === undefined ? null : Number(figure) * (UNITS[unit ?? ''] ?? Number.NaN);
  return new Map(
    text.split('\n').flatMap((line): [string, Stated][] => {
      const [, what, grows, growsIn, most, mostIn] = ROW.exec(line) ?? [];
      return what === undefined
        ? []
        : [[what, { perWindow: bytes(grows, growsIn), atMost: bytes(most, mostIn) }]];
    }),
  );
}
