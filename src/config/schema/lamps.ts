/** The lamps of the box, as the file writes them. */
import { z } from 'zod';
import { name } from './fields.ts';

const output = z
  .strictObject({
    profile: z
      .string()
      .min(1)
      .max(100)
      .describe('firmware profile of the output, as `portcullis profile list` prints it'),
    bus: name.describe('name of the bus under `buses`; nothing but lamps may be on it, unless it is gpio'),
    unit: z.int().min(1).max(255).exactOptional().describe('unit (station, card) address on the bus'),
    channel: z.int().min(1).max(256).exactOptional().describe('relay or transistor channel, from 1'),
    line: z
      .int()
      .min(0)
      .max(1023)
      .exactOptional()
      .describe('GPIO line: its offset on the chip (on a Raspberry Pi the BCM number)'),
  })
  .exactOptional();

/** The lamps: what each pattern means is said in docs/button-and-lamps.md. */
export const lamps = z.strictObject({
  isolated: output.describe('lit only while every link is isolated and that is proven; never blinks'),
  connected: output.describe('lit while a link is connected; blinks while that is not known'),
  tripped: output.describe('lit while a link is latched'),
  fault: output.describe('lit or blinking while something is wrong'),
  steady: z
    .boolean()
    .default(false)
    .describe('true: what would blink is lit; for mechanical relays, which blinking wears out in days'),
});
