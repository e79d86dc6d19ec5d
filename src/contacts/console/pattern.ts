/**
 * The notation in which a profile says what a line looks like. It has three signs and no more, so that no profile can
 * write a pattern that takes for ever: `*` is any run of characters without a space, `**` any run of characters, `{port}`
 * the port in question; all else stands for itself. A pattern covers the whole line. Runs of blanks count as one blank.
 */

/** Most characters of a pattern, and of a line that is compared; the rest of a longer line is not looked at. */
export const MAX_PATTERN = 160;
export const MAX_COMPARED = 512;

/** A pattern that is ready to compare lines. */
export interface Pattern {
  readonly source: string;
  readonly matches: (line: string) => boolean;
}

type Sign =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'word' }
  | { readonly kind: 'anything' };

/** A line as patterns see it: blanks collapsed, both ends trimmed, bounded. */
export function comparable(line: string): string {
  return line.slice(0, MAX_COMPARED).replaceAll(/\s+/g, ' ').trim();
}

/** Makes a pattern ready; `port` stands where it says `{port}`. Never throws. */
export function pattern(source: string, port: string | null = null): Pattern {
  const signs = signsOf(comparable(source), port);
  return { source, matches: (line) => covers(signs, comparable(line)) };
}

/** Whether any of the patterns covers the line. */
export function anyMatches(patterns: readonly Pattern[], line: string): boolean {
  return patterns.some((each) => each.matches(line));
}

function signsOf(source: string, port: string | null): readonly Sign[] {
  const signs: Sign[] = [];
  const literal = (text: string): void => {
    for (const character of text) signs.push({ kind: 'character', character });
  };
  for (const part of source.split(/(\*{1,2}|\{port\})/)) {
    if (part === '*') signs.push({ kind: 'word' });
    else if (part === '**') signs.push({ kind: 'anything' });
    else if (part === '{port}' && port !== null) literal(port);
    else literal(part);
  }
  return signs;
}

/** All places in the pattern at once, character by character: never more steps than line times pattern. */
function covers(signs: readonly Sign[], line: string): boolean {
  let places = withoutInput(signs, new Set([0]));
  for (const character of line) {
    const next = new Set<number>();
    for (const place of places) {
      const sign = signs[place];
      if (sign === undefined) continue;
      switch (sign.kind) {
        case 'character':
          if (sign.character === character) next.add(place + 1);
          break;
        case 'word':
          if (character !== ' ') next.add(place);
          break;
        case 'anything':
          next.add(place);
          break;
      }
    }
    if (next.size === 0) return false;
    places = withoutInput(signs, next);
  }
  return places.has(signs.length);
}

/** Both runs may be empty. A set is walked in the order of its growth, so what is added here is walked too. */
function withoutInput(signs: readonly Sign[], places: Set<number>): Set<number> {
  for (const place of places) {
    const kind = signs[place]?.kind;
    if (kind === 'word' || kind === 'anything') places.add(place + 1);
  }
  return places;
}
