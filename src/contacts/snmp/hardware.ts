import { Bus } from '../bus.ts';
import { type BusWorker, type ContactOrder, misplaced } from '../bus-worker.ts';
import type { BusWitnessSettings, SnmpBus } from '../hardware-settings.ts';
import type { Contact, Witness } from '../port.ts';
import type { Profile } from '../profile.ts';
import type { Timers } from '../timers.ts';
import { SnmpWitness } from '../witnesses/snmp.ts';
import { Agent } from './agent.ts';
import { AgentGroup, SnmpContact } from './contact.ts';
import { readCredentials } from './credentials.ts';
import { OBJECT } from './objects.ts';
import { AgentTransport } from './socket.ts';

/** ms for an agent of which nothing is known. */
const REPLY_TIMEOUT_MS = 1000;

/** One SNMP agent and its ports. */
export class SnmpWorker implements BusWorker {
  readonly #timers: Timers;
  readonly #agent: Agent;
  readonly #group: AgentGroup;

  /** `profiles`: those of the contacts on this bus. */
  constructor(settings: SnmpBus, profiles: readonly Profile[], timers: Timers) {
    const { host, port, credentials } = settings;
    const known = profiles.flatMap((profile) =>
      profile.driver === 'snmp' ? [profile.timings.reply_timeout_ms] : [],
    );
    this.#timers = timers;
    this.#agent = new Agent({
      where: `${host}:${port}`,
      replyTimeoutMs: settings.reply_timeout ?? (known.length === 0 ? REPLY_TIMEOUT_MS : Math.max(...known)),
      timers,
      loadCredentials: () => readCredentials(credentials),
    });
    const transport = new AgentTransport({ host, port, agent: this.#agent, timers });
    this.#group = new AgentGroup(new Bus({ transport, timers, framesHaveIds: true }), this.#agent);
  }

  contact({ name, profile, place }: ContactOrder): Contact {
    if (profile.driver !== 'snmp' || place.driver !== 'snmp') throw misplaced(profile.id, 'SNMP');
    return new SnmpContact({
      name,
      kind: profile.contact,
      group: this.#group,
      port: this.#agent.port(profile.ports, place.port),
      switching: profile,
      timers: this.#timers,
    });
  }

  witness(settings: BusWitnessSettings): Witness {
    if (settings.type !== 'snmp') throw misplaced(`a ${settings.type} witness`, 'SNMP');
    return new SnmpWitness({
      name: settings.name,
      bus: this.#group.bus,
      question: this.#agent.reading(this.#agent.port('interface', settings.port), OBJECT.ifOperStatus),
      timers: this.#timers,
    });
  }
}
