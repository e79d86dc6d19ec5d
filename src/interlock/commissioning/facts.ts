/** What the procedure knows about a link before it begins. */
import type { Config } from '../../config/schema.ts';

/** One contact, as far as the procedure needs to know it. */
export interface ContactFacts {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  readonly profile: string;
  /** The supply it hangs on, for people: contacts of one board share it. */
  readonly supply: string;
  /** ms after which the device isolates by itself unless told again; null when it has no such timer. */
  readonly hardwareLeaseMs: number | null;
  /** False for a board that cannot be read: its commands end unknown, and only a witness can tell. */
  readonly answers: boolean;
}

/** One witness, as far as the procedure needs to know it. */
export interface WitnessFacts {
  readonly name: string;
  readonly type: string;
  /** The contacts whose isolation it shows; null: of every contact. */
  readonly sees: readonly string[] | null;
  /** False: its silence proves nothing (a TCP probe). */
  readonly showsIsolation: boolean;
}

/** One link, as far as the procedure needs to know it. Times are ms. */
export interface LinkFacts {
  readonly link: string;
  readonly contacts: readonly ContactFacts[];
  readonly witnesses: readonly WitnessFacts[];
  readonly connectTimeoutMs: number;
  readonly isolateTimeoutMs: number;
  /** A board of the link is played by the emulator. */
  readonly simulated: boolean;
  /** Nobody is there to pull a supply; simulated links only. */
  readonly unattended: boolean;
}

/** The board that a contact sits on, in words: contacts with the same words lose their power together. */
export function supplyOf(
  contact: Config['links'][string]['contacts'][number],
  buses: Config['buses'],
): string {
  const unit = 'unit' in contact && contact.unit !== undefined ? `unit ${contact.unit} of ` : '';
  return buses[contact.bus]?.transport === 'gpio'
    ? `the relays on bus ${contact.bus} (the supply of their coils, not the computer's)`
    : `the board at ${unit}bus ${contact.bus}`;
}
