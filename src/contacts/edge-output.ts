/** An output that is only ever toggled: the dead-man circuit behind it holds while edges come, and lets go at either level. */

/** Where edges go. */
export interface EdgeOutput {
  /** Pause between two edges, ms. */
  readonly edgePauseMs: number;
  /** Toggles the output. Never throws: an edge that cannot be given is one that is missing. */
  edge(): void;
  /** Why the last edge could not be given, or null. */
  readonly problem: string | null;
  close(): void;
}
