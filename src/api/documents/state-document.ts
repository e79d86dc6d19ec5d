/** `GET /api/v1/state`: one document with everything that the first screen needs. Times of day RFC 3339, durations ms. */
import { z } from 'zod';
import { linkStatus, refusal, status, windowStatus } from '../../protocol/messages.ts';

/** Where the history of a link stands: calendar days are those of `timezone` in the state. */
const exposure = linkStatus.shape.exposure.extend({
  /** Since midnight; `null` until the journal has been read. */
  today_ms: z.number().nullable(),
  /** This day and the six before it. */
  days_7_ms: z.number().nullable(),
  /** This day and the 29 before it. */
  days_30_ms: z.number().nullable(),
});

/** A trip as the journal knows it. */
export const tripRecord = z
  .object({
    link: z.string(),
    at: z.string(),
    by: z.string(),
    reason: z.string(),
    /** ms from the decision until the last isolate frame was written; `null` when one was not written at once. */
    cut_ms: z.number().nullable(),
    /** The same per contact. */
    contacts_ms: z.record(z.string(), z.number().nullable()),
    /** ms from the decision until isolation was proven; `null` while it is not, or when it was isolated before. */
    proven_ms: z.number().nullable(),
    /** Sequence number of its entry in the journal; `null` while that has not been read. */
    seq: z.number().nullable(),
  })
  .meta({ id: 'TripRecord' });
export type TripRecord = z.infer<typeof tripRecord>;

/**
 * A link: what the interlock says of it (`LinkStatus`: also `latch.cause`, `session`, and in `reset_needs` and `session_needs`
 * what a reset or an attended session lacks now), and what the journal knows of it.
 */
export const linkState = linkStatus
  .extend({
    exposure,
    /** The last known trip; `null` when none is known. */
    last_trip: tripRecord.nullable(),
  })
  .meta({ id: 'LinkState' });
export type LinkState = z.infer<typeof linkState>;

/** A window: when it opens, and what would refuse its lease if it opened now. */
export const windowState = windowStatus
  .extend({
    /** Cron expression with five fields, in `timezone`. */
    opens: z.string(),
    timezone: z.string(),
    jitter_ms: z.number(),
    /** Its absolute end, counted from opening. */
    lasts_ms: z.number(),
    steps: z.array(z.object({ step: z.string(), repository: z.string().nullable() })),
    /** What would refuse it, apart from that no window is open now. */
    refusals: z.array(refusal),
    /** Its last opening that has a report. */
    last: z
      .object({
        occurrence: z.string(),
        started_at: z.string(),
        outcome: z.string(),
        why: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'WindowState' });
export type WindowState = z.infer<typeof windowState>;

/** A window that is at work. Sizes in bytes; totals grow while restic still scans. */
export const runningWindow = z
  .object({
    window: z.string(),
    link: z.string(),
    occurrence: z.string(),
    phase: z.string(),
    step: z
      .object({ number: z.number(), of: z.number(), name: z.string(), repository: z.string() })
      .nullable(),
    files_done: z.number(),
    files_total: z.number(),
    bytes_done: z.number(),
    bytes_total: z.number(),
    /** Over the last ten seconds or so; `null` while nothing is known. */
    bytes_per_second: z.number().nullable(),
    /** Files that restic works on, as many as it says. */
    current_files: z.array(z.string()),
    /** ms until the step is through at this speed; `null` while nothing is known. */
    left_ms: z.number().nullable(),
    /** ms since the window began. */
    running_ms: z.number(),
  })
  .meta({ id: 'RunningWindow' });
export type RunningWindow = z.infer<typeof runningWindow>;

/** A repository: what was last good. */
export const repositoryState = z
  .object({
    repository: z.string(),
    last_good_backup: z.object({ at: z.string(), snapshot: z.string(), bytes: z.number() }).nullable(),
    /** The last check, good or not. */
    last_check: z
      .object({
        at: z.string(),
        outcome: z.string(),
        why: z.string().nullable(),
        data_read: z.string().nullable(),
      })
      .nullable(),
    /** The last restore drill, good or not, with how many files were found equal to what. */
    last_restore_drill: z
      .object({
        at: z.string(),
        outcome: z.string(),
        why: z.string().nullable(),
        snapshot: z.string(),
        files: z.number().exactOptional(),
        bytes: z.number().exactOptional(),
        as_source: z.number().exactOptional(),
        as_recorded: z.number().exactOptional(),
        without_reference: z.number().exactOptional(),
        judged_by: z.literal('verify').exactOptional(),
      })
      .nullable(),
    /** Set when a run was interrupted: the next window begins with recovery. */
    interrupted: z.object({ kind: z.string(), why: z.string(), at: z.string() }).nullable(),
    /** Set while an anomaly keeps `forget` from running. */
    frozen: z
      .object({
        why: z.string(),
        at: z.string(),
        /** The window in which it was found, and the anomaly to release; `null` while its finding is not written down. */
        window: z.string().nullable(),
        anomaly: z.string().nullable(),
      })
      .nullable(),
    /** Whether the newest good backup is young enough and stays so; missing where no `recovery_point` is configured. */
    recovery_point: z
      .object({
        state: z.enum(['met', 'endangered', 'breached', 'unknown']),
        due_at: z.string().nullable(),
        why: z.string(),
        hint: z.string(),
      })
      .exactOptional(),
  })
  .meta({ id: 'RepositoryState' });
export type RepositoryState = z.infer<typeof repositoryState>;

/** Something unusual that nobody has released yet. */
export const heldAnomaly = z
  .object({
    id: z.string(),
    at: z.string(),
    /** When the same was found last, and how often in all. */
    last_at: z.string(),
    times: z.number(),
    window: z.string(),
    occurrence: z.string(),
    link: z.string(),
    /** The repository that is frozen; `null` for what a guard found before anything was connected. */
    repository: z.string().nullable(),
    /** The rule or guard. */
    rule: z.string(),
    /** What was done: the link latched, the backup cut, nothing but holding, or the window skipped. */
    action: z.enum(['trip', 'isolate', 'hold', 'skip']),
    why: z.string(),
    snapshot: z.string().nullable(),
  })
  .meta({ id: 'HeldAnomaly' });
export type HeldAnomaly = z.infer<typeof heldAnomaly>;

/** Where a notice goes, and how that does. */
export const notificationState = z
  .object({
    name: z.string(),
    type: z.string(),
    waiting: z.number(),
    last_delivered_at: z.string().nullable(),
    failures: z.number(),
    problem: z.string().nullable(),
  })
  .meta({ id: 'NotificationState' });
export type NotificationState = z.infer<typeof notificationState>;

/** An attended session; this controller holds its lease when `held` says so. */
export const attendedSession = z
  .object({
    id: z.string(),
    link: z.string(),
    by: z.string(),
    reason: z.string(),
    /** By what right: at the box, by the button that was held, by two approvers. */
    authority: z.enum(['box', 'button', 'approvers']),
    approvers: z.array(z.string()),
    began_at: z.string(),
    /** ms until it ends by itself. */
    ends_in_ms: z.number(),
    /** `connecting` until the evidence says connected; `over` for some minutes after its end. */
    phase: z.enum(['connecting', 'connected', 'over']),
    /** Why it is over, such as `released`, `tripped`, `time-over`; `null` before. */
    why: z.string().nullable(),
    /** False when a person at the box holds its lease with `portcullis attend`. */
    held: z.boolean(),
  })
  .meta({ id: 'AttendedSession' });
export type AttendedSession = z.infer<typeof attendedSession>;

/** A source as the interlock says it, with the links that it cuts. */
const sourceState = status.shape.sources.element.extend({ trips: z.array(z.string()) });
export type SourceState = z.infer<typeof sourceState>;

/** Something that went wrong on a link and was said as an alarm. */
export const alarm = z.object({
  at: z.string(),
  link: z.string(),
  code: z.string(),
  why: z.string(),
  hint: z.string(),
});
export type Alarm = z.infer<typeof alarm>;

/** Everything that the first screen needs. What comes from the interlock is `null` or empty before its first word. */
export const state = z
  .object({
    at: z.string(),
    /** IANA name; its midnights bound the days of exposure and history. */
    timezone: z.string(),
    build: z.string(),
    interlock: z.object({
      /** ms since the interlock last said anything; `null` before the first word. */
      age_ms: z.number().nullable(),
      /** Why it cannot be used, `null` while its events arrive. */
      problem: refusal.nullable(),
    }),
    clock: status.shape.clock.nullable(),
    journal: status.shape.journal.nullable(),
    /** Missing when the box has none. */
    button: status.shape.button,
    /** Missing when the box has none. */
    lamps: status.shape.lamps,
    /** Names of the people whose one-time codes count; two different ones are needed from afar. */
    approvers: z.array(z.string()),
    links: z.array(linkState),
    windows: z.array(windowState),
    running: z.array(runningWindow),
    sessions: z.array(attendedSession),
    repositories: z.array(repositoryState),
    /** What is unusual and not released, newest first, fifty at most; `null` when it cannot be read. */
    anomalies: z.array(heldAnomaly).nullable(),
    sources: z.array(sourceState),
    notifications: z.array(notificationState),
    /** Newest first, as many as this controller heard since it began, twenty at most. */
    alarms: z.array(alarm),
  })
  .meta({ id: 'State' });
export type State = z.infer<typeof state>;
