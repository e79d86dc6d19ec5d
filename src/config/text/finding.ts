/** What the checks of meaning find, before it has a place in the text. */
import type { Profile } from '../../contacts/profile.ts';
import type { SecretFile } from '../secret-files.ts';
import { nearest } from './nearest.ts';
import type { Path } from './positions.ts';
import { quoted } from './problems.ts';

export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly path: Path;
  /** Where the reason stands when that is elsewhere. */
  readonly because?: Path;
  /** The finding is about the key rather than its value. */
  readonly atKey?: boolean;
  readonly what: string;
  readonly hint: string;
}

/** What the file's meaning depends on outside the file. */
export interface Surroundings {
  readonly profiles: ReadonlyMap<string, Profile>;
  /** Network interfaces of this machine; `null` when they cannot be listed. */
  readonly interfaces: readonly string[] | null;
  /** Files that hold secrets, by path; those that are not this process's business are missing. */
  readonly secrets: ReadonlyMap<string, SecretFile>;
  /** Names that stand in the file under these keys, also where their entries are wrong. */
  readonly names: Readonly<Record<'buses' | 'links' | 'repositories' | 'sources', readonly string[]>>;
}

export const error = (path: Path, what: string, hint: string): Finding => ({
  severity: 'error',
  path,
  what,
  hint,
});
export const warning = (path: Path, what: string, hint: string): Finding => ({
  severity: 'warning',
  path,
  what,
  hint,
});

/** An error unless `name` is one of `known`. */
export function unresolved(
  path: Path,
  kind: string,
  name: string,
  known: readonly string[],
): readonly Finding[] {
  if (known.includes(name)) return [];
  const meant = nearest(name, known);
  let hint = known.length === 0 ? 'none is configured' : `there are: ${known.slice(0, 12).join(', ')}`;
  if (meant !== null) hint = `did you mean ${quoted(meant)}?`;
  return [error(path, `no ${kind} is called ${quoted(name)}`, hint)];
}
