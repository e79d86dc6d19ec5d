/** What a commissioning rests on, part by part, so that a later change can be named. */
import { hash } from 'node:crypto';
import type { Profile } from '../../contacts/profile.ts';
import type { Config } from '../../config/schema.ts';
import { canonicalText } from './record.ts';

/** Digest by the name of the part, such as `contact relay`. */
export type Digests = Readonly<Record<string, string>>;

const digestOf = (value: unknown): string => hash('sha256', canonicalText(value), 'hex');

/** Digests of everything about this link that its figures depend on: contacts, witnesses, their buses, timings, profiles. */
export function digestsOf(config: Config, name: string, profiles: ReadonlyMap<string, Profile>): Digests {
  const link = config.links[name];
  if (link === undefined) return {};
  const { connect_timeout, isolate_timeout, evidence_max_age, lease_timeout } = link;
  const parts: Record<string, string> = {
    timings: digestOf({ connect_timeout, isolate_timeout, evidence_max_age, lease_timeout }),
  };
  const buses = new Set<string>();
  for (const contact of link.contacts) {
    parts[`contact ${contact.name}`] = digestOf(contact);
    parts[`profile ${contact.profile}`] = digestOf(profiles.get(contact.profile) ?? null);
    buses.add(contact.bus);
  }
  for (const witness of link.witnesses) {
    parts[`witness ${witness.name}`] = digestOf(witness);
    if ('bus' in witness) buses.add(witness.bus);
  }
  for (const bus of buses) parts[`bus ${bus}`] = digestOf(config.buses[bus] ?? null);
  return parts;
}

/** What differs, part by part, in words; empty when nothing does. */
export function changesSince(then: Digests, now: Digests): readonly string[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].toSorted();
  return names.flatMap((name) => {
    if (then[name] === now[name]) return [];
    if (then[name] === undefined) return [`${name} was added`];
    return [now[name] === undefined ? `${name} was removed` : `${name} was changed`];
  });
}
