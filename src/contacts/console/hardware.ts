import { type BusWorker, type ContactOrder, misplaced } from '../bus-worker.ts';
import type { BusWitnessSettings, StreamBus } from '../hardware-settings.ts';
import type { Place } from '../place.ts';
import type { Contact, Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import { lineOf, SerialTransport } from '../transport-serial.ts';
import { TcpTransport } from '../transport-tcp.ts';
import type { Transport } from '../transport.ts';
import { ConsoleContact, ConsoleWitness } from './contact.ts';
import { fileLogin } from './login.ts';
import type { ConsoleProfile } from './profile.ts';
import { telnetTransport } from './telnet.ts';
import { ConsoleWorker } from './worker.ts';

/** The way to a console: a serial line, or a TCP stream that may speak telnet. */
export function consoleTransport(settings: StreamBus, profile: ConsoleProfile): Transport {
  if (settings.transport === 'tcp') return telnetTransport(new TcpTransport(settings));
  return new SerialTransport(lineOf(settings, profile.serial));
}

/** The console of one switch, and everything that hangs on it. */
export class ConsoleBus implements BusWorker {
  readonly #worker: ConsoleWorker;
  readonly #timers: Timers;

  constructor(settings: StreamBus, profile: ConsoleProfile, transport: Transport, timers: Timers) {
    const { reply_timeout: replyTimeoutMs } = settings;
    const timings =
      replyTimeoutMs === undefined
        ? profile.timings
        : { ...profile.timings, reply_timeout_ms: replyTimeoutMs };
    this.#timers = timers;
    this.#worker = new ConsoleWorker({
      device: { ...profile, timings },
      transport,
      timers,
      login: fileLogin(settings.login ?? {}),
    });
  }

  contact({ name, profile, place }: ContactOrder): Contact {
    if (profile.driver !== 'console' || place.driver !== 'console') throw misplaced(profile.id, 'a console');
    return new ConsoleContact({ name, worker: this.#worker, port: place.port, timers: this.#timers });
  }

  witness(settings: BusWitnessSettings, place: Place | null): Witness {
    if (settings.type !== 'console' || place?.driver !== 'console')
      throw misplaced(`a ${settings.type} witness`, 'a console');
    return new ConsoleWitness({
      name: settings.name,
      worker: this.#worker,
      port: place.port,
      timers: this.#timers,
    });
  }
}
