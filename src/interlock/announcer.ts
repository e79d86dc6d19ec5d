/** Hands every event to whoever listens now; nobody is waited for. */
import type { EventLine, LinkStatus } from '../protocol/messages.ts';

/** One place to announce, any number of listeners. */
export class Announcer {
  readonly #listeners = new Set<(line: EventLine) => void>();
  /** What was last told of each link, as far as a reader acts upon it. */
  readonly #told = new Map<string, string>();

  /** Calls `listener` for every event until the returned function is called. */
  listen(listener: (line: EventLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(line: EventLine): void {
    for (const listener of this.#listeners) listener(line);
  }

  /** Announces a link when anything that a reader acts upon has changed since it was last told. */
  announceLink(link: LinkStatus): void {
    const { state, observed, proof, latch, last_trip: trip, lease, session } = link;
    const needed = [link.refusals, link.reset_needs, link.session_needs].flatMap((each) => [
      '',
      ...each.map(({ code }) => code),
    ]);
    const held = [lease?.id, session?.session, session?.take_within_ms === null];
    // One that is awaited refuses as one that is lost does, and only the latter is news.
    const heard = link.heartbeats.map((each) => each.state);
    const key = JSON.stringify([state, observed, proof, latch, trip, needed, held, heard]);
    if (this.#told.get(link.link) === key) return;
    this.#told.set(link.link, key);
    this.announce({ event: 'link', link });
  }
}
