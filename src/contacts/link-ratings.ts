/** The rating of every contact of a link, from profile, wiring and witnesses. */
import { type Rating, rate } from '../core/rating.ts';
import {
  type ContactSettings,
  type LinkSettings,
  wireOf,
  type WitnessSettings,
  type HardwareSettings,
} from './hardware-settings.ts';
import type { Profile } from './profile.ts';

/** Ratings by contact name. A contact whose profile is not known is holding: nothing good is known of it. */
export function linkRatings(
  link: LinkSettings,
  buses: HardwareSettings['buses'],
  profiles: ReadonlyMap<string, Profile>,
): ReadonlyMap<string, Rating> {
  return new Map(
    link.contacts.map((contact) => {
      const profile = profiles.get(contact.profile);
      return [
        contact.name,
        rate({
          kind: profile?.contact ?? 'holding',
          withoutPower: profile?.without_power ?? 'unknown',
          wiring: contact.wiring ?? 'normally-open',
          witnesses: link.witnesses
            .filter((witness) => sees(witness, contact))
            .map((witness) => strength(witness, contact, buses)),
        }),
      ];
    }),
  );
}

/** A mirror contact sees its own contact; everything else sees whether the whole link carries anything. */
const sees = (witness: WitnessSettings, contact: ContactSettings): boolean =>
  !('mirrors' in witness) || witness.mirrors === undefined || witness.mirrors === contact.name;

/**
 * Independent: a positive sign of isolation from something that does not share the contact's device. That something is
 * absent, or does not answer, has many causes and is indirect.
 */
function strength(
  witness: WitnessSettings,
  contact: ContactSettings,
  buses: HardwareSettings['buses'],
): 'independent' | 'indirect' {
  switch (witness.type) {
    case 'carrier':
      return 'independent';
    case 'gpio':
      return 'independent';
    case 'modbus-discrete-input':
      return witness.bus === contact.bus && witness.unit === contact.unit ? 'indirect' : 'independent';
    case 'snmp':
      return sameHost(buses[witness.bus], buses[contact.bus]) ? 'indirect' : 'independent';
    case 'console':
      return witness.contact === contact.name ? 'indirect' : 'independent';
    case 'path':
    case 'block-device':
    case 'usb-device':
    case 'tcp':
    case 'command':
      return 'indirect';
  }
}

function sameHost(
  one: HardwareSettings['buses'][string] | undefined,
  other: HardwareSettings['buses'][string] | undefined,
): boolean {
  if (one === undefined || other === undefined) return true;
  if (one === other || wireOf(one) === wireOf(other)) return true;
  return 'host' in one && 'host' in other && one.host.toLowerCase() === other.host.toLowerCase();
}
