/** `portcullis profile list|show|check|schema`. Each returns the exit code: 0 done, 1 problems found, 2 the call was wrong. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { leaseRange } from './hardware-lease.ts';
import { transportsOf } from './place.ts';
import { profileJsonSchema } from './profile.ts';
import { profileText } from './profile-text.ts';
import { loadProfiles, PROFILE_DIRECTORY, readProfileFile, type ProfileProblem } from './profile-store.ts';

export type ExitCode = 0 | 1 | 2;

/** Where a command's words go. Text holds its own line ends. */
export interface ProfileCommandOptions {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** One JSON object on `write` instead of text. */
  readonly json?: boolean;
  /** Where profiles stand; those that come with the program unless given. */
  readonly directory?: string;
}

/** Lists every profile. Broken files are reported and make it 1. */
export async function profileList(options: ProfileCommandOptions): Promise<ExitCode> {
  const { profiles, problems } = await loadProfiles(options.directory ?? PROFILE_DIRECTORY);
  const rows = [...profiles.values()].map((profile) => ({
    id: profile.id,
    maker: profile.maker,
    model: profile.model,
    driver: profile.driver,
    transports: transportsOf(profile),
    contact: profile.contact,
    hardware_lease: leaseRange(profile) !== null,
    grade: profile.evidence.grade,
    unsuitable: profile.unsuitable ?? null,
  }));
  if (options.json === true) {
    options.write(`${JSON.stringify({ profiles: rows, problems })}\n`);
  } else {
    const width = Math.max(...rows.map(({ id }) => id.length), 0);
    for (const row of rows)
      options.write(
        `${row.id.padEnd(width)}  ${(row.unsuitable === null ? row.grade : 'UNSUITABLE').padEnd(10)}  ${row.driver.padEnd(7)}  ${row.contact.padEnd(9)}  ${row.maker} ${row.model}\n`,
      );
    for (const problem of problems) options.writeError(`${problemLine(problem)}\n`);
  }
  return problems.length === 0 ? 0 : 1;
}

/** Shows one profile. */
export async function profileShow(id: string, options: ProfileCommandOptions): Promise<ExitCode> {
  const { profiles, problems } = await loadProfiles(options.directory ?? PROFILE_DIRECTORY);
  const profile = profiles.get(id);
  if (profile === undefined) {
    for (const problem of problems) options.writeError(`${problemLine(problem)}\n`);
    options.writeError(
      `no usable profile ${JSON.stringify(id.slice(0, 100))}; known: ${[...profiles.keys()].join(', ')}\n`,
    );
    return 2;
  }
  options.write(options.json === true ? `${JSON.stringify(profile)}\n` : profileText(profile));
  return 0;
}

/** Checks one file and prints everything that is wrong with it. */
export async function profileCheck(file: string, options: ProfileCommandOptions): Promise<ExitCode> {
  const reading = await readProfileFile(resolve(file));
  const problems = reading.kind === 'problems' ? reading.problems : [];
  const named = problems.map((problem) => ({ ...problem, file }));
  if (options.json === true) {
    const id = reading.kind === 'profile' ? reading.profile.id : null;
    options.write(`${JSON.stringify({ file, ok: problems.length === 0, id, problems: named })}\n`);
  } else if (reading.kind === 'profile') {
    const { id, examples, evidence } = reading.profile;
    options.write(`${file}: ${id} is sound (${examples.length} examples computed; ${evidence.grade})\n`);
  } else {
    for (const problem of named) options.write(`${problemLine(problem)}\n`);
    options.writeError(`${file}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n`);
  }
  if (problems.length === 0) return 0;
  return existsSync(file) ? 1 : 2;
}

/** Prints the JSON schema for editors; `firmware-profiles/profile.schema.json` holds the same, formatted. */
export function profileSchemaText(options: Pick<ProfileCommandOptions, 'write'>): ExitCode {
  options.write(profileJsonSchema());
  return 0;
}

const problemLine = ({ file, line, path, what, hint }: ProfileProblem): string =>
  `${file}:${line}: ${path === '' ? '' : `${path}: `}${what}\n    → ${hint}`;
