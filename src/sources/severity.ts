/** How bad something is, in one scale for all senders. Pure. */

/** From the least to the worst. */
export const LEVELS = ['info', 'warning', 'error', 'critical'] as const;
export type Level = (typeof LEVELS)[number];

/** Words whose meaning senders agree upon. What is not here has no level, and a threshold does not keep it from tripping. */
const WORDS: Readonly<Record<Level, readonly string[]>> = {
  info: ['debug', 'info', 'information', 'informational', 'notice', 'none', 'low', 'p5', 'p4', 'ok'],
  warning: ['warning', 'warn', 'medium', 'moderate', 'average', 'minor', 'p3'],
  error: ['error', 'err', 'high', 'major', 'p2'],
  critical: ['critical', 'crit', 'alert', 'emergency', 'emerg', 'fatal', 'disaster', 'page', 'p1'],
};

const LEVEL_OF: ReadonlyMap<string, Level> = new Map(
  LEVELS.flatMap((level) => WORDS[level].map((word): [string, Level] => [word, level])),
);

/** The level of a sender's word, in whatever case; `null` when it is not known. */
export const levelOf = (word: string | null): Level | null =>
  word === null ? null : (LEVEL_OF.get(word.toLowerCase()) ?? null);

/** True when `level` is as bad as `least`, or worse. */
export const isAtLeast = (level: Level, least: Level): boolean =>
  LEVELS.indexOf(level) >= LEVELS.indexOf(least);
