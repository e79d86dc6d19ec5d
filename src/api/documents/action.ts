/** What a person may ask for, and what the interlock answered. Nothing here says that something happened before it did. */
import { z } from 'zod';

const reason = z.string().trim().min(1).max(500);
/** Somebody's one-time code; the interlock verifies it. */
const approval = z.strictObject({ name: z.string().max(100), code: z.string().max(20) });
/** Two different people, where nobody is at the box. */
const approvals = z.array(approval).max(8).exactOptional();

/** `POST /trip`: isolates and latches; no links means all. */
export const tripRequest = z.strictObject({
  links: z.array(z.string().max(100)).max(64).default([]),
  reason: reason.default('cut by hand'),
});
export const tripAnswer = z
  .object({
    /** The latch survives power loss. Where it could not be saved the answer is a problem, `latch-unsaved`: the links are cut. */
    latched: z.literal(true),
    links: z.array(
      z.object({
        link: z.string(),
        /** ms in the interlock until the last isolate frame was written; `null` when a wire is not there. */
        written_ms: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'TripAnswer' });
export type TripAnswer = z.infer<typeof tripAnswer>;

/** `POST /links/:link/reset` */
export const resetRequest = z.strictObject({ cause: z.string().max(100), reason, approvals });

/** `POST /windows/:window/run` */
export const runRequest = z.strictObject({ reason, approvals });
export const runAnswer = z
  .object({ occurrence: z.string(), ends_in_ms: z.number() })
  .meta({ id: 'RunAnswer' });

/** `POST /links/:link/sessions`; answers with an `AttendedSession`. */
export const sessionRequest = z.strictObject({
  reason,
  /** How long, ms; the interlock has a limit of its own. */
  for_ms: z.int().min(1_000).max(86_400_000),
  /** With the cause of its latch a latched link is reset first, by the same right. */
  cause: z.string().max(100).exactOptional(),
  approvals,
});

/** `POST /sources/:source/drill`: a message all the way up to the contacts, that cuts nothing. */
export const drillRequest = z.strictObject({
  /** As its sender would send it; default: a small generic one. */
  body: z.string().max(1_000_000).exactOptional(),
  headers: z.record(z.string().max(100), z.string().max(4_096)).default({}),
});

/** `POST /notifications/:name/test` */
export const notificationTest = z
  .object({ name: z.string(), delivered: z.boolean(), answer: z.string() })
  .meta({ id: 'NotificationTest' });
export type NotificationTest = z.infer<typeof notificationTest>;

/** `POST /anomalies/:id/release` */
export const releaseRequest = z.strictObject({
  reason,
  /** It was meant to be: the next of its kind is let through, and learnt from. */
  expected: z.boolean().default(false),
});
export const releaseAnswer = z
  .object({ id: z.string(), at: z.string(), by: z.string(), reason: z.string(), expected: z.boolean() })
  .meta({ id: 'ReleaseAnswer' });

/** The answer where there is nothing to say. */
export const done = z.object({}).meta({ id: 'Done' });
