/** The part of the configuration that says when a link may be connected, and for what work. */
import { z } from 'zod';
import { absolutePath, duration, name, oneKeyOf, remoteAddress } from './fields.ts';

/** One entry of `repositories`. */
export const repository = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(1_000)
    .describe('restic repository, as restic -r takes it; without a password in it'),
  password_file: absolutePath.describe("file with the repository's password"),
  environment_file: absolutePath
    .exactOptional()
    .describe('file with NAME=VALUE lines for restic (credentials of the storage)'),
  options: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9.-]{0,99}$/, 'not a restic option name'), z.string().max(1_000))
    .default({})
    .describe('extended options, as restic -o NAME=VALUE takes them'),
});

/** restic writes durations as 1y5m7d2h, where m is months. */
const keepWithin = z
  .string()
  .regex(
    /^(?=.)(\d{1,4}y)?(\d{1,4}m)?(\d{1,5}d)?(\d{1,5}h)?$/,
    'write a restic duration such as 14d, 6m (months), 1y',
  )
  .describe('how far back, as restic writes it: 14d, 6m (months), 1y6m');

const SUBSET = /^(?:(rotate|\d{1,3})\/(\d{1,3})|(\d{1,3}(?:\.\d{1,4})?)%|[1-9]\d{0,8}[KMGT])$/;
/** restic refuses more parts than this. */
const MOST_SUBSET_PARTS = 256;
const subset = z
  .string()
  .regex(SUBSET, 'write rotate/30, 3/30, 2.5% or 500M')
  .refine((text) => {
    const [, part, parts, percent] = SUBSET.exec(text) ?? [];
    if (percent !== undefined) return Number(percent) > 0 && Number(percent) <= 100;
    if (parts === undefined) return true;
    const total = Number(parts);
    return (
      total >= 1 &&
      total <= MOST_SUBSET_PARTS &&
      (part === 'rotate' || (Number(part) >= 1 && Number(part) <= total))
    );
  }, `out of range: parts 1 to ${MOST_SUBSET_PARTS}, per cent above 0 and up to 100`);

const repositoryName = name.describe('name of the repository under `repositories`');
const step = oneKeyOf({
  backup: z
    .strictObject({
      repository: repositoryName,
      paths: z.array(absolutePath).min(1).max(200).describe('what to back up'),
      exclude: z
        .array(z.string().min(1).max(1_000))
        .max(500)
        .default([])
        .describe('patterns, as restic --exclude'),
      tags: z
        .array(z.string().regex(/^[^\s,]{1,100}$/, 'a tag has no blanks and no commas'))
        .max(50)
        .default([])
        .describe('tags of the snapshot'),
      limit_upload: z.int().min(1).exactOptional().describe('KiB per second; default: no limit'),
    })
    .describe('restic backup'),
  forget: z
    .strictObject({
      repository: repositoryName,
      keep_last: z.int().min(1).exactOptional().describe('keep the newest so many snapshots'),
      keep_within: keepWithin.exactOptional(),
      keep_within_daily: keepWithin.exactOptional(),
      keep_within_weekly: keepWithin.exactOptional(),
      keep_within_monthly: keepWithin.exactOptional(),
      keep_within_yearly: keepWithin.exactOptional(),
      prune: z.boolean().default(false).describe('also remove the data that no snapshot needs any more'),
    })
    .describe('restic forget; keeps what at least one rule keeps'),
  check: z
    .strictObject({
      repository: repositoryName,
      read_data_subset: subset
        .exactOptional()
        .describe('how much data to read back: rotate/N (another N-th each time), k/N, P% or a size'),
    })
    .describe('restic check'),
});

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
  lasts: duration(1_000, 86_400_000).describe('the absolute end, counted from opening'),
  grace: duration(0, 600_000)
    .default(30_000)
    .describe('restic is asked to stop (SIGINT) this long before the end of the window'),
  prepare: z
    .array(
      z.strictObject({
        command: z.array(z.string().max(4_096)).min(1).max(100).describe('program and arguments; no shell'),
        timeout: duration(1_000, 86_400_000).default(600_000).describe('killed and failed after this'),
      }),
    )
    .max(50)
    .default([])
    .describe('run in order while still isolated; a failure cancels the window'),
  reach: z
    .strictObject({
      tcp: remoteAddress.describe('host:port of the vault that must answer before restic starts'),
      timeout: duration(100, 600_000).default(30_000).describe('how long to try'),
    })
    .exactOptional()
    .describe('proof that the vault answers, after the link has settled'),
  steps: z.array(step).min(1).max(50).describe('the restic work, in order'),
});
