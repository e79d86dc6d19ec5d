/** Do the lamps make sense? They must never stand in the way of a cut: nothing else is on their wire. */
import { lampProblems, lampsIn } from '../../contacts/lamp-place.ts';
import { LAMP_NAMES } from '../../core/lamps.ts';
import { error, unresolved, type Finding, type Surroundings } from '../text/finding.ts';
import { nearest } from '../text/nearest.ts';
import { quoted } from '../text/problems.ts';
import type { Config } from '../schema.ts';

/** Findings about `lamps`. */
export function lampFindings(config: Config, { names, profiles }: Surroundings): readonly Finding[] {
  if (config.lamps === undefined) return [];
  const lamps = lampsIn(config);
  if (lamps.length === 0) return [error(['lamps'], 'no lamp', `name one of ${LAMP_NAMES.join(', ')}`)];
  return [
    ...lamps.flatMap(({ lamp, output }) => [
      ...unresolved(['lamps', lamp, 'bus'], 'bus', output.bus, names.buses),
      ...(profiles.has(output.profile)
        ? []
        : [unknownProfile(['lamps', lamp, 'profile'], output.profile, profiles)]),
    ]),
    ...lampProblems(config, profiles).map(({ lamp, key, what, hint }) => {
      const path = ['lamps', lamp];
      const output = config.lamps?.[lamp] ?? {};
      if (key === null) return error(path, what, hint);
      return key in output
        ? error([...path, key], what, hint)
        : { ...error(path, what, hint), because: [...path, key] };
    }),
  ];
}

function unknownProfile(path: string[], id: string, profiles: Surroundings['profiles']): Finding {
  const meant = nearest(id, [...profiles.keys()]);
  const hint = meant === null ? 'see `portcullis profile list`' : `did you mean ${quoted(meant)}?`;
  return error(path, `no profile is called ${quoted(id)}`, hint);
}
