/** Whether a program says what a page shows: the words, not the moments, the figures and the names of one run. */

/** What differs from run to run: how it is recognised on the page, and what may stand there. */
const DIFFERS: readonly (readonly [shown: RegExp, said: string])[] = [
  [/https?:\/\/[\w.:-]+/, 'https?://[\\w.:-]+'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/, '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z'],
  [/\b[A-Z2-7]{5,6}(?:-[A-Z2-7]{5})+\b/, '[A-Z2-7-]+'],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8}\b/, '[0-9a-f]{8}'],
  [/\b\d\d:\d\d:\d\d\.\d+/, '\\d\\d:\\d\\d:\\d\\d\\.\\d+'],
  [/\b\d+(?:\.\d+)?/, '\\d+(?:\\.\\d+)?'],
];
const ANY = new RegExp(DIFFERS.map(([shown]) => `(${shown.source})`).join('|'), 'g');

const plain = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** What a line must look like to be the line that a page shows; more may follow. */
export function likeness(line: string): RegExp {
  let source = '';
  let at = 0;
  for (const found of line.matchAll(ANY)) {
    const which = found.slice(1).findIndex((group) => group !== undefined);
    source += plain(line.slice(at, found.index)) + (DIFFERS[which]?.[1] ?? '');
    at = found.index + found[0].length;
  }
  return new RegExp(`^${source}${plain(line.slice(at))}`);
}

/** The first line of `shown` that `said` does not have, in this order; null when it has all. */
export function missingLine(shown: string, said: string): string | null {
  const lines = said.split('\n');
  for (const line of shown.trimEnd().split('\n')) {
    const like = likeness(line);
    const its = lines.findIndex((each) => like.test(each));
    if (its < 0) return line;
    lines.splice(0, its + 1);
  }
  return null;
}

/** The keys of a document and of what is in it, as paths. */
export function keysOf(value: unknown, at = ''): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return at === '' ? [] : [at];
  return Object.entries(value).flatMap(([key, inside]) => [
    ...(at === '' ? [] : [at]),
    ...keysOf(inside, at === '' ? key : `${at}.${key}`),
  ]);
}
