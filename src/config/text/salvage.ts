/**
 * What a configuration file says about contacts, although other parts of it may be wrong: `isolate --all` must not be
 * stopped by a mistyped window. Never used to connect anything.
 *
 * A contact is left out, and said to be, when its place on the wire is in doubt: a guessed place would be reported as
 * isolated while the real one is not.
 */
import { parseDocument } from 'yaml';
import { acceptedPart, inFile, startsWith, type Accepted } from '../accepted.ts';
import { ACCEPT_RESET_PULL } from '../../contacts/gpio/pulls.ts';
import { placeProblems } from '../../contacts/place.ts';
import type { Profile } from '../../contacts/profile.ts';
import { linkFindings } from '../meaning/links.ts';
import { formatPath, type Path } from './positions.ts';
import type { Config, ContactConfig } from '../schema.ts';
import { readYaml } from './yaml.ts';

/** Contacts that can be driven, and those that cannot. */
export interface Salvaged {
  readonly buses: Config['buses'];
  readonly links: Readonly<
    Record<string, { readonly contacts: readonly ContactConfig[]; readonly witnesses: readonly [] }>
  >;
  /** Contacts (or what should have held them) that stand in the file and are not in `links`, with why. */
  readonly left: readonly { readonly path: string; readonly why: string }[];
}

/** Keys of a bus that do not say where a request goes. */
const HARMLESS_BUS_KEYS: ReadonlySet<unknown> = new Set(['access', 'login', 'reply_timeout', 'simulated']);
/** Keys of a contact that say where on its bus a request goes; some may be left out, none may be guessed. */
const PLACE_KEYS: ReadonlySet<unknown> = new Set(['unit', 'channel', 'line', 'port', 'parameters']);

/** Reads what can be read. Never throws. */
export function salvageContacts(text: string, profiles: ReadonlyMap<string, Profile>): Salvaged {
  const written = hardwareIn(text);
  if (written !== null && saysNoLinks(text)) return { buses: {}, links: {}, left: [] };
  const accepted = written === null ? null : acceptedPart(written);
  if (written === null || accepted === null) {
    return { buses: {}, links: {}, left: [{ path: 'links', why: 'the file says nothing about links' }] };
  }
  const places = Object.entries(accepted.config.links).flatMap(([link, { contacts }]) =>
    contacts.map((contact, index): Placed => {
      const path = inFile(['links', link, 'contacts', index], accepted.removed);
      return { link, path, contact: toIsolate(contact, accepted.config.buses, profiles) };
    }),
  );
  const why = new Map(places.map((place) => [formatPath(place.path), doubt(place, accepted)]));
  const clear = places.filter(({ path }) => why.get(formatPath(path)) === null);
  for (const { path, reason } of refused(clear, accepted, profiles)) why.set(formatPath(path), reason);

  const kept = clear.filter(({ path }) => why.get(formatPath(path)) === null);
  const links = Object.fromEntries(
    [...new Set(kept.map(({ link }) => link))].map((link) => {
      const contacts = kept.filter((place) => place.link === link).map(({ contact }) => contact);
      return [link, { contacts, witnesses: [] as const }];
    }),
  );
  const keptPaths = new Set(kept.map(({ path }) => formatPath(path)));
  const left = contactPaths(written)
    .map(formatPath)
    .filter((path) => !keptPaths.has(path))
    .map((path) => ({ path, why: why.get(path) ?? 'the configuration is wrong here' }));
  return { buses: busesOf(kept, accepted.config), links, left };
}

interface Placed {
  readonly link: string;
  /** In the file. */
  readonly path: Path;
  readonly contact: ContactConfig;
}

/** The buses of these contacts. What is wrong with any other bus must stop nobody. */
const busesOf = (places: readonly Placed[], { buses }: Config): Config['buses'] =>
  Object.fromEntries(
    Object.entries(buses).filter(([name]) => places.some(({ contact }) => contact.bus === name)),
  );

/** A contact as it is isolated: without a lease, and with the words that its pin asks of whoever would connect it. */
function toIsolate(
  { accept_reset_pull: _said, ...written }: ContactConfig,
  buses: Config['buses'],
  profiles: ReadonlyMap<string, Profile>,
): ContactConfig {
  const silent: ContactConfig = { ...written, hardware_lease: 'none' };
  const spoken: ContactConfig = { ...silent, accept_reset_pull: ACCEPT_RESET_PULL };
  const profile = profiles.get(written.profile);
  if (profile === undefined) return silent;
  const problems = (contact: ContactConfig): number =>
    placeProblems(contact, profile, buses[written.bus]).length;
  return problems(spoken) < problems(silent) ? spoken : silent;
}

type Group = Readonly<Record<string, unknown>>;
const isGroup = (value: unknown): value is Group =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Buses and links as written, also from a file that is not quite YAML. */
function hardwareIn(text: string): { readonly buses: unknown; readonly links: unknown } | null {
  try {
    const file: unknown = parseDocument(text, {
      uniqueKeys: false,
      stringKeys: true,
      logLevel: 'error',
    }).toJS({
      maxAliasCount: 100,
    });
    if (!isGroup(file) || !Object.hasOwn(file, 'links')) return null;
    return { buses: file['buses'] ?? {}, links: file['links'] };
  } catch {
    // Aliases without anchors, or too many: `portcullis check` says which.
    return null;
  }
}

/** A whole file that says in words that there are no links; what is left of a damaged one says nothing. */
function saysNoLinks(text: string): boolean {
  const { file, problems } = readYaml(text);
  if (!isGroup(file) || problems.length > 0) return false;
  const links = file['links'];
  return isGroup(links) && Object.keys(links).length === 0 && !Object.hasOwn(file, 'buses');
}

/** Every contact that stands in the file; for a link without a list of them, the link. */
function contactPaths({ links }: { readonly links: unknown }): readonly Path[] {
  if (!isGroup(links) || Object.keys(links).length === 0) return [['links']];
  return Object.entries(links).flatMap(([name, link]): readonly Path[] => {
    const contacts = isGroup(link) ? link['contacts'] : undefined;
    return Array.isArray(contacts)
      ? contacts.map((_, index) => ['links', name, 'contacts', index])
      : [['links', name]];
  });
}

/** Why it is not certain where the requests for a contact would go, or `null`. */
function doubt({ contact, path: own }: Placed, { removed }: Accepted): string | null {
  const bus = ['buses', contact.bus];
  const wrong = removed.find(
    (path) =>
      (startsWith(path, bus) && !HARMLESS_BUS_KEYS.has(path[2])) ||
      (startsWith(path, own) && PLACE_KEYS.has(path[own.length])),
  );
  return wrong === undefined ? null : `${formatPath(wrong)} is wrong`;
}

/** Contacts whose hardware cannot be, such as a bus that is not there. */
function refused(
  places: readonly Placed[],
  { config }: Accepted,
  profiles: ReadonlyMap<string, Profile>,
): readonly { readonly path: Path; readonly reason: string }[] {
  const links = Object.fromEntries(
    Object.entries(config.links).map(([name, link]) => {
      const contacts = places.filter((place) => place.link === name).map(({ contact }) => contact);
      return [name, { ...link, contacts, witnesses: [] }];
    }),
  );
  const names = {
    buses: Object.keys(config.buses),
    links: Object.keys(links),
    repositories: [],
    sources: [],
  };
  const around = { profiles, interfaces: null, secrets: new Map(), names };
  const buses = busesOf(places, config);
  const errors = linkFindings({ ...config, buses, links }, around).filter(
    ({ severity }) => severity === 'error',
  );
  return errors.flatMap(({ path, what }) => {
    const [section, name, , index, key] = path;
    // Two of one name are told apart by their places.
    if (key === 'name') return [];
    const hit =
      section === 'buses'
        ? places.filter(({ contact }) => contact.bus === name)
        : places.filter(({ link }) => link === name).slice(Number(index), Number(index) + 1);
    return hit.map((place) => ({ path: place.path, reason: what }));
  });
}
