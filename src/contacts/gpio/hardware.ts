import { type BusWorker, type ContactOrder, misplaced } from '../bus-worker.ts';
import type { BusWitnessSettings, GpioBus } from '../hardware-settings.ts';
import type { Contact, Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import { chosenAccess, gpioAccess, kernelOffer } from './access.ts';
import { GpioContact } from './contact.ts';
import { deathNote, persistsOutputs } from './death.ts';
import { GpioInput } from './input.ts';
import type { GpioAccess } from './lines.ts';
import { connectedLevel } from './profile.ts';
import { GpioWitness } from './witness.ts';

/** The lines of one chip. There is no wire to share: each line is claimed by itself, and no line waits for another. */
export class GpioWorker implements BusWorker {
  readonly #settings: GpioBus;
  readonly #timers: Timers;
  #access: GpioAccess | null = null;

  constructor(settings: GpioBus, timers: Timers) {
    this.#settings = settings;
    this.#timers = timers;
  }

  contact({ name, profile, place }: ContactOrder): Contact {
    if (profile.driver !== 'gpio' || place.driver !== 'gpio') throw misplaced(profile.id, 'GPIO');
    return new GpioContact({
      name,
      kind: profile.contact,
      access: () => this.#chosen(),
      place: { chip: this.#settings.chip, line: place.line },
      connectedLevel: connectedLevel(profile),
      timers: this.#timers,
    });
  }

  witness(settings: BusWitnessSettings): Witness {
    if (settings.type !== 'gpio') throw misplaced(`a ${settings.type} witness`, 'GPIO');
    const { name, line, bias, debounce, isolated_when: isolatedWhen } = settings;
    const input = new GpioInput({
      access: bias === 'none' ? () => this.#chosen() : () => this.#biased(),
      place: { chip: this.#settings.chip, line },
      bias,
      debounceMs: debounce,
      timers: this.#timers,
    });
    return new GpioWitness({ name, input, isolatedWhen, timers: this.#timers });
  }

  /** Looked for with the first line, and then the same for all: what is missing now may be there with the next attempt. */
  #chosen(): GpioAccess {
    this.#access ??= gpioAccess(this.#settings.access, this.#timers);
    return this.#access;
  }

  #biased(): GpioAccess {
    return gpioAccess(this.#settings.access, this.#timers, true);
  }
}

/** What the contacts of a bus do when this program dies, on this machine: a sentence for `check`. */
export function gpioDeathNote(settings: GpioBus): string {
  const chosen = chosenAccess(settings.access, kernelOffer());
  if (chosen.kind === 'none') return `What happens when the process dies cannot be said: ${chosen.why}.`;
  return deathNote(chosen.kind, settings.chip, persistsOutputs(settings.chip)).sentence;
}
