/** The one definition of the configuration file. Keys keep their snake_case names once parsed; durations are ms. */
import { z } from "zod";
import {
  absolutePath,
  duration,
  headerName,
  interfaceName,
  listenAddress,
  name,
  named,
  oneKeyOf,
  port,
  remoteAddress,
} from "./fields.ts";

const bus = z.discriminatedUnion("transport", [
  z.strictObject({
    transport: z
      .literal("modbus-tcp")
      .describe("Modbus TCP: one connection to the board or its gateway"),
    host: z.string().min(1).max(253).describe("address or host name of the board"),
    port: port.default(502).describe("TCP port of the board"),
    ...busCommon(),
  }),
  z.strictObject({
    transport: z
      .literal("rtu-over-tcp")
      .describe("RTU frames in a TCP stream (a transparent serial server)"),
    host: z.string().min(1).max(253).describe("address or host name of the serial server"),
    port: port.describe("TCP port of the serial server"),
    ...busCommon(),
  }),
  z.strictObject({
    transport: z.literal("modbus-rtu").describe("Modbus RTU on a serial device"),
    device: absolutePath.describe("serial device, best by its stable name under /dev/serial/by-id"),
    baud: z
      .int()
      .min(1_200)
      .max(1_000_000)
      .exactOptional()
      .describe("bits per second; default: the profile's"),
    parity: z.enum(["none", "even", "odd"]).exactOptional().describe("default: the profile's"),
    stop_bits: z
      .union([z.literal(1), z.literal(2)])
      .exactOptional()
      .describe("1 or 2; default: the profile's"),
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
        "true when the boards on this bus are played by `portcullis emulate`: nothing on it counts as proven",
      ),
  };
}

const unit = z.int().min(1).max(255).describe("Modbus unit (station) address");

const contact = z.strictObject({
  name: name.describe("name of this contact, unique within the link"),
  profile: z
    .string()
    .min(1)
    .max(100)
    .describe("firmware profile, as `portcullis profile list` prints it"),
  bus: name.describe("name of the bus under `buses`"),
  unit,
  channel: z.int().min(0).max(255).describe("relay channel, numbered as in the profile's board"),
  hardware_lease: z
    .union([z.literal("none"), duration(100)], "write a duration such as 10s, or none")
    .exactOptional()
    .describe(
      "how long the board itself stays connected without renewal, or `none`; default: the profile's",
    ),
});

const witness = z.discriminatedUnion("type", [
  z.strictObject({
    name: name.describe("name of this witness, unique within the link"),
    type: z.literal("carrier").describe("carrier of a network interface"),
    interface: interfaceName.describe("network interface towards the vault"),
  }),
  z.strictObject({
    name: name.describe("name of this witness, unique within the link"),
    type: z.literal("path").describe("a path that exists only while connected"),
    path: absolutePath.describe("the path to look for"),
  }),
  z.strictObject({
    name: name.describe("name of this witness, unique within the link"),
    type: z.literal("block-device").describe("a block device that exists only while connected"),
    device: absolutePath.describe("block device, best by its stable name under /dev/disk/by-id"),
  }),
  z.strictObject({
    name: name.describe("name of this witness, unique within the link"),
    type: z.literal("tcp").describe("a TCP port of the vault that answers only while connected"),
    host: z.string().min(1).max(253).describe("address or host name of the vault"),
    port: port.describe("TCP port of the vault"),
    timeout: duration(50, 10_000).default(1_000).describe("how long a connection attempt may take"),
  }),
  z.strictObject({
    name: name.describe("name of this witness, unique within the link"),
    type: z
      .literal("modbus-discrete-input")
      .describe("a mirror contact wired to an input of a Modbus board"),
    bus: name.describe("name of the bus under `buses`"),
    unit,
    input: z.int().min(0).max(65_535).describe("address of the discrete input, as on the wire"),
    isolated_when: z
      .union([z.literal(0), z.literal(1)])
      .describe("what the input reads while the link is isolated"),
  }),
]);

const link = z.strictObject({
  contacts: z.array(contact).max(16).describe("the contacts in series; any one of them isolates"),
  witnesses: z
    .array(witness)
    .max(16)
    .default([])
    .describe("independent evidence of where the link stands"),
  connect_timeout: duration(100, 120_000)
    .default(10_000)
    .describe("until connecting must be proven"),
  isolate_timeout: duration(100, 60_000)
    .default(2_000)
    .describe("until isolation must be proven, else the link is stuck"),
  settle: duration(0, 120_000)
    .default(3_000)
    .describe("wait between proven connection and the first use of the vault"),
  lease_timeout: duration(1_000, 30_000)
    .default(3_000)
    .describe("how long a lease outlives the last sign of life of its holder"),
  evidence_max_age: duration(500, 30_000)
    .default(3_000)
    .describe("evidence older than this counts as unknown"),
  exposure_budget: duration(60_000, 86_400_000)
    .default(14_400_000)
    .describe("how long the link may be connected in any 24 hours"),
});

const SIGNED_PARTS = /\{([^{}]*)\}/g;
const signedTemplate = z
  .string()
  .max(200)
  .refine((text) => {
    const parts = [...text.matchAll(SIGNED_PARTS)].map((match) => match[1]).toSorted();
    const rest = text.replaceAll(SIGNED_PARTS, "");
    return parts.join(" ") === "body timestamp" && !/[{}]/.test(rest);
  }, 'must contain {timestamp} once and {body} once, as in "{timestamp}.{body}"');

const secretFile = absolutePath.describe(
  "file with the secret on its first line; a second line is the previous secret",
);

const verification = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("bearer").describe("`Authorization: Bearer TOKEN`"),
    token_file: secretFile,
  }),
  z.strictObject({
    type: z.literal("hmac-sha256").describe("HMAC-SHA256 of the raw body in a header"),
    secret_file: secretFile,
    header: headerName.describe("header that carries the signature"),
    prefix: z
      .string()
      .max(40)
      .default("")
      .describe("what stands before the signature in the header, as in `sha256=`"),
    encoding: z.enum(["hex", "base64"]).describe("how the signature is written"),
    timestamp: z
      .strictObject({
        header: headerName.describe("header that carries the time, in seconds since 1970"),
        tolerance: duration(1_000, 86_400_000)
          .default(300_000)
          .describe(
            "a signed time further off than this still trips, and is reported as skew or replay",
          ),
        signed: signedTemplate.describe("what is signed: text with {timestamp} and {body}"),
      })
      .exactOptional()
      .describe("set when the sender signs a time together with the body"),
  }),
  z.strictObject({
    type: z
      .literal("standard-webhooks")
      .describe("Standard Webhooks 1.0.0 (v1 and v1a signatures)"),
    secret_file: absolutePath.describe(
      "file with the `whsec_…` secret or `whpk_…` key; a second line is the previous one",
    ),
    tolerance: duration(1_000, 86_400_000)
      .default(300_000)
      .describe(
        "a signed time further off than this still trips, and is reported as skew or replay",
      ),
  }),
  z.strictObject({
    type: z
      .literal("path-secret")
      .describe("POST /trip/SOURCE/SECRET: the weakest, for senders that can do nothing else"),
    secret_file: secretFile,
  }),
]);

const source = z.strictObject({
  verify: verification.describe("how a request proves that it comes from this source"),
  format: z.enum(["generic"]).describe("what the body looks like"),
  trips: z
    .union([z.literal("all"), z.array(name).min(1).max(64)], "write all, or a list of link names")
    .describe("the links that this source isolates: `all` or a list"),
  on_unrecognised: z
    .enum(["trip", "refuse"])
    .default("trip")
    .describe("what a verified body does that nobody understands"),
});

const repository = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(1_000)
    .describe("restic repository, as restic -r takes it; without a password in it"),
  password_file: absolutePath.describe("file with the repository's password"),
  environment_file: absolutePath
    .exactOptional()
    .describe("file with NAME=VALUE lines for restic (credentials of the storage)"),
  options: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9.-]{0,99}$/, "not a restic option name"),
      z.string().max(1_000),
    )
    .default({})
    .describe("extended options, as restic -o NAME=VALUE takes them"),
});

/** restic writes durations as 1y5m7d2h, where m is months. */
const keepWithin = z
  .string()
  .regex(
    /^(?=.)(\d{1,4}y)?(\d{1,4}m)?(\d{1,5}d)?(\d{1,5}h)?$/,
    "write a restic duration such as 14d, 6m (months), 1y",
  )
  .describe("how far back, as restic writes it: 14d, 6m (months), 1y6m");

const SUBSET = /^(?:(rotate|\d{1,3})\/(\d{1,3})|(\d{1,3}(?:\.\d{1,4})?)%|[1-9]\d{0,8}[KMGT])$/;
/** restic refuses more parts than this. */
const MOST_SUBSET_PARTS = 256;
const subset = z
  .string()
  .regex(SUBSET, "write rotate/30, 3/30, 2.5% or 500M")
  .refine((text) => {
    const [, part, parts, percent] = SUBSET.exec(text) ?? [];
    if (percent !== undefined) return Number(percent) > 0 && Number(percent) <= 100;
    if (parts === undefined) return true;
    const total = Number(parts);
    return (
      total >= 1 &&
      total <= MOST_SUBSET_PARTS &&
      (part === "rotate" || (Number(part) >= 1 && Number(part) <= total))
    );
  }, `out of range: parts 1 to ${MOST_SUBSET_PARTS}, per cent above 0 and up to 100`);

const repositoryName = name.describe("name of the repository under `repositories`");
const step = oneKeyOf({
  backup: z
    .strictObject({
      repository: repositoryName,
      paths: z.array(absolutePath).min(1).max(200).describe("what to back up"),
      exclude: z
        .array(z.string().min(1).max(1_000))
        .max(500)
        .default([])
        .describe("patterns, as restic --exclude"),
      tags: z
        .array(z.string().regex(/^[^\s,]{1,100}$/, "a tag has no blanks and no commas"))
        .max(50)
        .default([])
        .describe("tags of the snapshot"),
      limit_upload: z.int().min(1).exactOptional().describe("KiB per second; default: no limit"),
    })
    .describe("restic backup"),
  forget: z
    .strictObject({
      repository: repositoryName,
      keep_last: z.int().min(1).exactOptional().describe("keep the newest so many snapshots"),
      keep_within: keepWithin.exactOptional(),
      keep_within_daily: keepWithin.exactOptional(),
      keep_within_weekly: keepWithin.exactOptional(),
      keep_within_monthly: keepWithin.exactOptional(),
      keep_within_yearly: keepWithin.exactOptional(),
      prune: z
        .boolean()
        .default(false)
        .describe("also remove the data that no snapshot needs any more"),
    })
    .describe("restic forget; keeps what at least one rule keeps"),
  check: z
    .strictObject({
      repository: repositoryName,
      read_data_subset: subset
        .exactOptional()
        .describe(
          "how much data to read back: rotate/N (another N-th each time), k/N, P% or a size",
        ),
    })
    .describe("restic check"),
});

const window = z.strictObject({
  link: name.describe("the link that is connected"),
  opens: z
    .string()
    .max(200)
    .describe("cron expression with five fields: minute hour day month weekday"),
  timezone: z.string().max(100).describe("IANA time zone of `opens`, as in Europe/Berlin or UTC"),
  jitter: duration(0, 86_400_000).default(0).describe("opens later by a random time up to this"),
  lasts: duration(1_000, 86_400_000).describe("the absolute end, counted from opening"),
  grace: duration(0, 600_000)
    .default(30_000)
    .describe("restic is asked to stop (SIGINT) this long before the end of the window"),
  prepare: z
    .array(
      z.strictObject({
        command: z
          .array(z.string().max(4_096))
          .min(1)
          .max(100)
          .describe("program and arguments; no shell"),
        timeout: duration(1_000, 86_400_000)
          .default(600_000)
          .describe("killed and failed after this"),
      }),
    )
    .max(50)
    .default([])
    .describe("run in order while still isolated; a failure cancels the window"),
  reach: z
    .strictObject({
      tcp: remoteAddress.describe("host:port of the vault that must answer before restic starts"),
      timeout: duration(100, 600_000).default(30_000).describe("how long to try"),
    })
    .exactOptional()
    .describe("proof that the vault answers, after the link has settled"),
  steps: z.array(step).min(1).max(50).describe("the restic work, in order"),
});

/** The whole file. */
export const configSchema = z
  .strictObject({
    state_directory: absolutePath
      .default("/var/lib/portcullis")
      .describe("latch, journal and exposure record of the interlock"),
    runtime_directory: absolutePath.default("/run/portcullis").describe("sockets"),
    interlock: z
      .strictObject({
        listen: listenAddress
          .default({ host: "127.0.0.1", port: 8470 })
          .describe("host:port of the trip webhooks"),
      })
      .prefault({})
      .describe("the process that owns the contacts"),
    controller: z
      .strictObject({
        listen: listenAddress
          .default({ host: "127.0.0.1", port: 8480 })
          .describe("host:port of health, metrics and dashboard"),
        state_directory: absolutePath
          .exactOptional()
          .describe("the controller's own state; default: `controller` in `state_directory`"),
      })
      .prefault({})
      .describe("the process that runs restic"),
    clock: z
      .strictObject({
        trust: z
          .enum(["kernel", "timesyncd", "always"])
          .default("kernel")
          .describe(
            "who says that the clock is right: the kernel (adjtimex), systemd-timesyncd, or nobody (`always`: assumed)",
          ),
      })
      .prefault({})
      .describe("a clock that is not synchronised opens no window"),
    restic: absolutePath.exactOptional().describe("the restic program; default: the one in PATH"),
    buses: named(bus).prefault({}).describe("wires to boards"),
    links: named(link).prefault({}).describe("paths to vaults"),
    sources: named(source).prefault({}).describe("who may pull the kill switch"),
    repositories: named(repository).prefault({}).describe("restic repositories"),
    windows: named(window)
      .prefault({})
      .describe("when a link may be connected, and the work done then"),
  })
  .transform((file) => ({
    ...file,
    controller: {
      ...file.controller,
      state_directory:
        file.controller.state_directory ?? `${file.state_directory.replace(/\/+$/, "")}/controller`,
    },
  }));

/** A parsed configuration. Durations are ms; every default is filled in. */
export type Config = z.output<typeof configSchema>;
export type BusConfig = Config["buses"][string];
export type LinkConfig = Config["links"][string];
export type ContactConfig = LinkConfig["contacts"][number];
export type WitnessConfig = LinkConfig["witnesses"][number];
export type SourceConfig = Config["sources"][string];
export type VerificationConfig = SourceConfig["verify"];
export type RepositoryConfig = Config["repositories"][string];
export type WindowConfig = Config["windows"][string];
export type StepConfig = WindowConfig["steps"][number];
