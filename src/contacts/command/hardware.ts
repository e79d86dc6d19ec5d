import { type BusWorker, type ContactOrder, misplaced } from '../bus-worker.ts';
import type { BusWitnessSettings } from '../hardware-settings.ts';
import type { Contact, Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import { CommandContact } from './contact.ts';
import { filled } from './words.ts';
import { CommandWorker } from './worker.ts';

/** The contacts of one command bus, whose programs run one at a time. */
export class CommandBusWorker implements BusWorker {
  readonly #worker: CommandWorker;

  constructor(timers: Timers) {
    this.#worker = new CommandWorker(timers);
  }

  contact({ name, profile, place }: ContactOrder): Contact {
    if (profile.driver !== 'command' || place.driver !== 'command') throw misplaced(profile.id, 'commands');
    const words = (argv: readonly string[]): readonly string[] => {
      const whole = filled(argv, place.parameters);
      if (whole === null) throw misplaced(`${profile.id} without all of its parameters`, 'commands');
      return whole;
    };
    const { connect, isolate, read } = profile;
    return new CommandContact({
      name,
      kind: profile.contact,
      worker: this.#worker,
      calls: {
        connect: { argv: words(connect.argv), timeoutMs: connect.timeout_ms, done: connect.done },
        isolate: { argv: words(isolate.argv), timeoutMs: isolate.timeout_ms, done: isolate.done },
      },
      read: {
        argv: words(read.argv),
        timeoutMs: read.timeout_ms,
        connected: read.connected,
        isolated: read.isolated,
      },
    });
  }

  witness(settings: BusWitnessSettings): Witness {
    throw misplaced(`a ${settings.type} witness`, 'commands');
  }
}
