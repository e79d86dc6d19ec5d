/** The table of what becomes of each command of the pages: its kinds of rows, and the comparison with what the pages have. */
import type { Child } from '../faults/child.ts';
import type { Command } from './pages.ts';
import type { Names, Said, Terminal } from './terminal.ts';

/** Where a page is followed. */
export interface Place {
  readonly terminal: Terminal;
  /** What stands on the pages, and what it is here now. */
  names(): Names;
  /** Starts a command that goes on until it is interrupted. */
  goesOn(line: string): Child;
}

/** A command that is run here. */
export interface Typed<P extends Place> {
  readonly kind: 'typed';
  /** How the command begins, so that a row is known to be its. */
  readonly begins: string;
  /** Its exit code; 0 unless said. */
  readonly code?: number;
  /** What it has to say, each somewhere. */
  readonly says?: readonly (string | RegExp)[];
  /** More names of the page, and what they are here now. */
  readonly names?: (place: P) => Names | Promise<Names>;
  /** What is typed, where a page shows something else than a command: a script, a line of a table. */
  readonly as?: (line: string, place: P) => string;
  /** Why this machine cannot do it, or null. */
  readonly lacks?: () => string | null;
  /** Tried again until it does so: what it asks for takes its time. */
  readonly again?: true;
  /** Looks at what it said and did; false: that is not it. */
  readonly look?: (said: Said, place: P) => boolean | Promise<boolean>;
}

/** A command that goes on until Ctrl-C, which comes when it has said `until` and what is beside it is done. */
export interface GoesOn {
  readonly kind: 'goes on';
  readonly begins: string;
  readonly until: string;
  /** How many of the next steps are done before it is interrupted; 0 unless said. */
  readonly beside?: number;
  /** What it ends with after Ctrl-C; 0 unless said, null when the signal ends it. */
  readonly code?: number | null;
}

/** A command that another test runs. `proof` stands in that test. */
export interface Elsewhere {
  readonly kind: 'elsewhere';
  readonly begins: string;
  readonly test: string;
  readonly proof: string;
}

/** A command that nothing runs, and why. */
export interface NotRun {
  readonly kind: 'not run';
  readonly begins: string;
  readonly why: string;
}

/** Something that happens between two commands. */
export interface Meanwhile<P extends Place> {
  readonly kind: 'meanwhile';
  readonly what: (place: P) => void | Promise<void>;
}

/** What becomes of one command. */
export type Row<P extends Place> = Typed<P> | GoesOn | Elsewhere | NotRun;

/** A page, read from top to bottom. */
export interface Story<P extends Place> {
  readonly page: string;
  readonly steps: readonly (Row<P> | Meanwhile<P>)[];
}

/** A page all of whose commands are run by one other test, whatever they are. `proof` stands in that test. */
export interface Followed {
  readonly page: string;
  readonly test: string;
  readonly proof: string;
}

/** Makes a row of a command that another test runs. */
export const elsewhere = (begins: string, test: string, proof: string): Elsewhere => ({
  kind: 'elsewhere',
  begins,
  test,
  proof,
});

/** Makes a row of a command that nothing runs. */
export const notRun = (begins: string, why: string): NotRun => ({ kind: 'not run', begins, why });

/** Makes a row of a command that goes on. */
export const goesOn = (
  begins: string,
  until: string,
  how: Omit<GoesOn, 'kind' | 'begins' | 'until'> = {},
): GoesOn => ({ kind: 'goes on', begins, until, ...how });

/** Makes a row of a command that is run here. */
export const typed = <P extends Place>(
  begins: string,
  how: Omit<Typed<P>, 'kind' | 'begins'> = {},
): Typed<P> => ({ kind: 'typed', begins, ...how });

/** Makes what happens between two commands. */
export const meanwhile = <P extends Place>(what: Meanwhile<P>['what']): Meanwhile<P> => ({
  kind: 'meanwhile',
  what,
});

/** The rows of a story, without what happens between them. */
export const rowsOf = <P extends Place>({ steps }: Story<P>): readonly Row<P>[] =>
  steps.flatMap((step) => (step.kind === 'meanwhile' ? [] : [step]));

/** Rows of one page, of whatever place. */
export interface RowsOfPage {
  readonly page: string;
  readonly rows: readonly { readonly begins: string }[];
}

/** What does not agree: a command without a row, a row without a command. Both are read in the order of the page. */
export function disagreements(
  commands: readonly Command[],
  table: readonly RowsOfPage[],
  followed: readonly Followed[],
): readonly string[] {
  const found: string[] = [];
  const listed = [...commands, ...table, ...followed].map(({ page }) => page);
  for (const page of new Set(listed)) {
    const typedThere = commands.filter((command) => command.page === page);
    const rows = table.filter((each) => each.page === page).flatMap((each) => each.rows);
    if (followed.some((each) => each.page === page)) {
      if (typedThere.length === 0) found.push(`${page}: has no command`);
      if (rows.length > 0) found.push(`${page}: has rows, and is followed elsewhere`);
      continue;
    }
    let at = 0;
    for (const { text } of typedThere) {
      const its = rows.findIndex(({ begins }, index) => index >= at && text.startsWith(begins));
      if (its < 0) found.push(`${page}: no row for: ${text}`);
      else {
        for (const { begins } of rows.slice(at, its)) found.push(`${page}: a row for no command: ${begins}`);
        at = its + 1;
      }
    }
    for (const { begins } of rows.slice(at)) found.push(`${page}: a row for no command: ${begins}`);
  }
  return found;
}
