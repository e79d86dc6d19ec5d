/** How the files of a journal are called. */

const DIGITS = 6;
const NAME = /^journal-(\d{6,})\.jsonl$/;

const stem = (number: number): string => `journal-${String(number).padStart(DIGITS, '0')}`;

/** `journal-000001.jsonl` for 1. */
export const fileName = (number: number): string => `${stem(number)}.jsonl`;

/** Where the `attempt`-th torn tail of a file is kept: `journal-000001.torn`, then `journal-000001.2.torn`, … */
export const tornName = (number: number, attempt: number): string =>
  attempt === 1 ? `${stem(number)}.torn` : `${stem(number)}.${attempt}.torn`;

/** The numbers of the journal files among `names`, ascending. */
export function fileNumbers(names: readonly string[]): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const number = Number(NAME.exec(name)?.[1] ?? 0);
    if (number > 0 && fileName(number) === name) numbers.push(number);
  }
  return numbers.toSorted((a, b) => a - b);
}

/** Part of the state directory that the journal has for itself. */
export const JOURNAL_DIRECTORY = 'journal';
