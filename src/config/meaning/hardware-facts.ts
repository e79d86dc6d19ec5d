/** What a person should know about each configured contact before trusting it: its rating, and what happens when we die. */
import { rateAll, type Rating, ratingTexts } from '../../core/rating.ts';
import { chosenAccess, kernelOffer } from '../../contacts/gpio/access.ts';
import { deathNote, persistsOutputs } from '../../contacts/gpio/death.ts';
import { hasWatchdog, leaseMs, watchdogIsReadBack } from '../../contacts/hardware-lease.ts';
import type {
  BusSettings,
  ContactSettings,
  GpioBus,
  HardwareSettings,
} from '../../contacts/hardware-settings.ts';
import { ratedContacts } from '../../contacts/rated.ts';
import type { Profile } from '../../contacts/profile.ts';

/** One contact in words. */
export interface ContactFacts {
  readonly link: string;
  readonly contact: string;
  readonly rating: Rating;
  readonly rating_text: string;
  /** What becomes of the contact when this program dies. */
  readonly when_we_die: string;
}

/** Facts about every contact whose profile and bus are known. */
export function hardwareFacts(
  settings: HardwareSettings,
  profiles: ReadonlyMap<string, Profile>,
): readonly ContactFacts[] {
  return Object.entries(settings.links).flatMap(([name, link]) => {
    const ratings = rateAll(ratedContacts(link, profiles));
    return link.contacts.flatMap((contact): readonly ContactFacts[] => {
      const profile = profiles.get(contact.profile);
      const bus = settings.buses[contact.bus];
      const rating = ratings.get(contact.name);
      if (profile === undefined || bus === undefined || rating === undefined) return [];
      const rating_text = ratingTexts[rating];
      const when_we_die = deathText(contact, bus, profile);
      return [{ link: name, contact: contact.name, rating, rating_text, when_we_die }];
    });
  });
}

function deathText(contact: ContactSettings, bus: BusSettings, profile: Profile): string {
  if (bus.transport === 'gpio') return gpioDeathText(bus);
  const lease = leaseMs(contact.hardware_lease, profile);
  if (lease !== null) {
    return `When the process dies, the device isolates by itself ${lease / 1000} s after the last renewal; commissioning shows whether it does.`;
  }
  if (watchdogIsReadBack(profile)) {
    return 'When the process, this machine or the cable dies, the device isolates by itself once nothing has reached it for the time in its settings, which are read back before every lease; commissioning shows whether it does. Any request feeds it: a lease that is not renewed does not end it.';
  }
  if (hasWatchdog(profile)) {
    return 'The device can isolate by itself when nothing reaches it, but nothing that can be read shows whether that is armed. Unless a person has tried it, when the process dies nothing isolates but systemd (ExecStopPost) or the next start.';
  }
  return 'When the process dies, nothing in the device isolates: systemd (ExecStopPost) or the next start does.';
}

/** As this machine would drive it; `check` may run on another one than the box, so it says which way was taken. */
function gpioDeathText(bus: GpioBus): string {
  const way = chosenAccess(bus.access, kernelOffer());
  if (way.kind === 'none') return `The lines of ${bus.chip} cannot be driven on this machine: ${way.why}`;
  return `Driven by ${way.kind} on this machine (${way.why}). ${deathNote(way.kind, bus.chip, persistsOutputs(bus.chip)).sentence}`;
}
