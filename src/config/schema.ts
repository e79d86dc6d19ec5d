/** The one definition of the configuration file. Keys keep their snake_case names once parsed; durations are ms. */
import { z } from 'zod';
import { absolutePath, duration, interfaceName, listenAddress, name, named, port } from './fields.ts';
import { source } from './schema-sources.ts';
import { repository, window } from './schema-windows.ts';

const bus = z.discriminatedUnion('transport', [
  z.strictObject({
    transport: z.literal('modbus-tcp').describe('Modbus TCP: one connection to the board or its gateway'),
    host: z.string().min(1).max(253).describe('address or host name of the board'),
    port: port.default(502).describe('TCP port of the board'),
    ...busCommon(),
  }),
  z.strictObject({
    transport: z.literal('rtu-over-tcp').describe('RTU frames in a TCP stream (a transparent serial server)'),
    host: z.string().min(1).max(253).describe('address or host name of the serial server'),
    port: port.describe('TCP port of the serial server'),
    ...busCommon(),
  }),
  z.strictObject({
    transport: z.literal('modbus-rtu').describe('Modbus RTU on a serial device'),
    device: absolutePath.describe('serial device, best by its stable name under /dev/serial/by-id'),
    baud: z
      .int()
      .min(1_200)
      .max(1_000_000)
      .exactOptional()
      .describe("bits per second; default: the profile's"),
    parity: z.enum(['none', 'even', 'odd']).exactOptional().describe("default: the profile's"),
    stop_bits: z.literal([1, 2]).exactOptional().describe("1 or 2; default: the profile's"),
    ...busCommon(),
  }),
]);

function busCommon() {
  return {
    reply_timeout: duration(20, 10_000)
      .exactOptional()
      .describe("how long a board may take to answer; default: the profile's"),
    simulated: z
      .boolean()
      .default(false)
      .describe(
        'true when the boards on this bus are played by `portcullis emulate`: nothing on it counts as proven',
      ),
  };
}

const unit = z.int().min(1).max(255).describe('Modbus unit (station) address');

const contact = z.strictObject({
  name: name.describe('name of this contact, unique within the link'),
  profile: z.string().min(1).max(100).describe('firmware profile, as `portcullis profile list` prints it'),
  bus: name.describe('name of the bus under `buses`'),
  unit,
  channel: z.int().min(1).max(256).describe('relay channel, from 1'),
  hardware_lease: z
    .union([z.literal('none'), duration(100)], 'write a duration such as 10s, or none')
    .exactOptional()
    .describe("how long the board itself stays connected without renewal, or `none`; default: the profile's"),
});

const witness = z.discriminatedUnion('type', [
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('carrier').describe('carrier of a network interface'),
    interface: interfaceName.describe('network interface towards the vault'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('path').describe('a path that exists only while connected'),
    path: absolutePath.describe('the path to look for'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('block-device').describe('a block device that exists only while connected'),
    device: absolutePath.describe('block device, best by its stable name under /dev/disk/by-id'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('tcp').describe('a TCP port of the vault that answers only while connected'),
    host: z.string().min(1).max(253).describe('address or host name of the vault'),
    port: port.describe('TCP port of the vault'),
    timeout: duration(50, 10_000).default(1_000).describe('how long a connection attempt may take'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('modbus-discrete-input').describe('a mirror contact wired to an input of a Modbus board'),
    bus: name.describe('name of the bus under `buses`'),
    unit,
    input: z.int().min(0).max(65_535).describe('address of the discrete input, as on the wire'),
    isolated_when: z.literal([0, 1]).describe('what the input reads while the link is isolated'),
  }),
]);

const link = z.strictObject({
  contacts: z.array(contact).max(16).describe('the contacts in series; any one of them isolates'),
  witnesses: z.array(witness).max(16).default([]).describe('independent evidence of where the link stands'),
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
        listen: listenAddress
          .default({ host: '127.0.0.1', port: 8470 })
          .describe('host:port of the trip webhooks'),
      })
      .prefault({})
      .describe('the process that owns the contacts'),
    controller: z
      .strictObject({
        listen: listenAddress
          .default({ host: '127.0.0.1', port: 8480 })
          .describe('host:port of health, metrics and dashboard'),
        state_directory: absolutePath
          .exactOptional()
          .describe("the controller's own state; default: `controller` in `state_directory`"),
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
    repositories: named(repository).prefault({}).describe('restic repositories'),
    windows: named(window).prefault({}).describe('when a link may be connected, and the work done then'),
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
