/** Reads a configuration file and reports everything that is wrong with it, at once. Repairs nothing. */
import { isUtf8 } from 'node:buffer';
import { readdir, readFile } from 'node:fs/promises';
import { acceptedPart, inFile, isIncomplete, type Accepted } from './accepted.ts';
import type { Profile } from '../contacts/profile.ts';
import type { Finding, Surroundings } from './text/finding.ts';
import { deadManFindings } from './meaning/dead-man.ts';
import { guardFindings } from './meaning/guards.ts';
import { lampFindings } from './meaning/lamps.ts';
import { linkFindings } from './meaning/links.ts';
import { certificateSourceFindings, listenerFindings } from './meaning/listeners.ts';
import { repositoryFindings } from './meaning/repositories.ts';
import { permissiveFindings } from './meaning/permissives.ts';
import { busSecretFindings, processFindings, sourceFindings } from './meaning/sources.ts';
import { notifyFindings } from './meaning/notify.ts';
import { approverFindings, buttonFindings } from './meaning/people.ts';
import { windowFindings } from './meaning/windows.ts';
import { problemAt, schemaProblems, sortedProblems, type Problem } from './text/problems.ts';
import { configSchema, type Config } from './schema.ts';
import { inspectSecretFile, secretPaths, type SecretFile, type SecretsOf } from './secret-files.ts';
import { readYaml, type Written } from './text/yaml.ts';

/** Longest configuration file, bytes. */
export const MAX_CONFIG_BYTES = 1_048_576;
const NETWORK_INTERFACES = '/sys/class/net';

export interface LoadOptions {
  readonly profiles: ReadonlyMap<string, Profile>;
  /** Whose secrets are looked at; the others need not be readable. */
  readonly secretsOf: SecretsOf;
}

/** What became of a configuration file. */
export type Loaded =
  | { readonly kind: 'unreadable'; readonly why: string }
  /** `problems` has at least one error. */
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  /** `problems` has warnings only. */
  | { readonly kind: 'valid'; readonly config: Config; readonly problems: readonly Problem[] };

/** Reads and checks `file`. Never rejects. */
export async function loadConfig(file: string, options: LoadOptions): Promise<Loaded> {
  const text = await readText(file);
  if (!text.ok) return { kind: 'unreadable', why: text.why };
  return checkText(text.text, options.profiles, {
    interfaces: await interfaceNames(),
    secretsIn: async (config) => {
      const paths = secretPaths(config, options.secretsOf);
      return new Map(
        await Promise.all(paths.map(async (path) => [path, await inspectSecretFile(path)] as const)),
      );
    },
  });
}

/** What the check asks the machine. */
export interface Machine {
  readonly interfaces: readonly string[] | null;
  readonly secretsIn: (config: Config) => Promise<ReadonlyMap<string, SecretFile>>;
}

/** Checks the text of a configuration file. */
export async function checkText(
  text: string,
  profiles: ReadonlyMap<string, Profile>,
  machine: Machine,
): Promise<Exclude<Loaded, { kind: 'unreadable' }>> {
  const written = readYaml(text);
  if (written.file === undefined) return { kind: 'invalid', problems: sortedProblems(written.problems) };
  const parsed = configSchema.safeParse(written.file);
  const issues = parsed.success ? [] : parsed.error.issues;
  const problems = [...written.problems, ...schemaProblems(issues, written.file, written.positions)];
  const accepted = parsed.success ? { config: parsed.data, removed: [] } : acceptedPart(written.file);
  if (accepted !== null) {
    const secrets = await machine.secretsIn(accepted.config);
    const around = { profiles, interfaces: machine.interfaces, secrets, names: namesIn(written) };
    problems.push(...meaningProblems(written, accepted, around));
  }
  const all = sortedProblems(problems);
  if (!parsed.success || all.some(({ severity }) => severity === 'error'))
    return { kind: 'invalid', problems: all };
  return { kind: 'valid', config: parsed.data, problems: all };
}

const namesIn = ({ positions }: Written): Surroundings['names'] => ({
  buses: positions.keys(['buses']),
  links: positions.keys(['links']),
  repositories: positions.keys(['repositories']),
  sources: positions.keys(['sources']),
});

function meaningProblems(written: Written, accepted: Accepted, around: Surroundings): readonly Problem[] {
  const { config, removed } = accepted;
  const findings = [
    ...processFindings(config, written.positions.has(['links'])),
    ...listenerFindings(config, around),
    ...certificateSourceFindings(config),
    ...linkFindings(config, around),
    ...sourceFindings(config, around),
    ...permissiveFindings(config, around.names.sources),
    ...repositoryFindings(config, around),
    ...busSecretFindings(config, around),
    ...buttonFindings(config, around),
    ...lampFindings(config, around),
    ...deadManFindings(config),
    ...approverFindings(config),
    ...windowFindings(config, around),
    ...guardFindings(config, around),
    ...notifyFindings(config, around),
  ];
  return findings.flatMap((finding) => {
    const path = inFile(finding.path, removed);
    const because = inFile(finding.because ?? finding.path, removed);
    return isIncomplete(because, removed, (place) => written.positions.has(place))
      ? []
      : [placed({ ...finding, path }, written)];
  });
}

function placed({ severity, path, atKey, what, hint }: Finding, { positions }: Written): Problem {
  const place = atKey === true ? positions.ofKey(path) : positions.ofValue(path);
  return problemAt(severity, path, place, what, hint);
}

type Text = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: string };

/** Why a configuration could not be read. An installed one is for root and the group of the two processes only. */
export function readFailure(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  const isDenied = 'code' in failure && failure.code === 'EACCES';
  return isDenied ? `${failure.message}; run the command with sudo` : failure.message;
}

async function readText(file: string): Promise<Text> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (failure) {
    return { ok: false, why: readFailure(failure) };
  }
  if (bytes.length > MAX_CONFIG_BYTES)
    return { ok: false, why: `it is longer than ${MAX_CONFIG_BYTES} bytes` };
  return isUtf8(bytes)
    ? { ok: true, text: new TextDecoder().decode(bytes) }
    : { ok: false, why: 'it is not UTF-8 text' };
}

async function interfaceNames(): Promise<readonly string[] | null> {
  try {
    return await readdir(NETWORK_INTERFACES);
  } catch {
    // Without sysfs nobody can say; the check for missing interfaces is left out.
    return null;
  }
}
