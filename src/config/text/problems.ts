/** What is wrong in a configuration file, where, and what to do about it. */
import type { z } from 'zod';
import { printable } from '../../sources/excerpt.ts';
import { nearest } from './nearest.ts';
import { formatPath, type Path, type Place, type Positions } from './positions.ts';
import { knownKeys, purpose } from '../shape.ts';

export interface Problem {
  /** Nothing starts with an error; a warning is said and lived with. */
  readonly severity: 'error' | 'warning';
  /** As `links.vault.contacts[0].unit`; empty for the whole file. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly what: string;
  /** What to do next. */
  readonly hint: string;
}

const SHOWN_CHARS = 60;
const SECRET = /secret|token|passw|passphrase|credential|api_?key/i;

/** Text from the file as a message may show it: quoted, bounded, escaped. */
export const quoted = (text: string): string => `"${printable(text, SHOWN_CHARS)}"`;

/** A problem at a place. */
export const problemAt = (
  severity: Problem['severity'],
  path: Path,
  place: Place,
  what: string,
  hint: string,
): Problem => ({
  severity,
  path: printable(formatPath(path), 200),
  line: place.line,
  column: place.column,
  what,
  hint,
});

/** By line, then column; errors before warnings. */
export function sortedProblems(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted(
    (a, b) =>
      a.line - b.line ||
      a.column - b.column ||
      a.severity.localeCompare(b.severity) ||
      a.what.localeCompare(b.what),
  );
}

/** "a", "b" or "c" */
const listed = (names: readonly string[]): string => names.join(', ');

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a group of keys',
  record: 'a group of named entries',
  array: 'a list',
};

function found(value: unknown, path: Path): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  if (path.some((part) => typeof part === 'string' && SECRET.test(part))) return `a ${typeof value}`;
  return typeof value === 'string'
    ? `text ${quoted(value)}`
    : `the ${typeof value} ${quoted(JSON.stringify(value) ?? 'nothing')}`;
}

const isGroup = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function valueAt(file: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Record<string | number, unknown>)[part]
        : undefined,
    file,
  );
}

/** Turns what the schema found into problems with places and hints. */
export function schemaProblems(
  issues: readonly z.core.$ZodIssue[],
  file: unknown,
  positions: Positions,
): readonly Problem[] {
  const unknown = issues.flatMap((issue) => unknownKeys(issue, file, positions));
  const meant = new Set(
    unknown.flatMap((key) => (key.meant === null ? [] : [formatPath([...key.path, key.meant])])),
  );
  const groups = new Set(unknown.map((key) => formatPath(key.path)));
  const rest = issues
    // A required key that is there under a mistyped name has been reported once already, and so has the group it leaves empty.
    .filter((issue) => {
      const missing = missingKey(issue, positions);
      return missing === null || !meant.has(formatPath(missing));
    })
    .filter((issue) => issue.code !== 'custom' || !groups.has(formatPath(pathOf(issue))))
    .flatMap((issue) => otherProblem(issue, file, positions));
  return [...unknown.map((key) => key.problem), ...rest];
}

interface UnknownKey {
  readonly path: Path;
  readonly meant: string | null;
  readonly problem: Problem;
}

/** A wrong `type` hides the rest of its group from the schema; the keys that no branch knows are found here. */
function unknownKeys(issue: z.core.$ZodIssue, file: unknown, positions: Positions): readonly UnknownKey[] {
  const path = pathOf(issue);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(path, key, file, positions));
  if (issue.code !== 'invalid_union' || issue.discriminator === undefined) return [];
  const group = path.slice(0, -1);
  const known = knownKeys(group, file);
  return positions
    .keys(group)
    .filter((key) => !known.includes(key))
    .map((key) => unknownKey(group, key, file, positions));
}

function unknownKey(path: Path, key: string, file: unknown, positions: Positions): UnknownKey {
  const known = knownKeys(path, file);
  const byFile =
    known.find((name) => name === `${key}_file`) ??
    (SECRET.test(key) ? known.find((name) => name.endsWith('_file')) : undefined);
  const free = known.filter((name) => !positions.has([...path, name]));
  const meant = known.includes(key) ? null : (byFile ?? nearest(key, free) ?? nearest(key, known));
  let hint = known.length === 0 ? 'remove it' : `known here: ${listed(known)}`;
  if (meant !== null) hint = `did you mean "${meant}"?`;
  if (byFile !== undefined) hint = `secrets stand in files of their own: write "${byFile}: /path/to/file"`;
  else if (SECRET.test(key)) hint += '; secrets never stand in this file, only paths to files that hold them';
  const what = `unknown key ${quoted(key)}`;
  return {
    path,
    meant,
    problem: problemAt('error', [...path, key], positions.ofKey([...path, key]), what, hint),
  };
}

const pathOf = (issue: z.core.$ZodIssue): Path =>
  issue.path.map((part) => (typeof part === 'number' ? part : String(part)));

/** The path of a key that is required and not written, else `null`. */
function missingKey(issue: z.core.$ZodIssue, positions: Positions): Path | null {
  const path = pathOf(issue);
  return path.length > 0 && !positions.has(path) ? path : null;
}

function otherProblem(issue: z.core.$ZodIssue, file: unknown, positions: Positions): readonly Problem[] {
  if (issue.code === 'unrecognized_keys') return [];
  const path = pathOf(issue);
  const why = purpose(path, file);
  const error = (what: string, hint: string): readonly Problem[] => [
    problemAt(
      'error',
      path,
      issue.code === 'invalid_key' ? positions.ofKey(path) : positions.ofValue(path),
      what,
      hint,
    ),
  ];
  const options = optionsOf(issue);
  if (missingKey(issue, positions) !== null) {
    const choice = options.length > 0 ? `one of ${listed(options)}` : why;
    return error(`missing ${quoted(String(path.at(-1)))}`, choice === '' ? 'add it' : `add it: ${choice}`);
  }
  if (issue.code === 'invalid_key')
    return error(`bad name ${quoted(String(path.at(-1)))}`, issue.issues[0]?.message ?? '');
  if (path.length === 0 && !isGroup(file))
    return error('there is no configuration in this file', 'write at least `buses` and `links`');
  if (positions.isEmpty(path))
    return error('nothing given', `write a value or remove the key${why === '' ? '' : `: ${why}`}`);
  const value = valueAt(file, path);
  if (options.length > 0) {
    const meant = typeof value === 'string' ? nearest(value, options) : null;
    return error(
      `${found(value, path)} is not known here`,
      `${meant === null ? '' : `did you mean "${meant}"? `}known: ${listed(options)}`,
    );
  }
  if (issue.code === 'invalid_type') {
    const own = issue.message.startsWith('Invalid input') ? why : issue.message;
    return error(`expected ${EXPECTED[issue.expected] ?? issue.expected}, found ${found(value, path)}`, own);
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') return error(bound(issue), why);
  return error(issue.message, why);
}

function optionsOf(issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) {
    return 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  }
  return [];
}

function bound(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const limit = String(issue.code === 'too_small' ? issue.minimum : issue.maximum);
  const noun = issue.origin === 'string' ? 'character' : issue.origin === 'array' ? 'entry' : null;
  const size = issue.code === 'too_small' ? `at least ${limit}` : `at most ${limit}`;
  if (noun === null) return `too ${issue.code === 'too_small' ? 'small' : 'big'}: ${size}`;
  const counted = limit === '1' ? noun : noun.replace(/y?$/, noun.endsWith('y') ? 'ies' : 's');
  return `too ${issue.code === 'too_small' ? 'short' : 'long'}: ${size} ${counted}`;
}
