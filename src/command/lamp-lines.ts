import type { Status } from '../protocol/messages.ts';

/** The lamps, for people; nothing for a box without any. */
export function lampLines({ lamps }: Status): string[] {
  if (lamps === undefined) return [];
  const grade = lamps.simulated ? ' (simulated board: proves nothing about hardware)' : '';
  const shown = lamps.lamps.map(({ lamp, shows, says, problem }) => {
    const trouble = problem === null ? '' : `; DOES NOT OBEY: ${problem}`;
    return `lamp ${lamp}: ${shows}, ${says}${lamp === 'isolated' && shows === 'lit' ? grade : ''}${trouble}`;
  });
  return lamps.test_ends_in_ms === null ? shown : ['LAMP TEST: all lamps are lit', ...shown];
}
