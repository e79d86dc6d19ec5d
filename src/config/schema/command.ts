/** `portcullis check [FILE] [--json]`: prints everything that is wrong with a configuration file. */
import type { Profile } from '../../contacts/profile.ts';
import { type ContactFacts, hardwareFacts } from '../meaning/hardware-facts.ts';
import { loadConfig } from '../load.ts';
import { printable } from '../../sources/excerpt.ts';
import type { Problem } from '../text/problems.ts';

export interface CheckOptions {
  /** One JSON object per problem and a last one with the result. */
  readonly json: boolean;
  readonly profiles: ReadonlyMap<string, Profile>;
}

/** 0: nothing but warnings. 1: errors. 2: the file cannot be read. Writes whole lines. */
export async function checkCommand(
  file: string,
  { json, profiles }: CheckOptions,
  write: (line: string) => void,
): Promise<0 | 1 | 2> {
  const loaded = await loadConfig(file, { profiles, secretsOf: 'all' });
  const name = printable(file, 500);
  if (loaded.kind === 'unreadable') {
    const line = { file, result: 'unreadable', why: loaded.why };
    write(
      json
        ? JSON.stringify(line)
        : `${name}: cannot read it: ${printable(loaded.why, 500)}; or name another file`,
    );
    return 2;
  }
  for (const problem of loaded.problems) {
    write(json ? JSON.stringify({ file, ...problem }) : `${name}:${formatProblem(problem)}`);
  }
  for (const facts of loaded.kind === 'valid' ? hardwareFacts(loaded.config, profiles) : []) {
    write(json ? JSON.stringify({ file, ...facts }) : `${name}: ${formatFacts(facts)}`);
  }
  const errors = loaded.problems.filter(({ severity }) => severity === 'error').length;
  const warnings = loaded.problems.length - errors;
  if (json) write(JSON.stringify({ file, result: loaded.kind, errors, warnings }));
  else write(`${name}: ${loaded.kind}, ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`);
  return loaded.kind === 'valid' ? 0 : 1;
}

/** `line:column severity path: what — hint` */
export function formatProblem({ line, column, severity, path, what, hint }: Problem): string {
  return `${line}:${column} ${severity} ${path === '' ? '' : `${path}: `}${what}${hint === '' ? '' : ` — ${hint}`}`;
}

/** `link/contact: rating. What becomes of it when the process dies.` */
const formatFacts = ({ link, contact, rating_text: rating, when_we_die: death }: ContactFacts): string =>
  `contact ${link}/${contact}: ${rating}. ${death}`;

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
