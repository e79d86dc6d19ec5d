/** The output of the dead-man circuit, as the file writes it. */
import { z } from 'zod';
import { duration } from './fields.ts';

/** A GPIO line that is toggled while links may be connected and are looked at: hardware/dead-man.md has the circuit. */
export const deadMan = z.strictObject({
  chip: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}$/, 'a chip is named by its label, such as pinctrl-bcm2711')
    .describe('label of the chip, never its number (`gpiodetect` prints labels)'),
  line: z.int().min(0).max(1023).describe('GPIO line: its offset on the chip'),
  period: duration(40, 200)
    .default(100)
    .describe('of two edges; the circuit of this repository is made for 100ms'),
  access: z
    .enum(['auto', 'sysfs', 'character-device'])
    .default('auto')
    .describe('how the line is driven; auto: sysfs where the kernel has it, else the character device'),
});
