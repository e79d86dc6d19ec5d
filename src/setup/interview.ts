/** The questions of `portcullis setup`, each with a proposal drawn from the machine, and the plan that the answers make. */
import { isIPv6 } from 'node:net';
import type { Profile } from '../contacts/profile.ts';
import type { Facts } from './facts.ts';

/** One question. Its `id` is also its key in a file of answers. */
export interface Question {
  readonly id: string;
  readonly text: string;
  /** Taken when nothing is answered. */
  readonly proposal: string;
  /** Nothing else is accepted; without it any text is. */
  readonly choices?: readonly string[];
  /** What is wrong with an answer, or `null`. */
  readonly wrong?: (answer: string) => string | null;
}
/** Gives an answer that the question accepts. */
export type Ask = (question: Question) => Promise<string>;

/** How the relay is reached. */
export type BusPlan =
  | { readonly transport: 'modbus-rtu' | 'serial'; readonly device: string }
  | { readonly transport: 'modbus-tcp'; readonly host: string; readonly port: number }
  | { readonly transport: 'gpio'; readonly chip: string };

/** Where the backups go. */
export type VaultPlan =
  | { readonly kind: 'rest'; readonly host: string; readonly port: number; readonly interface: string | null }
  | { readonly kind: 'disk'; readonly uuid: string; readonly type: string };

/** What the configuration will say. */
export interface LinkPlan {
  readonly name: string;
  readonly bus: BusPlan;
  readonly profile: Profile;
  /** Channel of a board, or line of a GPIO chip. */
  readonly place: number;
  readonly vault: VaultPlan | null;
  readonly window: { readonly opens: string; readonly paths: readonly string[] };
}
export interface Plan {
  readonly link: LinkPlan | null;
  readonly timezone: string;
  /** Alarms come from other machines: the kill switch listens on every address, with the box's own certificate. */
  readonly alarmsFromAfar: boolean;
}

const NETWORK = 'network';
const NONE = 'none';
/** Pulled down at power-on, and no supply on the pins beside it: hardware/README.md. */
const BEST_LINE = 17;
const FILE_SYSTEMS: readonly string[] = ['ext4', 'xfs', 'f2fs', 'exfat', 'vfat', 'ntfs3'];
const PROPOSED_PROFILES: Readonly<Record<BusPlan['transport'], string>> = {
  'modbus-rtu': 'waveshare/modbus-rtu-relay-8ch',
  serial: 'waveshare/modbus-rtu-relay-8ch',
  'modbus-tcp': 'waveshare/modbus-poe-eth-relay-8ch',
  gpio: 'generic/gpio-active-high',
};

const name = (answer: string) =>
  /^[a-z][a-z0-9_-]{0,39}$/.test(answer) ? null : 'small letters, digits, "-" and "_"';
const host = (answer: string) =>
  isIPv6(answer) || /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/.test(answer)
    ? null
    : 'a name or an address such as 192.168.1.200 or fd00::2';
const whole = (least: number, most: number) => (answer: string) =>
  /^\d{1,6}$/.test(answer) && Number(answer) >= least && Number(answer) <= most
    ? null
    : `a whole number from ${least} to ${most}`;
const port = whole(1, 65_535);
const paths = (answer: string) =>
  answer.split(/\s+/).every((path) => /^\/[^\0]*$/.test(path)) ? null : 'absolute paths with blanks between';

/** Asks everything that `facts` does not settle. */
export async function interview(
  facts: Facts,
  profiles: ReadonlyMap<string, Profile>,
  ask: Ask,
): Promise<Plan> {
  const relay = await ask(relayQuestion(facts));
  const link = relay === NONE ? null : await linkPlan(relay, facts, profiles, ask);
  const afar = await ask({
    id: 'alarms_from_afar',
    text: 'May other machines send alarms? (yes: port 8470 on every address, with TLS and a certificate of this box)',
    proposal: 'no',
    choices: ['yes', 'no'],
  });
  return { link, timezone: facts.timezone, alarmsFromAfar: afar === 'yes' };
}

/** The lines of the header come first, then what is plugged in: a relay is rarely anything else. */
function relayQuestion({ serialPorts, chips }: Facts): Question {
  const header = chips.filter(({ label }) => /^pinctrl-(?:bcm|rp1)/.test(label)).map(({ label }) => label);
  const choices = [...serialPorts, ...header, NETWORK, NONE];
  return {
    id: 'relay',
    text: 'Where is the relay that the link runs through?',
    proposal: serialPorts[0] ?? header[0] ?? NONE,
    choices,
  };
}

async function linkPlan(
  relay: string,
  facts: Facts,
  profiles: ReadonlyMap<string, Profile>,
  ask: Ask,
): Promise<LinkPlan> {
  const kind = relay === NETWORK ? 'modbus-tcp' : relay.startsWith('/') ? 'modbus-rtu' : 'gpio';
  const choices = [...profiles.values()].filter((profile) => fits(profile, kind)).map(({ id }) => id);
  const id = await ask({
    id: 'profile',
    text: 'Which board is it?',
    proposal: PROPOSED_PROFILES[kind],
    choices: choices.toSorted(),
  });
  const profile = profiles.get(id);
  if (profile === undefined) throw new Error(`an answer that is no choice: ${id}`);
  const bus = await busPlan(relay, profile, ask);
  const place = await ask(placeQuestion(profile, facts, relay));
  const linkName = await ask({ id: 'link', text: 'Name of the link', proposal: 'vault', wrong: name });
  const vault = await vaultPlan(facts, ask);
  return { name: linkName, bus, profile, place: Number(place), vault, window: await windowPlan(ask) };
}

/** Boards that may be the one contact of a link: fail-safe, and of a kind that this way reaches. */
function fits(profile: Profile, kind: 'modbus-rtu' | 'modbus-tcp' | 'gpio'): boolean {
  if (profile.unsuitable !== undefined || profile.contact !== 'fail-safe') return false;
  switch (profile.driver) {
    case 'gpio':
      return kind === 'gpio';
    case 'modbus':
      return kind !== 'gpio' && profile.transports.includes(kind);
    case 'serial':
      return kind === 'modbus-rtu' && profile.transports.includes('serial');
    case 'console':
    case 'snmp':
    case 'command':
      return false;
  }
}

async function busPlan(relay: string, { driver }: Profile, ask: Ask): Promise<BusPlan> {
  if (driver === 'gpio') return { transport: 'gpio', chip: relay };
  if (relay !== NETWORK) return { transport: driver === 'serial' ? 'serial' : 'modbus-rtu', device: relay };
  const at = await ask({
    id: 'board_host',
    text: 'Address of the board',
    proposal: '192.168.1.200',
    wrong: host,
  });
  const over = await ask({ id: 'board_port', text: 'Its TCP port', proposal: '502', wrong: port });
  return { transport: 'modbus-tcp', host: at, port: Number(over) };
}

function placeQuestion(profile: Profile, { chips }: Facts, relay: string): Question {
  if (profile.driver === 'gpio') {
    const lines = chips.find(({ label }) => label === relay)?.lines ?? 1;
    const text = 'Which line (BCM number) drives it?';
    return { id: 'line', text, proposal: String(BEST_LINE), wrong: whole(0, lines - 1) };
  }
  const channels = 'channels' in profile ? profile.channels : 1;
  return {
    id: 'channel',
    text: 'Which channel of the board?',
    proposal: '1',
    wrong: whole(1, channels),
  };
}

async function vaultPlan(facts: Facts, ask: Ask): Promise<VaultPlan | null> {
  const kind = await ask({
    id: 'vault',
    text: 'What is behind it? (rest: a machine with a restic REST server; disk: a disk in this box; later: nothing yet)',
    proposal: facts.disks.length > 0 ? 'disk' : 'rest',
    choices: [...(facts.disks.length > 0 ? ['disk'] : []), 'rest', 'later'],
  });
  if (kind === 'later') return null;
  if (kind === 'disk') return diskPlan(facts, ask);
  const at = await ask({
    id: 'vault_host',
    text: 'Address of that machine',
    proposal: '10.0.0.2',
    wrong: host,
  });
  const over = await ask({ id: 'vault_port', text: 'Its TCP port', proposal: '8000', wrong: port });
  const towards = facts.interfaces.filter(({ hasDefaultRoute, wireless }) => !hasDefaultRoute && !wireless);
  const names = facts.interfaces.map((one) => one.name);
  const through = await ask({
    id: 'interface',
    text: 'Network interface towards it (its carrier becomes a witness)',
    proposal: towards[0]?.name ?? NONE,
    choices: [...names, NONE],
  });
  return { kind: 'rest', host: at, port: Number(over), interface: through === NONE ? null : through };
}

async function diskPlan({ disks }: Facts, ask: Ask): Promise<VaultPlan> {
  const uuid = await ask({
    id: 'disk',
    text: `Which file system? ${disks.map((one) => `${one.uuid} (${one.device}, ${one.type ?? 'unknown'})`).join(', ')}`,
    proposal: disks[0]?.uuid ?? '',
    choices: disks.map((one) => one.uuid),
  });
  const said = disks.find((one) => one.uuid === uuid)?.type ?? '';
  return { kind: 'disk', uuid, type: FILE_SYSTEMS.includes(said) ? said : 'ext4' };
}

async function windowPlan(ask: Ask): Promise<LinkPlan['window']> {
  const what = await ask({
    id: 'paths',
    text: 'What is backed up? (paths with blanks between)',
    proposal: '/srv',
    wrong: paths,
  });
  const opens = await ask({
    id: 'opens',
    text: 'When? (cron: minute hour day month weekday)',
    proposal: '30 2 * * *',
  });
  return { opens: opens.trim(), paths: what.trim().split(/\s+/) };
}
