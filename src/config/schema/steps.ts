/** The work of a window: one schema per kind of step. Names are restic's own where restic has one. */
import { z } from 'zod';
import { absolutePath, duration, name, oneKeyOf, port } from './fields.ts';
import { sshPath } from './repositories.ts';

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

/** A size as restic takes it, in bytes once parsed. */
const SIZE = /^([1-9]\d{0,11})([kKmMgGtT])?$/;
const SIZE_UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const sizeText = z
  .string()
  .regex(SIZE, 'write a size such as 500M or 2G')
  .meta({ value: 'size, as in `500M`' });
const bytes = sizeText.transform((text) => {
  const [, count, unit = ''] = SIZE.exec(text) ?? [];
  return Number(count) * (SIZE_UNITS[unit.toUpperCase()] ?? 1);
});

/** A program of the user's, never through a shell. */
export const commandLine = z
  .array(
    z
      .string()
      .max(4_096)
      .regex(/^[^\0]*$/, 'a program takes no zero bytes'),
  )
  .min(1)
  .max(100)
  .describe('program and arguments; no shell');

/** A program that is run while the vault is isolated, or between other steps. */
export const command = z.strictObject({
  command: commandLine,
  timeout: duration(1_000, 86_400_000).default(600_000).describe('killed and failed after this'),
});

const repositoryName = name.describe('name of the repository under `repositories`');
const patterns = z.array(z.string().min(1).max(1_000)).max(500).default([]);
const tags = z
  .array(z.string().regex(/^[^\s,]{1,100}$/, 'a tag has no blanks and no commas'))
  .max(50)
  .default([]);
const limit = z
  .int()
  .min(1)
  .max(2 ** 31 - 1)
  .exactOptional()
  .describe('KiB per second; default: no limit');
const hostName = z.string().regex(/^[^\s/]{1,253}$/, 'not the name of a host');
const extraArguments = z
  .array(z.string().min(1).max(1_000))
  .max(50)
  .default([])
  .describe(
    'more arguments for restic, each as --name or --name=value; some are refused, see [backup](windows.md#backup)',
  );

const runOn = z.strictObject({
  ssh: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/, 'write user@host')
    .describe('user@host'),
  port: port.default(22).describe('port of its SSH server'),
  key_file: sshPath.describe('private key, without passphrase'),
  known_hosts_file: sshPath.describe('the key that the host must show; no other is accepted'),
  restic: absolutePath.default('/usr/bin/restic').describe('the restic program there'),
});
export type RunOnSettings = z.output<typeof runOn>;

const backup = z
  .strictObject({
    repository: repositoryName,
    paths: z.array(absolutePath).max(200).default([]).describe('what to back up'),
    stdin: z
      .strictObject({
        command: commandLine,
        filename: absolutePath.describe('the path that the output has in the snapshot'),
      })
      .exactOptional()
      .describe('backs up what a program prints, instead of paths; needs restic 0.17'),
    run_on: runOn
      .exactOptional()
      .describe(
        'the machine that has the sources; default: this one; see [what it costs](windows.md#sources-on-another-machine)',
      ),
    exclude: patterns.describe('patterns, as restic --exclude'),
    exclude_file: z.array(absolutePath).max(50).default([]).describe('files with patterns'),
    exclude_caches: z.boolean().default(false).describe('leave directories with a CACHEDIR.TAG out'),
    exclude_if_present: z
      .array(z.string().min(1).max(255))
      .max(50)
      .default([])
      .describe('leave directories out that hold such a file'),
    exclude_larger_than: sizeText.exactOptional().describe('leave larger files out'),
    one_file_system: z.boolean().default(false).describe('do not cross into other file systems'),
    tags: tags.describe('tags of the snapshot'),
    host: hostName.exactOptional().describe('name of the host in the snapshot; default: of this machine'),
    limit_upload: limit,
    limit_download: limit,
    compression: z.enum(['auto', 'off', 'max']).exactOptional().describe('default: auto'),
    pack_size: z.int().min(4).max(128).exactOptional().describe('MiB of a pack; default: 16'),
    read_concurrency: z
      .int()
      .min(1)
      .max(64)
      .exactOptional()
      .describe('files read at once; default: 2; needs restic 0.15'),
    skip_if_unchanged: z
      .boolean()
      .default(false)
      .describe('make no snapshot when nothing changed; needs restic 0.17'),
    extra_arguments: extraArguments,
  })
  .describe('restic backup');

const copy = z
  .strictObject({
    repository: repositoryName,
    from_repository: name.describe('the repository that is read, one that needs no link'),
    hosts: z.array(hostName).max(50).default([]).describe('only snapshots of these hosts'),
    tags: tags.describe('only snapshots with one of these tags'),
    paths: z.array(absolutePath).max(200).default([]).describe('only snapshots of exactly these paths'),
    limit_upload: limit,
    limit_download: limit,
    extra_arguments: extraArguments,
  })
  .describe('restic copy: snapshots of another repository that are not here yet');

const pruneLimits = {
  max_unused: z
    .string()
    .regex(/^(?:\d{1,3}(?:\.\d{1,4})?%|[1-9]\d{0,8}[KMGT]?|0|unlimited)$/, 'write 5%, 2G or unlimited')
    .exactOptional()
    .describe('unused data that may stay; more saves time, less saves room; default: 5%'),
  max_repack_size: sizeText.exactOptional().describe('most data that is written anew in one go'),
};

const forget = z
  .strictObject({
    repository: repositoryName,
    keep_last: z.int().min(1).exactOptional().describe('keep the newest so many snapshots'),
    keep_within: keepWithin.exactOptional(),
    keep_within_hourly: keepWithin.exactOptional(),
    keep_within_daily: keepWithin.exactOptional(),
    keep_within_weekly: keepWithin.exactOptional(),
    keep_within_monthly: keepWithin.exactOptional(),
    keep_within_yearly: keepWithin.exactOptional(),
    keep_tags: tags.describe('keep every snapshot with one of these tags'),
    minimum_snapshots: z
      .int()
      .min(1)
      .max(10_000)
      .default(3)
      .describe('nothing is forgotten when fewer would stay in any group of host and paths'),
    prune: z.boolean().default(false).describe('also remove the data that no snapshot needs any more'),
  })
  .describe('restic forget; keeps what at least one rule keeps');

const prune = z
  .strictObject({ repository: repositoryName, ...pruneLimits })
  .describe('restic prune: removes the data that no snapshot needs any more');

const check = z
  .strictObject({
    repository: repositoryName,
    read_data_subset: subset
      .exactOptional()
      .describe('how much data to read back: rotate/N (another N-th each time), k/N, P% or a size'),
  })
  .describe('restic check');

const restoreDrill = z
  .strictObject({
    repository: repositoryName,
    files: z
      .int()
      .min(1)
      .max(1_000)
      .default(20)
      .describe('how many files of the newest snapshot are restored'),
    path: absolutePath.exactOptional().describe('restore all of this instead of a sample'),
    verify: z
      .strictObject({
        command: commandLine,
        timeout: duration(1_000, 86_400_000).default(600_000).describe('killed and failed after this'),
      })
      .exactOptional()
      .describe('is run on what was restored, isolated again; its exit code 0 says that it is good'),
    max_size: bytes.prefault('256M').describe('most that is restored'),
    timeout: duration(1_000, 86_400_000)
      .default(3_600_000)
      .describe('the restore is killed and failed after this'),
    scratch_directory: absolutePath
      .exactOptional()
      .describe("where to; default: in the controller's state directory; a tmpfs spares the SD card"),
  })
  .describe('restores a sample and compares it with its source');

/** One entry of `steps`. */
export const step = oneKeyOf({
  backup,
  copy,
  forget,
  prune,
  check,
  restore_drill: restoreDrill,
  command: command.describe('a program that is run while connected'),
});

export type BackupSettings = z.output<typeof backup>;
export type CopySettings = z.output<typeof copy>;
export type ForgetSettings = z.output<typeof forget>;
export type PruneSettings = z.output<typeof prune>;
export type CheckSettings = z.output<typeof check>;
export type RestoreDrillSettings = z.output<typeof restoreDrill>;
export type CommandSettings = z.output<typeof command>;
