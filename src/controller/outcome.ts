/** How a step, and a window, ended. One value each. */
export type StepOutcome =
  | { readonly kind: 'done' }
  /** There is a snapshot, but not of everything. */
  | { readonly kind: 'partly-done'; readonly why: string }
  | { readonly kind: 'failed'; readonly code: string; readonly why: string; readonly hint: string }
  /** Stopped by a cut, a trip, the end of the window. */
  | { readonly kind: 'cut-short'; readonly code: string; readonly why: string }
  | { readonly kind: 'skipped'; readonly why: string };

export type OutcomeKind = StepOutcome['kind'];

/** From best to worst; a window is as good as its worst step. */
const BEST_TO_WORST: readonly OutcomeKind[] = ['done', 'partly-done', 'failed', 'cut-short'];

/** The outcome of a window from those of its steps; `skipped` only when nothing was done at all, `partly-done` when some of it was not. */
export function worstOf(kinds: readonly OutcomeKind[]): OutcomeKind {
  if (kinds.every((kind) => kind === 'skipped')) return 'skipped';
  const worst = BEST_TO_WORST.findLast((kind) => kinds.includes(kind)) ?? 'skipped';
  return worst === 'done' && kinds.includes('skipped') ? 'partly-done' : worst;
}
