/** The one rule of signs of life. */
import { describe, expect, test } from 'vitest';
import { CHECKED_WITHIN_MS, HUNG_AFTER_MS, pulse, type Checked } from '../../src/core/pulse.ts';
import { millis } from '../../src/core/time.ts';

const now = millis(1_000_000);
const ago = (ms: number): Checked['at'] => millis(now - ms);
const vault = (at: Checked['at'], askingSince: Checked['at'] = null): Checked => ({
  link: 'vault',
  at,
  askingSince,
});
const healthy: Checked = { link: 'attic', at: ago(10), askingSince: ago(5) };

describe('a sign of life', () => {
  test.each([
    ['without links', []],
    ['with every link just checked', [healthy, vault(ago(0))]],
    ['with a look as old as may be', [vault(ago(CHECKED_WITHIN_MS))]],
    ['with a question as old as may be', [vault(ago(0), ago(HUNG_AFTER_MS))]],
  ])('is given %s', (_, links) => {
    expect(pulse(links, now)).toEqual({ kind: 'given' });
  });

  test.each([
    ['before the first round', vault(null), 'not-checked'],
    ['by a loop that stopped', vault(ago(CHECKED_WITHIN_MS + 1)), 'not-checked'],
    ['by a driver that hangs, though its loop turns', vault(ago(0), ago(HUNG_AFTER_MS + 1)), 'hung'],
  ])('is withheld %s, whatever the other links do', (_, link, why) => {
    expect(pulse([healthy, link], now)).toEqual({ kind: 'withheld', link: 'vault', why });
    expect(pulse([link, healthy], now)).toEqual({ kind: 'withheld', link: 'vault', why });
  });
});
