/** `portcullis lamps test`, and the lamps in words. */
import { userInfo } from 'node:os';
import type { Status } from '../protocol/messages.ts';
import { type AskOptions, interlock } from './ask.ts';
import { say } from './exit.ts';

const MS_PER_SECOND = 1_000;

/** Lights every lamp for a moment: look which one stays dark. */
export async function testLamps({ config, json }: AskOptions): Promise<void> {
  const { ends_in_ms } = await (await interlock(config, false)).testLamps({ by: userInfo().username });
  say(
    json === true
      ? JSON.stringify({ lamp_test_ends_in_ms: ends_in_ms })
      : `all lamps are lit for ${(ends_in_ms / MS_PER_SECOND).toFixed(1)} s: one that stays dark is broken`,
  );
}

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
