/**
 * Knows a trip that says nothing new: the same event from the same source while every link it is for is held isolated.
 * Senders repeat themselves for as long as an alert fires; the journal is not for that.
 */
import type { LinkShell } from '../link-shell.ts';

/** Events of one source that are told apart while its links are held; more are taken for the same. */
const MAX_EVENTS = 50;

/** The events that each source has told of since its links were latched. */
export class TripRepeats {
  readonly #events = new Map<string, Set<string>>();

  /**
   * True when this trip was told before and nothing has to be done about it: then it is counted, so that no reset that is
   * being asked for lifts the latch. `event` names what it is about; it is called only when it matters.
   */
  isRepeat(source: string, links: readonly LinkShell[], event: () => string): boolean {
    if (links.length === 0 || !links.every((link) => link.heldIsolated)) {
      this.#events.delete(source);
      return false;
    }
    const told = this.#events.get(source);
    if (told === undefined || (!told.has(event()) && told.size < MAX_EVENTS)) return false;
    for (const link of links) link.countTrip();
    return true;
  }

  /** Notes a trip that was acted upon. */
  tripped(source: string, event: string): void {
    this.#events.set(source, (this.#events.get(source) ?? new Set()).add(event));
  }
}
