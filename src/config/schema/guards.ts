/** What is looked at before a window connects, and what counts as unusual in its backups. */
import { z } from 'zod';
import { POINTER } from '../../sources/formats/map.ts';
import { absolutePath, duration, oneKeyOf } from './fields.ts';

const guardAction = (usual: 'skip' | 'trip' | 'warn') =>
  z
    .enum(['skip', 'trip', 'warn'])
    .default(usual)
    .describe('skip: the window connects nothing; trip: skip and latch the link; warn: only say it');

const share = (usual: number) => z.number().min(0).max(100).default(usual);
const guardedPaths = z
  .array(absolutePath)
  .max(200)
  .exactOptional()
  .describe('default: the paths of the backups of this window that are read on this machine');
const lookTimeout = duration(1_000, 7_200_000)
  .default(900_000)
  .describe('what was not looked at by then counts as not in order');

const canary = z
  .strictObject({ action: guardAction('trip') })
  .describe('the files that `portcullis canary plant` left are there and unchanged');

const sourcePresent = z
  .strictObject({
    paths: guardedPaths,
    minimum_files: z.int().min(0).max(1_000_000_000).default(1).describe('in all paths together'),
    minimum_bytes: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(0).describe('in all paths together'),
    least_share: share(50).describe('per cent of the files and of the bytes of the last good backup'),
    mount_points: z
      .array(absolutePath)
      .max(50)
      .default([])
      .describe('directories on which something must be mounted'),
    timeout: lookTimeout,
    action: guardAction('skip'),
  })
  .describe('the sources are there and not emptied');

const changeSurvey = z
  .strictObject({
    paths: guardedPaths,
    exclude: z
      .array(z.string().min(1).max(1_000))
      .max(200)
      .default([])
      .describe('not looked at: absolute paths, and names of files and directories'),
    removed: share(20).describe('per cent of the files of the last good window that may be gone'),
    changed: share(50).describe('per cent of them whose size or time may be another'),
    added: z
      .number()
      .min(0)
      .max(100_000)
      .default(200)
      .describe('new files, in per cent of those of the last good window'),
    random: share(30).describe(
      'per cent of a sample of changed and new files that may look like random data without being of a compressed type',
    ),
    sample: z.int().min(20).max(10_000).default(200).describe('files of which 8 KiB are read'),
    most_files: z
      .int()
      .min(1_000)
      .max(20_000_000)
      .default(2_000_000)
      .describe('files that are remembered: 24 bytes of disk and 32 of memory each'),
    timeout: lookTimeout,
    action: guardAction('skip'),
  })
  .describe('what changed in the sources since the last good window');

const allClear = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .max(1_000)
      .exactOptional()
      .describe('must answer 200'),
    pointer: z
      .string()
      .max(500)
      .regex(POINTER, 'write a JSON pointer, as in /status')
      .exactOptional()
      .describe('JSON pointer (RFC 6901) into the answer'),
    equals: z
      .union([z.string().max(200), z.number(), z.boolean()])
      .exactOptional()
      .describe('what must stand at `pointer`'),
    alertmanager: z
      .url({ protocol: /^https?$/ })
      .max(1_000)
      .exactOptional()
      .describe('address of an Alertmanager, instead of `url`: nothing may fire there'),
    severity: z
      .string()
      .regex(/^[\w-]{1,100}$/)
      .default('critical')
      .describe('label `severity` of the alerts that count'),
    token_file: absolutePath.exactOptional().describe('file with a bearer token'),
    ca_file: absolutePath
      .exactOptional()
      .describe('PEM file with the certificate authority to trust instead of those of the system'),
    timeout: duration(100, 60_000).default(10_000).describe('no answer by then is no all-clear'),
    action: guardAction('skip'),
  })
  .describe('somebody else says that all is well');

/** One entry of `guards`: a one-key object whose key is its kind. */
export const guard = oneKeyOf({
  canary,
  source_present: sourcePresent,
  change_survey: changeSurvey,
  all_clear: allClear,
});

/** Rules over the backups of a window. */
export const anomalies = z.strictObject({
  while_running: z
    .enum(['isolate', 'trip', 'hold', 'warn', 'ignore'])
    .default('isolate')
    .describe(
      'when a backup is clearly wrong. isolate: kill restic and cut; trip: that, and latch; hold: let it end and freeze `forget`; warn: only say it; ignore: do not look',
    ),
  afterwards: z
    .enum(['trip', 'hold', 'warn', 'ignore'])
    .default('hold')
    .describe(
      'what a finished backup that is unusual leads to. hold: its snapshot is tagged `suspect`, and nothing is forgotten until a person releases it; trip: that, and latch the link',
    ),
  foreign_snapshots: z
    .enum(['trip', 'hold', 'warn', 'ignore'])
    .default('hold')
    .describe('the same for snapshots that nobody here made, and for ours that are gone'),
  learn_from: z
    .int()
    .min(3)
    .max(60)
    .default(7)
    .describe('good backups that must be known before anything is compared with their median'),
  removed: share(5).describe('per cent of the files that may be gone since the last good backup'),
  changed: share(30).describe('per cent of the files whose content may be another'),
  growth: z.number().min(1).max(10_000).default(20).describe('new data, as a multiple of the median'),
});

export type GuardSettings = z.output<typeof guard>;
export type CanarySettings = z.output<typeof canary>;
export type SourcePresentSettings = z.output<typeof sourcePresent>;
export type ChangeSurveySettings = z.output<typeof changeSurvey>;
export type AllClearSettings = z.output<typeof allClear>;
export type AnomalySettings = z.output<typeof anomalies>;
