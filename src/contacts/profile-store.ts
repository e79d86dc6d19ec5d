/**
 * Reads firmware profiles from disk. Every problem of every file is reported at once, with file, line, path and hint;
 * nothing is mended, and a file with a problem yields no profile.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { z } from 'zod';
import { PROFILE_ID } from './profile-common.ts';
import type { Finding } from './profile-finding.ts';
import { meaningFindings, profileSchema, type Profile } from './profile.ts';

/** The profiles that come with the program. */
export const PROFILE_DIRECTORY: string = fileURLToPath(new URL('../../firmware-profiles', import.meta.url));
/** Larger files are not profiles, bytes. */
const MAX_FILE_BYTES = 256 * 1024;
/** Longest piece of a file's own text in a message. */
const MAX_SHOWN = 60;

/** One thing that is wrong with a profile file. Text from the file is escaped and bounded. */
export interface ProfileProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** As `examples[3].reply`; empty for the whole file. */
  readonly path: string;
  readonly what: string;
  /** What to do about it. */
  readonly hint: string;
}

/** What reading one file gave: a profile, or at least one problem. */
export type ProfileReading =
  | { readonly kind: 'profile'; readonly profile: Profile }
  | { readonly kind: 'problems'; readonly problems: readonly ProfileProblem[] };

/** Every profile below a directory, by id, and every problem found on the way. */
export interface ProfileStore {
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly problems: readonly ProfileProblem[];
}

const shown = (value: string): string =>
  JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value).replaceAll(
    /[^\x20-\x7e…]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The id that a file at this path must carry: its directory and its name without `.yaml`. */
export const idOfPath = (file: string): string => `${basename(dirname(file))}/${basename(file, '.yaml')}`;

/** Checks the text of one profile; `file` is where it stands (absolute, so that its id can be told). */
export function readProfileText(content: string, file: string): ProfileReading {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    return problems(
      syntax.map((error) => ({
        file,
        line: Math.max(lines.linePos(error.pos[0]).line, 1),
        path: '',
        what: `not plain YAML: ${error.message.split('\n')[0]?.slice(0, 200) ?? ''}`,
        hint: 'correct the YAML; anchors and tags are not needed in a profile',
      })),
    );
  }
  const alias = firstAlias(document);
  if (alias !== null) {
    const line = Math.max(lines.linePos(alias).line, 1);
    const what = 'aliases are not allowed in a profile';
    return problems([{ file, line, path: '', what, hint: 'write the value out' }]);
  }
  const raw: unknown = document.toJS();
  const parsed = profileSchema.safeParse(raw);
  const findings = [
    ...idFindings(raw, file),
    ...(parsed.success
      ? meaningFindings(parsed.data)
      : parsed.error.issues.flatMap((issue) => issueFindings(issue, raw))),
  ];
  if (parsed.success && findings.length === 0) return { kind: 'profile', profile: parsed.data };
  const placed = findings.map(({ path, what, hint }) => ({
    file,
    line: lineOf(document, lines, path),
    path: pathText(path),
    what,
    hint,
  }));
  return problems(placed.toSorted((a, b) => a.line - b.line));
}

/** Reads and checks one file. A file that cannot be read is a problem, not an error. */
export async function readProfileFile(file: string): Promise<ProfileReading> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) {
      return problem(
        file,
        `${size} bytes are too many for a profile (at most ${MAX_FILE_BYTES})`,
        'is this the right file?',
      );
    }
    const bytes = await readFile(file);
    return readProfileText(new TextDecoder('utf-8', { fatal: true }).decode(bytes), file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      return problem(file, 'not UTF-8', 'save the file as UTF-8 text');
    if (/^E[A-Z0-9]+$/.test(code))
      return problem(file, `cannot be read: ${code}`, 'check path and permissions');
    throw error;
  }
}

/** Reads every `maker/model.yaml` below `directory`, or those `wanted`. Never rejects for what a file or a directory holds. */
export async function loadProfiles(
  directory: string = PROFILE_DIRECTORY,
  wanted: (id: string) => boolean = () => true,
): Promise<ProfileStore> {
  const profiles = new Map<string, Profile>();
  const found: ProfileProblem[] = [];
  let names: string[];
  try {
    names = await readdir(directory, { recursive: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const what = `the directory cannot be read: ${code}`;
    return {
      profiles,
      problems: [{ file: directory, line: 1, path: '', what, hint: 'check path and permissions' }],
    };
  }
  const stem = (name: string): string => name.replace(/\.ya?ml$/, '');
  const files = names.filter((name) => stem(name) !== name);
  for (const name of files.toSorted((a, b) => (stem(a) < stem(b) ? -1 : 1))) {
    if (!wanted(stem(name))) continue;
    const file = join(directory, name);
    if (!PROFILE_ID.test(name.replace(/\.yaml$/, ''))) {
      const hint = 'profiles stand at maker/model.yaml: lower case letters, digits and dashes';
      found.push({ file, line: 1, path: '', what: `${shown(name)} is no place for a profile`, hint });
      continue;
    }
    const reading = await readProfileFile(file);
    if (reading.kind === 'profile') profiles.set(reading.profile.id, reading.profile);
    else found.push(...reading.problems);
  }
  return { profiles, problems: found };
}

/** The offset of the first alias (`*name`), or `null`. A few aliases of aliases would expand to gigabytes. */
function firstAlias(document: Document): number | null {
  let found: number | null = null;
  visit(document, {
    Alias(_, node) {
      found = node.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return found;
}

const problems = (list: readonly ProfileProblem[]): ProfileReading => ({ kind: 'problems', problems: list });
const problem = (file: string, what: string, hint: string): ProfileReading =>
  problems([{ file, line: 1, path: '', what, hint }]);

function idFindings(raw: unknown, file: string): readonly Finding[] {
  const wanted = idOfPath(file);
  const id = valueAt(raw, ['id']);
  if (typeof id !== 'string' || id === wanted) return [];
  return [
    {
      path: ['id'],
      what: `${shown(id)} does not match the file's place`,
      hint: `write "${wanted}" or move the file`,
    },
  ];
}

function issueFindings(issue: z.core.$ZodIssue, raw: unknown): readonly Finding[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const subject = path.length === 0 ? 'profile' : pathText(path.slice(-1));
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(raw, path);
    const hint = known.length === 0 ? 'remove it or correct its name' : `known here: ${known.join(', ')}`;
    return issue.keys.map((key) => ({ path: [...path, key], what: `unknown key ${shown(key)}`, hint }));
  }
  const value = valueAt(raw, path);
  if (value === undefined)
    return [
      { path, what: `${subject} is missing`, hint: 'add it; see firmware-profiles/profile.schema.json' },
    ];
  const what =
    issue.code === 'invalid_union'
      ? `${subject} names no known kind: ${issue.message}`
      : `${subject}: ${issue.message}`;
  return [{ path, what, hint: hintFor(path, value) }];
}

function hintFor(path: readonly (string | number)[], value: unknown): string {
  const key = path.at(-1);
  if (key === 'value' && path[0] === 'connect') return 'write 0xFF00; never a toggle command';
  if (key === 'value') return 'write 0x0000; never a toggle command';
  if (path[0] === 'hardware_lease' && (key === 'max' || key === 'min'))
    return 'the value field has 16 bits: 1 to 65535';
  if (key === 'request' || key === 'reply') return 'write bytes as in: 01 05 00 00 FF 00 8C 3A';
  if (key === 'checked_on') return 'write a calendar date as in 2026-11-20';
  const got =
    typeof value === 'string'
      ? shown(value)
      : typeof value === 'number'
        ? String(value)
        : Array.isArray(value)
          ? 'a list'
          : typeof value;
  return `found ${got}; see firmware-profiles/profile.schema.json`;
}

/** The keys that the schema knows at a path. */
function knownKeys(raw: unknown, path: readonly (string | number)[]): readonly string[] {
  let here: unknown = driverShape(raw);
  path.forEach((part, depth) => {
    const inner =
      typeof part === 'number' ? innerOf(here, 'element') : valueAt(innerOf(here, 'shape'), [part]);
    here = kindOf(inner, valueAt(raw, path.slice(0, depth + 1)));
  });
  const shape = innerOf(here, 'shape');
  return typeof shape === 'object' && shape !== null ? Object.keys(shape) : [];
}

/** The shape of the driver that the file names. */
const driverShape = (raw: unknown): unknown =>
  profileSchema.options.find((shape) => shape.shape.driver.value === valueAt(raw, ['driver']));

/** Of a union the kind that `value` names; anything else as it is. */
function kindOf(schema: unknown, value: unknown): unknown {
  const union = unwrapped(schema);
  const options = valueAt(union, ['def', 'options']);
  const key = valueAt(union, ['def', 'discriminator']);
  if (!Array.isArray(options) || typeof key !== 'string') return schema;
  const named = valueAt(value, [key]);
  return options.find((option: unknown) => {
    const values = valueAt(innerOf(option, 'shape'), [key, 'def', 'values']);
    return Array.isArray(values) && values.includes(named);
  });
}

/** `schema.shape` or `schema.element`, through optional and default wrappers. */
function innerOf(schema: unknown, member: 'shape' | 'element'): unknown {
  const here = unwrapped(schema);
  return typeof here === 'object' && here !== null ? (here as Record<string, unknown>)[member] : undefined;
}

/** The schema below optional and default wrappers. */
function unwrapped(schema: unknown): unknown {
  let here = schema;
  for (;;) {
    const inner = valueAt(here, ['def', 'innerType']);
    if (inner === undefined) return here;
    here = inner;
  }
}

function valueAt(raw: unknown, path: readonly (string | number)[]): unknown {
  let here = raw;
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return undefined;
    here = (here as Record<string | number, unknown>)[part];
  }
  return here;
}

/** The line of a path; for what is missing, the line of the nearest thing around it. */
function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (pair === undefined) break;
      offset = (isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      offset = (isNode(node) ? node.range?.[0] : undefined) ?? offset;
    } else break;
  }
  return Math.max(lines.linePos(offset).line, 1);
}

const pathText = (path: readonly (string | number)[]): string =>
  path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      const name = /^[a-z0-9_-]{1,60}$/.test(part) ? part : shown(part);
      return index === 0 ? name : `.${name}`;
    })
    .join('');
