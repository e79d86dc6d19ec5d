/** The one definition of the configuration file. Keys keep their snake_case names once parsed; durations are ms. */
import { z } from 'zod';
import { absolutePath, duration, hostName, name, named } from './schema/fields.ts';
import { deadMan } from './schema/dead-man.ts';
import { bus, contact, witness } from './schema/hardware.ts';
import { lamps } from './schema/lamps.ts';
import { listening } from './schema/listener.ts';
import { notify } from './schema/notify.ts';
import { source } from './schema/sources.ts';
import { approver, button } from './schema/people.ts';
import { repository } from './schema/repositories.ts';
import { window } from './schema/windows.ts';

const permissive = z.strictObject({
  heartbeat: name.describe('name of a source with `heartbeat: true`'),
  max_age: duration(5_000, 86_400_000).describe('how long ago it may have been heard at most'),
  latch: z
    .boolean()
    .default(false)
    .describe('true: losing it while connected trips the link, until somebody resets it'),
});

const link = z.strictObject({
  contacts: z.array(contact).max(16).describe('the contacts in series; any one of them isolates'),
  witnesses: z.array(witness).max(16).default([]).describe('independent evidence of where the link stands'),
  accept_holding: z
    .string()
    .max(200)
    .exactOptional()
    .describe('the sentence that takes a link without a fail-safe contact; `check` says which'),
  connect_timeout: duration(100, 120_000).default(10_000).describe('until connecting must be proven'),
  isolate_timeout: duration(100, 60_000)
    .default(2_000)
    .describe('until isolation must be proven, else the link is stuck'),
  settle: duration(0, 120_000)
    .default(3_000)
    .describe('wait between proven connection and the first use of the vault'),
  lease_timeout: duration(1_000, 30_000)
    .default(3_000)
    .describe('how long a lease outlives the last sign of life of its holder'),
  evidence_max_age: duration(500, 30_000)
    .default(3_000)
    .describe('evidence older than this counts as unknown'),
  exposure_budget: duration(60_000, 86_400_000)
    .default(14_400_000)
    .describe('how long the link may be connected in any 24 hours'),
  attended: z
    .strictObject({
      longest: duration(0, 86_400_000)
        .default(3_600_000)
        .describe('how long a session may last; 0 takes none'),
    })
    .prefault({})
    .describe('sessions for restores, outside of windows: by somebody at the box, or by two approvers'),
  permissives: z
    .array(permissive)
    .max(16)
    .default([])
    .describe('what must hold before and while it is connected, besides what always must'),
  proof_test_max_age: duration(3_600_000, 31_536_000_000)
    .default(3_456_000_000)
    .describe('a contact that was last seen to isolate the link alone longer ago than this refuses leases'),
});

/** The whole file. */
export const configSchema = z
  .strictObject({
    state_directory: absolutePath
      .default('/var/lib/portcullis')
      .describe('directory of latch, journal and exposure record'),
    runtime_directory: absolutePath.default('/run/portcullis').describe('directory of the sockets'),
    interlock: z
      .strictObject({
        ...listening(8470, 'trip webhooks'),
        page: z
          .enum(['loopback', 'everybody', 'nobody'])
          .default('loopback')
          .describe(
            'who may read the page that shows how every link stands: whoever asks from this box, everybody who can reach `listen`, or nobody; its form cuts in any case',
          ),
      })
      .prefault({})
      .describe('the process that owns the contacts'),
    controller: z
      .strictObject({
        ...listening(8480, 'health, metrics and dashboard'),
        names: z
          .array(hostName)
          .max(32)
          .default([])
          .describe(
            'names under which browsers reach the dashboard, besides addresses, `localhost` and the name of this machine',
          ),
        state_directory: absolutePath
          .exactOptional()
          .describe("the controller's own state; default: `controller` in `state_directory`"),
        reports_kept: z
          .int()
          .min(10)
          .max(10_000)
          .default(1_000)
          .describe('reports of windows that are kept, all windows together; see [storage](storage.md)'),
      })
      .prefault({})
      .describe('the process that runs restic'),
    clock: z
      .strictObject({
        trust: z
          .enum(['kernel', 'timesyncd', 'always'])
          .default('kernel')
          .describe(
            'who says that the clock is right: the kernel (adjtimex), systemd-timesyncd, or nobody (`always`: assumed)',
          ),
      })
      .prefault({})
      .describe('a clock that is not synchronised opens no window'),
    restic: absolutePath.exactOptional().describe('the restic program; default: the one in PATH'),
    buses: named(bus).prefault({}).describe('wires to boards'),
    links: named(link).prefault({}).describe('paths to vaults'),
    sources: named(source).prefault({}).describe('who may pull the kill switch'),
    button: button.exactOptional().describe('the button on the box'),
    lamps: lamps
      .exactOptional()
      .describe('the lamps of the box; see [button and lamps](button-and-lamps.md)'),
    dead_man: deadMan
      .exactOptional()
      .describe('edges for a dead-man circuit; see [hardware](../hardware/dead-man.md)'),
    approvers: named(approver)
      .prefault({})
      .describe('two of them together may reset, run a window or begin an attended session from afar'),
    repositories: named(repository).prefault({}).describe('restic repositories'),
    windows: named(window).prefault({}).describe('when a link may be connected, and the work done then'),
    notify: notify.default([]).describe('who is told what happened; see [notifications](notifications.md)'),
  })
  .transform((file) => ({
    ...file,
    controller: {
      ...file.controller,
      state_directory:
        file.controller.state_directory ?? `${file.state_directory.replace(/\/+$/, '')}/controller`,
    },
  }));

/** A parsed configuration. Durations are ms; every default is filled in. */
export type Config = z.output<typeof configSchema>;
export type BusConfig = Config['buses'][string];
export type LinkConfig = Config['links'][string];
export type ContactConfig = LinkConfig['contacts'][number];
export type WitnessConfig = LinkConfig['witnesses'][number];
export type SourceConfig = Config['sources'][string];
export type VerificationConfig = SourceConfig['verify'];
export type RepositoryConfig = Config['repositories'][string];
export type WindowConfig = Config['windows'][string];
export type StepConfig = WindowConfig['steps'][number];
