/** One-time codes as people type them. */
import type { Approval } from '../protocol/authority.ts';
import { CommandError } from './exit.ts';

/** `NAME:CODE` taken apart; throws `CommandError` 2. */
export function approvalIn(text: string): Approval {
  const match = /^([a-z][a-z0-9_-]{0,39}):(\d{6})$/.exec(text.replaceAll(' ', ''));
  if (match === null) throw new CommandError(2, 'write --approve NAME:CODE, the code with its six digits');
  return { name: match[1] ?? '', code: match[2] ?? '' };
}
