/** What the profile of a switch on a console may say. */
import { z } from 'zod';
import { profileCommon } from '../profile-common.ts';
import { consoleExample, consoleFields } from './fields.ts';

/** The schema of a profile with `driver: console`. */
export const consoleProfile = z.strictObject({
  driver: z.literal('console'),
  ...profileCommon,
  ...consoleFields,
  examples: z.array(consoleExample).min(1).max(128),
});

/** One switch as data. */
export type ConsoleProfile = z.infer<typeof consoleProfile>;
