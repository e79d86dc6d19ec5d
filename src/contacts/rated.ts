/** What the rating of every contact of a link rests on: profile, wiring and witnesses. */
import type { RatedContact } from '../core/rating.ts';
import type { ContactSettings, LinkSettings, WitnessSettings } from './hardware-settings.ts';
import type { Profile } from './profile.ts';

/** What is to be rated, by contact name. A contact whose profile is not known is holding: nothing good is known of it. */
export function ratedContacts(
  link: LinkSettings,
  profiles: ReadonlyMap<string, Profile>,
): ReadonlyMap<string, RatedContact> {
  return new Map(
    link.contacts.map((contact) => {
      const profile = profiles.get(contact.profile);
      return [
        contact.name,
        {
          kind: profile?.contact ?? 'holding',
          withoutPower: profile?.without_power ?? 'unknown',
          wiring: contact.wiring ?? 'normally-open',
          witnesses: link.witnesses
            .filter((witness) => sees(witness, contact))
            .map((witness) => strength(witness, contact)),
        },
      ];
    }),
  );
}

/** A mirror contact sees its own contact; everything else sees whether the whole link carries anything. */
const sees = (witness: WitnessSettings, contact: ContactSettings): boolean =>
  !('mirrors' in witness) || witness.mirrors === undefined || witness.mirrors === contact.name;

/**
 * Independent: a mirror contact, which is mechanically linked to the contact itself, on something that does not share the
 * contact's device. What is seen on the side of the load (carrier, supply of the island, a disk that is gone) has other
 * causes too and is indirect, as safety engineering calls it.
 */
function strength(witness: WitnessSettings, contact: ContactSettings): 'independent' | 'indirect' {
  switch (witness.type) {
    case 'gpio':
      return witness.mirrors === contact.name ? 'independent' : 'indirect';
    case 'modbus-discrete-input': {
      const sameBoard = witness.bus === contact.bus && witness.unit === contact.unit;
      return witness.mirrors === contact.name && !sameBoard ? 'independent' : 'indirect';
    }
    case 'carrier':
    case 'snmp':
    case 'console':
    case 'path':
    case 'block-device':
    case 'usb-device':
    case 'tcp':
    case 'command':
      return 'indirect';
  }
}
