/** Fields of entries, whatever they hold. */
import type { BookEntry } from '../chronicle/book.ts';

/** Lines of any list of a month. */
export const MOST_LINES = 1_000;

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
export const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};

/** An entry that sums up a burst counts for as many as it says. */
export const countOf = (data: BookEntry['data']): number => number(data['more']) ?? 1;
