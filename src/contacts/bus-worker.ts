/** What serves every contact and witness of one configured bus. */
import type { BusWitnessSettings } from './hardware-settings.ts';
import type { Place } from './place.ts';
import type { Contact, Witness } from './port.ts';
import type { Profile } from './profile.ts';

/** A contact to be made, after everything about it was checked. */
export interface ContactOrder {
  readonly name: string;
  readonly profile: Profile;
  readonly place: Place;
  /** ms; `null`: connect without the device's own timer. */
  readonly hardwareLeaseMs: number | null;
}

/** One worker per bus. Makes parts; opens nothing before one of them is used. */
export interface BusWorker {
  /** Throws TypeError for a profile of another driver: the configuration was not checked. */
  contact(order: ContactOrder): Contact;
  /** All contacts of the bus have been made. `place`: of the contact that a console witness looks at. Throws as `contact`. */
  witness(settings: BusWitnessSettings, place: Place | null): Witness;
}

/** For a part that its bus cannot serve; the checks before have ruled it out. */
export function misplaced(what: string, bus: string): TypeError {
  return new TypeError(
    `${what} on a bus of ${bus}: the configured hardware was not checked before it was made`,
  );
}
