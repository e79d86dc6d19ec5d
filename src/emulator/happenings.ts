import type { BoardEvent } from './board.ts';

/** Who is told what happens to a board, and who drops its connections when it says so. */
export class Happenings {
  readonly #watchers = new Set<(event: BoardEvent) => void>();
  readonly #breakers = new Set<() => void>();

  /** Calls `watcher` for everything that happens; returns what ends that. */
  watch(watcher: (event: BoardEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Calls `breaker` when the board drops its connections; returns what ends that. */
  onDrop(breaker: () => void): () => void {
    this.#breakers.add(breaker);
    return () => this.#breakers.delete(breaker);
  }

  emit(event: BoardEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }

  drop(): void {
    for (const breaker of this.#breakers) breaker();
  }
}
