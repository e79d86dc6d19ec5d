/** The part of the configuration that says when a link may be connected, and for what work. */
import { z } from 'zod';
import { duration, name, remoteAddress } from './fields.ts';
import { anomalies, guard } from './guards.ts';
import { command, step } from './steps.ts';

/** One entry of `windows`. */
export const window = z.strictObject({
  link: name.describe('the link that is connected'),
  opens: z.string().max(200).describe('cron expression with five fields: minute hour day month weekday'),
  timezone: z.string().max(100).describe('IANA time zone of `opens`, as in Europe/Berlin or UTC'),
  jitter: duration(0, 86_400_000).default(0).describe('opens later by a random time up to this'),
  by_hand: z
    .enum(['presence', 'approved', 'never'])
    .default('presence')
    .describe('who may run it at any time: somebody at the box; two approvers as well; nobody'),
  catch_up: z
    .enum(['none', 'once'])
    .default('none')
    .describe(
      'once: an opening in which no lease was granted (box off, clock not synchronised, refused) is made up for, once, when nothing refuses',
    ),
  lasts: duration(1_000, 86_400_000).describe('the absolute end, counted from opening'),
  grace: duration(0, 600_000)
    .default(30_000)
    .describe('restic is asked to stop (SIGINT) this long before the end of the window'),
  prepare: z
    .array(command)
    .max(50)
    .default([])
    .describe('run in order while still isolated; a failure cancels the window'),
  guards: z
    .array(guard)
    .max(50)
    .default([])
    .describe('looked at in order after `prepare`, while still isolated; see [guards](guards.md)'),
  anomalies: anomalies.prefault({}).describe('what is unusual in a backup; see [anomalies](anomalies.md)'),
  reach: z
    .strictObject({
      tcp: remoteAddress.describe('host:port of the vault that must answer before restic starts'),
      timeout: duration(100, 600_000).default(30_000).describe('how long to try'),
    })
    .exactOptional()
    .describe('proof that the vault answers, after the link has settled'),
  steps: z.array(step).min(1).max(50).describe('the work, in order'),
  after: z
    .array(command)
    .max(50)
    .default([])
    .describe('run in order when isolated again, whatever the outcome'),
  limits: z
    .strictObject({
      nice: z.int().min(0).max(19).default(0).describe('how far restic steps back for others (nice)'),
      io: z
        .enum(['normal', 'idle'])
        .default('normal')
        .describe('idle: restic reads when nobody else does (ionice)'),
      cpus: z.int().min(1).max(1_024).exactOptional().describe('cores that restic uses; default: all'),
    })
    .prefault({})
    .describe('what restic may take of this machine'),
});
