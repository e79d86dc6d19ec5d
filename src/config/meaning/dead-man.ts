/** Can the line of the dead-man circuit be its own? */
import { deadManClash } from '../../contacts/dead-man-place.ts';
import { error, type Finding } from '../text/finding.ts';
import type { Config } from '../schema.ts';

/** Findings about `dead_man`. */
export function deadManFindings(config: Config): readonly Finding[] {
  const clash = deadManClash(config);
  if (clash === null) return [];
  const { chip, line } = config.dead_man ?? {};
  const what = `line ${String(line)} of ${String(chip)} is ${clash}`;
  return [error(['dead_man', 'line'], what, 'give the dead-man circuit a line of its own')];
}
