/** Hands every event to whoever listens now; nobody is waited for. */
import type { EventLine } from '../protocol/messages.ts';

export class Announcer {
  readonly #listeners = new Set<(line: EventLine) => void>();

  /** Calls `listener` for every event until the returned function is called. */
  listen(listener: (line: EventLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(line: EventLine): void {
    for (const listener of this.#listeners) listener(line);
  }
}
