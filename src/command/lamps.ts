/** `portcullis lamps test`. */
import { userInfo } from 'node:os';
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
