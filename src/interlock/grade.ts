/** How much stands behind what is said of a link. Pure. */
import type { Profile } from '../contacts/profile.ts';
import type { Config } from '../config/schema.ts';
import { isSimulated } from '../config/meaning/simulated.ts';

/** Weakest first. */
const GRADES = ['simulated', 'paper', 'bench', 'field'] as const;
/** How a profile came about, or `simulated` where a board of the link is emulated. */
export type Grade = (typeof GRADES)[number];

/**
 * The weakest grade among the contacts of a link. One emulated board outweighs any profile, also when only a witness of the
 * link hangs on it: what an emulator says shows nothing.
 */
export function gradeOf(config: Config, link: string, profiles: ReadonlyMap<string, Profile>): Grade {
  if (isSimulated(config, link)) return 'simulated';
  const grades = (config.links[link]?.contacts ?? []).map(
    (contact) => profiles.get(contact.profile)?.evidence.grade ?? 'paper',
  );
  return GRADES.find((grade) => grades.includes(grade)) ?? 'paper';
}
