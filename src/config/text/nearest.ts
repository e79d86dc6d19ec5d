/** Levenshtein distance: how many letters must be added, removed or changed. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 0; i < left.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < right.length; j++) {
      const changed = (row[j] ?? 0) + (left[i] === right[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

/** Longer names are not compared: nobody mistypes a hundred letters. */
const LONGEST_NAME = 100;

/** A beginning this long stands for the whole name. */
const LEAST_BEGINNING = 3;

/** The known name nearest to `name`, or `null` when none is near enough to be meant. */
export function nearest(name: string, known: readonly string[]): string | null {
  if (name.length > LONGEST_NAME) return null;
  const plain = name.toLowerCase().replaceAll('-', '_');
  const [begun, ...others] = known.filter(
    (candidate) => name.length >= LEAST_BEGINNING && candidate.startsWith(name),
  );
  if (begun !== undefined && others.length === 0) return begun;
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const away = distance(plain, candidate.toLowerCase().replaceAll('-', '_'));
    const shorter = Math.min(name.length, candidate.length);
    const allowed = Math.max(
      Math.min(2, shorter - 1),
      Math.floor(Math.max(name.length, candidate.length) / 3),
    );
    if (away <= allowed && away < least) {
      best = candidate;
      least = away;
    }
  }
  return best;
}
