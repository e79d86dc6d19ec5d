/** What the boards of a link answer about their settings, as far as it is not as their profiles demand. */
import type { Contact } from '../../contacts/port.ts';
import type { Clock } from '../clock.ts';

/** A board's settings are read before a lease for at most this long, ms. */
const WAIT_MS = 5_000;
/** While a setting is wrong it is read again this often, ms. */
const AGAIN_MS = 5_000;

/** The settings of all boards of one link. */
export class BoardSettings {
  readonly #contacts: readonly Contact[];
  readonly #clock: Clock;
  readonly #isLeased: () => boolean;
  #problems: readonly string[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(contacts: readonly Contact[], clock: Clock, isLeased: () => boolean) {
    this.#contacts = contacts;
    this.#clock = clock;
    this.#isLeased = isLeased;
  }

  /** Found wrong when last read. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Reads again while problems stand, so that a board that came back is not refused for what it was. */
  refresh(): void {
    if (this.#problems.length === 0 || this.#clock.now() - this.#askedAt < AGAIN_MS) return;
    void this.read();
  }

  /** Not while a lease is in force: what somebody else asks must not disturb it. */
  async read(): Promise<void> {
    if (this.#isLeased()) return;
    this.#askedAt = this.#clock.now();
    const found = await this.ask();
    if (!this.#isLeased()) this.#problems = found;
  }

  /** What the boards answer now, whoever holds what; whoever does not tell them in time is a problem. */
  async ask(): Promise<readonly string[]> {
    const asked = Promise.all(this.#contacts.map((contact) => contact.settingsProblems()));
    const late = Promise.withResolvers<string[][]>();
    const cancel = this.#clock.after(WAIT_MS, () =>
      late.resolve([['the boards do not tell their settings']]),
    );
    const found = (await Promise.race([asked, late.promise])).flat();
    cancel();
    return found;
  }
}
