/** The communication watchdog of an emulated board, as its profile describes it and its settings arm it. */
import type { CommunicationWatchdog } from '../contacts/modbus/settings.ts';
import type { BoardTimers } from './relays.ts';
import type { Settings } from './settings.ts';

/** Isolates when nothing feeds it for the time that the settings say. Its time begins with the first request. */
export class SilenceWatch {
  readonly #watchdog: CommunicationWatchdog;
  readonly #settings: Settings;
  readonly #timers: BoardTimers;
  readonly #tripped: () => void;
  #cancel: () => void = () => undefined;
  #locked = false;

  constructor(watchdog: CommunicationWatchdog, settings: Settings, timers: BoardTimers, tripped: () => void) {
    this.#watchdog = watchdog;
    this.#settings = settings;
    this.#timers = timers;
    this.#tripped = tripped;
  }

  /** It has isolated, and nobody may move a relay until a person has cleared it (here: a restart of the board). */
  get locked(): boolean {
    return this.#locked;
  }

  /** A request was heard. */
  heard(isRead: boolean): void {
    if (this.#watchdog.fed_by === 'writes' && isRead) return;
    this.#cancel();
    const ms = this.#timeMs();
    if (ms === null) return;
    this.#cancel = this.#timers.after(ms, () => {
      this.#locked = this.#watchdog.after_trip.recovery === 'cleared-by-person';
      this.#tripped();
    });
  }

  /** The board starts anew. */
  restart(): void {
    this.#cancel();
    this.#locked = false;
  }

  /** ms, or `null` while the settings do not arm it. */
  #timeMs(): number | null {
    const { verified_by: verifiedBy, time_check: timeCheck, range } = this.#watchdog;
    if (timeCheck === undefined || range === undefined || !this.#settings.pass(verifiedBy)) return null;
    const time = this.#settings.valueOf(timeCheck);
    return time === null || time < range.min ? null : time * range.unit_ms;
  }
}
