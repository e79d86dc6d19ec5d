/** How the API says no: RFC 9457 problem details, with the refusals that say what would allow it. */
import { z } from 'zod';
import { refusal } from '../../protocol/messages.ts';

/** Content type of every answer that is not 2xx. */
export const PROBLEM_TYPE = 'application/problem+json';

/** Body of every answer that is not 2xx. `code` is for machines, `detail` and `hint` are sentences for people. */
export const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    /** Such as `login-needed`, `setup-needed`, `role-missing`, `slow-down`, or the code of the first refusal. */
    code: z.string(),
    detail: z.string(),
    hint: z.string(),
    /** Everything that stands against it, as the interlock said it; empty when it was not asked. */
    refusals: z.array(refusal),
    /** When it makes sense to ask again, ms. */
    retry_after_ms: z.number().exactOptional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problem>;
