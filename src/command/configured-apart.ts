/**
 * Reads the configuration in a process that ends afterwards: the parser, the schemas and the checks take 30 MB that the
 * interlock and the controller need once, and would keep for years.
 *
 * What comes back is what `configured` gives. A process that dies, hangs or says nothing is an error like any other.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SecretsOf } from '../config/secret-files.ts';
import type { Configured } from './configured.ts';
import { CommandError, type ExitCode } from './exit.ts';

/**
 * How long the reading of a configuration may take, ms. A slow board needs seconds, an overloaded one many. Below the
 * TimeoutStartSec= of both units, so that this process is the one that says why: systemd would only say that it was late.
 */
export const READ_WITHIN_MS = 60_000;

const MAIN = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url),
);

/** What the process says. */
type Said =
  | ({ readonly kind: 'configured' } & Configured)
  | { readonly kind: 'refused'; readonly code: 1 | 2; readonly why: string };

/**
 * As `configured` with warnings. Problems are printed by the process that finds them; `main` is its program, and it has
 * `withinMs`.
 */
export async function configuredApart(
  file: string,
  secretsOf: Exclude<SecretsOf, 'none'>,
  main: string = MAIN,
  withinMs: number = READ_WITHIN_MS,
): Promise<Configured> {
  const said = await new Promise<Said>((resolve, reject) => {
    const child = fork(main, ['configuration', '--config', file, '--secrets', secretsOf], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      timeout: withinMs,
      killSignal: 'SIGKILL',
    });
    let heard: Said | null = null;
    child.once('message', (message) => {
      heard = message as Said;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (heard !== null) return resolve(heard);
      // Node.js counts only its own signal, which is the one at the end of the time.
      const why = child.killed
        ? ({ kind: 'late', withinMs } as const)
        : ({ kind: 'died', code, signal } as const);
      reject(new CommandError(1, `${file}: ${noAnswer(why)}`));
    });
  });
  if (said.kind === 'refused') throw new CommandError(said.code, said.why);
  return { config: withoutPrototypes(said.config), profiles: said.profiles };
}

/** Why nothing came back, and what to look at. */
function noAnswer(
  why:
    | { readonly kind: 'late'; readonly withinMs: number }
    | { readonly kind: 'died'; readonly code: number | null; readonly signal: string | null },
): string {
  const who = 'the process that reads it gave no answer';
  if (why.kind === 'late')
    return `${who} within ${why.withinMs / 1_000} s and was ended; is the machine overloaded, or a file on a disk that hangs?`;
  if (why.signal !== null) return `${who}: ${why.signal} ended it; is there memory for it?`;
  return `${who} and ended with exit code ${why.code}; run \`portcullis check\``;
}

/** Reads the configuration for the process that asked, and ends. */
export async function sendConfigured(options: {
  readonly config: string;
  readonly secrets: SecretsOf;
}): Promise<ExitCode> {
  const { configured } = await import('./configured.ts');
  const said = await configured(options.config, options.secrets, { warnings: true }).then(
    (found): Said => ({ kind: 'configured', ...found }),
    (failure: unknown): Said => {
      if (!(failure instanceof CommandError)) throw failure;
      return { kind: 'refused', code: failure.code, why: failure.message };
    },
  );
  if (process.send === undefined)
    throw new CommandError(2, 'only interlock and controller call this; `portcullis check` is for people');
  await new Promise<void>((resolve, reject) => {
    process.send?.(said, (failure: Error | null) => (failure === null ? resolve() : reject(failure)));
  });
  process.disconnect();
  return 0;
}

/** Named things have no prototype, and lose that on the way: see `named` in the schema. */
function withoutPrototypes<Named extends object>(config: Named): Named {
  for (const value of Object.values(config)) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      Object.setPrototypeOf(value, null);
  }
  return config;
}
