/** Console drivers for tests, made of a profile of this repository. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ConsoleContact, ConsoleWitness } from '../../src/contacts/console/contact.ts';
import { fileLogin, type LoginSettings } from '../../src/contacts/console/login.ts';
import { consoleProfile, type ConsoleProfile } from '../../src/contacts/console/profile.ts';
import { ConsoleWorker } from '../../src/contacts/console/worker.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import type { Transport } from '../../src/contacts/transport.ts';

const PROFILES = join(import.meta.dirname, '..', '..', 'firmware-profiles');

/** A profile of a switch, by its id; `timings` differ where a test waits for them. */
export function switchProfile(id: string, timings: Partial<ConsoleProfile['timings']> = {}): ConsoleProfile {
  const profile = consoleProfile.parse(parse(readFileSync(join(PROFILES, `${id}.yaml`), 'utf8')));
  return { ...profile, timings: { ...profile.timings, ...timings } };
}

/** One console and what hangs on it. */
export interface ConsoleParts {
  readonly worker: ConsoleWorker;
  readonly contact: (port: string) => ConsoleContact;
  readonly witness: (port: string) => ConsoleWitness;
}

/** The driver on a transport. */
export function consoleOn(
  profile: ConsoleProfile,
  transport: Transport,
  login: LoginSettings = {},
): ConsoleParts {
  const timers = processTimers;
  const worker = new ConsoleWorker({ device: profile, transport, timers, login: fileLogin(login) });
  return {
    worker,
    contact: (port) => new ConsoleContact({ name: port, worker, port, timers }),
    witness: (port) => new ConsoleWitness({ name: port, worker, port, timers }),
  };
}
