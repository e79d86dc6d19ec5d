/** `portcullis profile list|show|check|schema`. Each returns the exit code: 0 done, 1 problems found, 2 the call was wrong. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { profileJsonSchema, type Profile } from './profile.ts';
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

/** How far the grade of a profile may be trusted, in words. */
const GRADE_WORDS: Readonly<Record<Profile['evidence']['grade'], string>> = {
  paper: 'paper: taken from documents, nothing of it has been verified on hardware',
  simulated: 'simulated: tried against an emulation only, nothing of it has been verified on hardware',
  bench: 'bench: tried on a board on the bench',
  field: 'field: in use on real installations',
};

/** Lists every profile. Broken files are reported and make it 1. */
export async function profileList(options: ProfileCommandOptions): Promise<ExitCode> {
  const { profiles, problems } = await loadProfiles(options.directory ?? PROFILE_DIRECTORY);
  const rows = [...profiles.values()].map(
    ({ id, maker, model, channels, transports, evidence, hardware_lease: lease }) => ({
      id,
      maker,
      model,
      channels,
      transports,
      hardware_lease: lease !== undefined,
      grade: evidence.grade,
    }),
  );
  if (options.json === true) {
    options.write(`${JSON.stringify({ profiles: rows, problems })}\n`);
  } else {
    const width = Math.max(...rows.map(({ id }) => id.length), 0);
    for (const row of rows)
      options.write(`${row.id.padEnd(width)}  ${row.grade.padEnd(9)}  ${row.maker} ${row.model}\n`);
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

function profileText(profile: Profile): string {
  const { serial, tcp_ports: ports, hardware_lease: lease, timings, evidence } = profile;
  const rows: [string, string][] = [
    ['id', profile.id],
    ['board', `${profile.maker} ${profile.model}`],
    ['evidence', `${GRADE_WORDS[evidence.grade]} (${evidence.source}; checked ${evidence.checked_on})`],
    ['transports', profile.transports.map((name) => transportText(name, ports)).join(', ')],
  ];
  if (serial !== undefined) {
    const parity = serial.parity.slice(0, 1).toUpperCase();
    rows.push(['serial', `${serial.baud} ${serial.data_bits}${parity}${serial.stop_bits}`]);
  }
  rows.push(
    ['unit', String(profile.unit)],
    ['channels', `1 to ${profile.channels}, ${profile.contact}; without power: ${profile.without_power}`],
    ['isolate all', profile.isolate_all === undefined ? 'channel by channel' : 'one frame'],
    ['read-back', `${profile.read.reports} state`],
    ['inputs', profile.inputs === undefined ? 'none' : `1 to ${profile.inputs.quantity}`],
  );
  if (lease === undefined)
    rows.push(['hardware lease', 'none: nothing in the board isolates when the controller dies']);
  else {
    const { renewal, isolate_cancels: cancels, connect_makes_permanent: permanent } = lease.evidence;
    rows.push(
      [
        'hardware lease',
        `${lease.min * lease.unit_ms} to ${lease.max * lease.unit_ms} ms, default ${lease.default_ms} ms`,
      ],
      ['', `renewal ${renewal}; isolate cancels it: ${cancels}; connect makes it permanent: ${permanent}`],
    );
  }
  for (const check of profile.startup_checks) rows.push(['start-up check', `${check.name}: ${check.danger}`]);
  rows.push([
    'timings',
    `reply ${timings.reply_timeout_ms} ms, gap ${timings.gap_ms} ms, settle ${timings.settle_ms} ms, latest reply ${timings.worst_reply_delay_ms} ms`,
  ]);
  for (const danger of profile.dangers) rows.push(['danger', danger]);
  return rows.map(([name, value]) => `${name.padEnd(15)} ${value}\n`).join('');
}

const transportText = (name: Profile['transports'][number], ports: Profile['tcp_ports']): string => {
  const port = name === 'modbus-rtu' ? undefined : ports?.[name];
  return port === undefined ? name : `${name} (port ${port})`;
};
