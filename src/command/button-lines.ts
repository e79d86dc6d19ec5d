import type { Status } from '../protocol/messages.ts';

/** The button, for people; nothing for a box without one. */
export function buttonLines({ button }: Status): string[] {
  if (button === undefined) return [];
  const why = button.why === '' ? '' : `: ${button.why}`;
  return [`button: ${button.state}${why}${button.present ? '; it was held: presence for a reset' : ''}`];
}
