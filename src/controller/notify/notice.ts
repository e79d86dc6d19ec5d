/** What is told to people and their programs, whoever it is then sent to. */
import { z } from 'zod';

/** Stable names: programs are written against them. */
export const NOTICE_TYPES = [
  'portcullis.link.tripped',
  'portcullis.link.reset',
  'portcullis.link.isolation-unproven',
  'portcullis.link.stuck',
  'portcullis.link.isolation-proven',
  'portcullis.link.alarm',
  'portcullis.link.proof-failed',
  'portcullis.link.proof-overdue',
  'portcullis.link.budget-nearly-spent',
  'portcullis.link.budget-spent',
  'portcullis.heartbeat.lost',
  'portcullis.window.started',
  'portcullis.window.done',
  'portcullis.window.failed',
  'portcullis.window.skipped',
  'portcullis.anomaly.found',
  'portcullis.recovery-point.endangered',
  'portcullis.recovery-point.breached',
  'portcullis.recovery-point.met',
  'portcullis.people.unreadable',
  'portcullis.disk.low',
  'portcullis.notices.lost',
  'portcullis.test',
] as const;

export type NoticeType = (typeof NOTICE_TYPES)[number];

const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const notice = z.strictObject({
  /** `msg_` and a UUID: the same in every attempt, so that a receiver can tell a repetition. */
  id: z.string(),
  /** Calendar time at which it happened or was heard, RFC 3339. */
  at: z.string(),
  type: z.enum(NOTICE_TYPES),
  severity: z.enum(SEVERITIES),
  link: z.string().nullable(),
  window: z.string().nullable(),
  /** What is wrong and where: one line. */
  title: z.string(),
  /** What is known about it. */
  text: z.string(),
  /** What to do next. */
  hint: z.string(),
  data: z.record(z.string(), z.json()),
  /** Set when a newer notice of the same key says everything that this one says: it may then go first. */
  repeats: z.string().nullable(),
});

export type Notice = Readonly<z.output<typeof notice>>;
/** A notice before it has an identity. */
export type Draft = Omit<Notice, 'id' | 'at'>;

/** True when `severity` is no less than `least`. */
export const isAtLeast = (severity: Severity, least: Severity): boolean =>
  SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);
