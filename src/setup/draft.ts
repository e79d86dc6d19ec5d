/** The configuration that a plan makes, as text for people: every part says why it is there and where more is written. */
import type { BusPlan, LinkPlan, Plan, VaultPlan } from './interview.ts';

/** Where a configuration keeps its secrets, and who reads them. */
export interface PlannedSecret {
  readonly file: string;
  readonly reader: 'interlock' | 'controller';
  /** `key`: random text that people copy; `webhook`: a Standard Webhooks secret. */
  readonly kind: 'key' | 'webhook';
}

/** A configuration, and the files that it names. */
export interface Draft {
  readonly text: string;
  readonly secrets: readonly PlannedSecret[];
}

const MOUNT_POINT = '/mnt/vault';

/** `directory` is where the secrets stand, beside the configuration. */
export function draftOf(plan: Plan, directory: string): Draft {
  const { link } = plan;
  const secrets: readonly PlannedSecret[] =
    link === null
      ? []
      : [
          { file: `${directory}/alarm.secret`, reader: 'interlock', kind: 'webhook' },
          ...(link.vault === null
            ? []
            : [{ file: `${directory}/${link.name}.password`, reader: 'controller', kind: 'key' } as const]),
        ];
  const parts = [head(plan), ...(link === null ? [NO_LINK] : linkParts(link, plan, directory))];
  return { text: parts.join('\n'), secrets };
}

/** As URLs and `host:port` have it: an IPv6 address in brackets. */
const authority = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** JSON is YAML, and nothing in it can be misread. */
const quoted = (text: string): string => JSON.stringify(text);

const NO_LINK = `# No relay yet, so nothing is ever connected. Run \`portcullis setup\` again once it is there.
links: {}
`;

function head({ alarmsFromAfar }: Plan): string {
  const interlock = alarmsFromAfar
    ? `# Trip webhooks, from every machine. The certificate is the box's own: docs/kill-switch.md says how senders come to trust it.
interlock: { listen: ['0.0.0.0:8470', '[::]:8470'], tls: device }`
    : `# Trip webhooks, from this machine only; for others give it an address and \`tls: device\` (docs/kill-switch.md).
interlock: { listen: 127.0.0.1:8470 }`;
  return `# Written by \`portcullis setup\`. What each key means: docs/configuration.md. After every change:
#   sudo portcullis check && sudo systemctl restart portcullis-interlock portcullis-controller
state_directory: /var/lib/portcullis
runtime_directory: /run/portcullis
${interlock}
# The dashboard; to see it from elsewhere, forward the port: ssh -L 8480:127.0.0.1:8480 THIS-BOX
controller: { listen: 127.0.0.1:8480 }
`;
}

function linkParts(link: LinkPlan, plan: Plan, directory: string): readonly string[] {
  const { vault } = link;
  return [
    `# The wire to the relay board.
buses:
  board: { ${busKeys(link.bus)} }
`,
    linkPart(link),
    `# Who may pull the kill switch: anybody who signs with this secret (docs/sources/generic.md). Every other sender is one more entry.
sources:
  alarm: { verify: { type: standard-webhooks, secret_file: ${quoted(`${directory}/alarm.secret`)} }, format: generic, trips: [${link.name}] }
`,
    ...(vault === null
      ? [NO_VAULT]
      : [vaultPart(link.name, vault, directory), windowPart(link, vault, plan)]),
    `# Who is told what happened: docs/notifications.md.
notify: []
`,
  ];
}

const NO_VAULT = `# No repository and no window yet: the link is commissioned and stays isolated.
`;

function busKeys(bus: BusPlan): string {
  switch (bus.transport) {
    case 'modbus-rtu':
    case 'serial':
      return `transport: ${bus.transport}, device: ${quoted(bus.device)}`;
    case 'modbus-tcp':
      return `transport: modbus-tcp, host: ${quoted(bus.host)}, port: ${bus.port}`;
    case 'gpio':
      // Sysfs cannot be written from the interlock's unit, and knows no pull.
      return `transport: gpio, chip: ${quoted(bus.chip)}, access: character-device`;
  }
}

function linkPart({ name, bus, profile, place, vault }: LinkPlan): string {
  const unit = profile.driver === 'modbus' ? `unit: ${profile.unit}, ` : '';
  const where = bus.transport === 'gpio' ? `line: ${place}` : `${unit}channel: ${place}`;
  const [first = ''] = profile.dangers;
  return `# ${profile.maker} ${profile.model}; \`portcullis profile show ${profile.id}\` says what is known of it.
# ${first.replaceAll(/\s+/g, ' ')}
links:
  ${name}:
    contacts:
      - { name: relay, profile: ${profile.id}, bus: board, ${where} }
    # Evidence that does not come from the board. Without any, only the board's own word shows that the link is isolated.
    witnesses:${witnesses(vault)}
    exposure_budget: 4h # in any 24 hours
`;
}

function witnesses(vault: VaultPlan | null): string {
  if (vault === null) return ' []';
  if (vault.kind === 'disk')
    return `\n      - { name: disk, type: block-device, device: ${quoted(`/dev/disk/by-uuid/${vault.uuid}`)} }`;
  const carrier =
    vault.interface === null
      ? ''
      : `\n      - { name: carrier, type: carrier, interface: ${quoted(vault.interface)} }`;
  return `${carrier}\n      - { name: server, type: tcp, host: ${quoted(vault.host)}, port: ${vault.port} }`;
}

function vaultPart(name: string, vault: VaultPlan, directory: string): string {
  const password = `    password_file: ${quoted(`${directory}/${name}.password`)}`;
  const where =
    vault.kind === 'rest'
      ? `    url: ${quoted(`rest:http://${authority(vault.host, vault.port)}/`)}
    # login: { username: box, password_file: ${directory}/${name}.login } # when the server asks for one`
      : `    url: ${MOUNT_POINT}/restic
    # Mounted once connected, unmounted before it is isolated; needs: sudo systemctl enable --now portcullis-mount.socket
    mount: { uuid: ${quoted(vault.uuid)}, at: ${MOUNT_POINT}, type: ${vault.type} }`;
  return `# Where the backups go. KEEP A COPY OF THE PASSWORD ELSEWHERE: without it nobody restores anything.
repositories:
  ${name}:
${where}
${password}
`;
}

function windowPart({ name, window }: LinkPlan, vault: VaultPlan, { timezone }: Plan): string {
  const reach =
    vault.kind === 'rest' ? `\n    reach: { tcp: ${quoted(authority(vault.host, vault.port))} }` : '';
  return `# When the link may be connected, and for what. It is isolated as soon as the work is done; \`lasts\` is the absolute end.
windows:
  nightly:
    link: ${name}
    opens: ${quoted(window.opens)}
    timezone: ${quoted(timezone)}
    jitter: 20m
    lasts: 3h${reach}
    steps:
      - backup: { repository: ${name}, paths: [${window.paths.map(quoted).join(', ')}] }
      - forget: { repository: ${name}, keep_within_daily: 14d, keep_within_monthly: 1y }
      - check: { repository: ${name}, read_data_subset: rotate/30 }
      - restore_drill: { repository: ${name}, files: 20 }
`;
}
