/**
 * Two people who approve what otherwise needs presence, each by a one-time code that the interlock itself verifies.
 *
 * A code counts once, whatever came of it, also over a restart: the last step of every approver is on disk before an
 * approval counts. Wrong codes are counted per approver; after a few the approver is refused for a while. All of this delays
 * a reset, a run by hand or a session, and nothing else: no cut and no trip comes this way.
 *
 * The bad case that remains: one person who has both secrets.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { own } from '../../core/names.ts';
import type { Refusal } from '../../core/link.ts';
import type { Disk } from '../../journal/disk.ts';
import type { Approval } from '../../protocol/authority.ts';
import { printable } from '../../sources/excerpt.ts';
import type { Clock } from '../clock.ts';
import { StateFile } from '../records/state-file.ts';
import { secretOf, stepOfCode } from './totp.ts';

/** People who must agree. */
export const APPROVERS_NEEDED = 2;
/** Wrong codes of one approver within this time after which codes are refused, ms. */
export const WRONG_CODES_MS = 5 * 60 * 1_000;
/** More than two people may send wrong through the API in that time (three each, `api/people/code-tries.ts`): two together lock nobody. */
export const MOST_WRONG_CODES = 7;
/** Longest file with a secret, bytes. */
const MAX_FILE_BYTES = 4_096;
const OTHERS_MAY_READ = 0o077;
const MAX_NAME_CHARS = 60;
const MAX_WHY_CHARS = 200;
const FILE = 'approvals.json';

/** Who approved, or why nobody did. */
export type Approved =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly refusals: readonly Refusal[] };

type Secret =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly why: string };

/** The approvers of this box. */
export class Approvers {
  readonly #files: ReadonlyMap<string, string>;
  readonly #clock: Clock;
  readonly #file: StateFile<Record<string, number>>;
  /** The last step of which a code was taken, by approver. */
  #steps: Record<string, number> = {};
  readonly #wrong = new Map<string, number[]>();

  /** `files`: the file with the secret of each approver. */
  constructor(disk: Disk, directory: string, files: ReadonlyMap<string, string>, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
    const file = { name: FILE, what: 'record of one-time codes', shape: z.record(z.string(), z.number()) };
    this.#file = new StateFile(disk, directory, file, () => this.#steps);
  }

  /** Of whom a code may count. */
  get names(): readonly string[] {
    return [...this.#files.keys()];
  }

  async load(): Promise<void> {
    this.#steps = (await this.#file.load()) ?? this.#steps;
  }

  /** Verifies and uses up these codes. Never rejects. */
  async approve(approvals: readonly Approval[]): Promise<Approved> {
    const names = [...new Set(approvals.map(({ name }) => name))];
    if (names.length < APPROVERS_NEEDED || names.length !== approvals.length)
      return refused([tooFewApprovers]);
    const strangers = names.filter((name) => !this.#files.has(name));
    if (strangers.length > 0) return refused(strangers.map(approverUnknown));
    const secrets = await Promise.all(names.map((name) => secretIn(this.#files.get(name) ?? '')));
    // From here to the saving nothing is awaited: no code counts for two requests.
    const refusals = approvals.flatMap(({ name, code }, i) => this.#use(name, code, secrets[i]));
    if (alike(secrets)) refusals.push(secretShared);
    // What was used up is kept; a wrong code is not worth a write.
    if (refusals.length < names.length) {
      const unkept = await this.#file.save().then(
        () => [],
        (error: unknown) => [codesUnrecorded(String(error).slice(0, MAX_WHY_CHARS))],
      );
      refusals.push(...unkept);
    }
    return refusals.length > 0 ? refused(refusals) : { ok: true, names };
  }

  /** Uses up one code, or says why not. */
  #use(name: string, code: string, secret: Secret | undefined): Refusal[] {
    const now = this.#clock.now();
    const wrong = (this.#wrong.get(name) ?? []).filter((at) => now - at < WRONG_CODES_MS);
    this.#wrong.set(name, wrong);
    if (wrong.length >= MOST_WRONG_CODES) return [tooManyWrong(name)];
    if (secret?.ok !== true) return [secretUnusable(name, secret?.why ?? 'it was not read')];
    const step = stepOfCode(secret.bytes, code, this.#clock.calendarMs());
    if (step === null) {
      wrong.push(now);
      return [codeWrong(name)];
    }
    if (step <= (own(this.#steps, name) ?? -1)) return [codeUsed(name)];
    this.#steps = { ...this.#steps, [name]: step };
    return [];
  }
}

/** Reads the secret of one approver; a file that others may read holds no secret. Never rejects, never waits for a pipe. */
async function secretIn(path: string): Promise<Secret> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = await handle.stat();
      if (!facts.isFile() || facts.size > MAX_FILE_BYTES)
        return { ok: false, why: 'it is no file of a secret' };
      if ((facts.mode & OTHERS_MAY_READ) !== 0)
        return { ok: false, why: 'others than its owner may use it; make it 0600 and enrol anew' };
      const bytes = secretOf(await handle.readFile('utf8'));
      return bytes === null ? { ok: false, why: 'it holds no secret in base32' } : { ok: true, bytes };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return {
      ok: false,
      why: (error instanceof Error ? error.message : String(error)).slice(0, MAX_WHY_CHARS),
    };
  }
}

function alike(secrets: readonly Secret[]): boolean {
  const texts = secrets.flatMap((secret) => (secret.ok ? [Buffer.from(secret.bytes).toString('hex')] : []));
  return new Set(texts).size < texts.length;
}

const refused = (refusals: readonly Refusal[]): Approved => ({ ok: false, refusals });

const tooFewApprovers: Refusal = {
  code: 'approvals-missing',
  why: 'from afar this needs the codes of two different people',
  hint: 'add --approve NAME:CODE once for each of two approvers, or do it at the box',
};
const approverUnknown = (name: string): Refusal => ({
  code: 'approver-unknown',
  why: `there is no approver ${printable(name, MAX_NAME_CHARS)}`,
  hint: 'see `approvers` in the configuration; enrol one at the box with `portcullis approver add NAME`',
});
const codeWrong = (name: string): Refusal => ({
  code: 'code-wrong',
  why: `the code of ${name} is wrong`,
  hint: 'type the code that the application shows now, and compare the clocks of telephone and box',
});
const codeUsed = (name: string): Refusal => ({
  code: 'code-used',
  why: `this code of ${name}, or a newer one, was used before`,
  hint: 'a code counts once, whatever came of it: wait for the next one, half a minute at most',
});
const tooManyWrong = (name: string): Refusal => ({
  code: 'approver-locked',
  why: `${MOST_WRONG_CODES} codes of ${name} were wrong within five minutes`,
  hint: 'wait five minutes, let another approver give a code, or do it at the box',
});
const secretUnusable = (name: string, why: string): Refusal => ({
  code: 'approver-not-enrolled',
  why: `the secret of ${name} cannot be used: ${printable(why, MAX_WHY_CHARS)}`,
  hint: 'enrol at the box: `portcullis approver add NAME`',
});
const secretShared: Refusal = {
  code: 'approvers-alike',
  why: 'these approvers have one secret: they are one person',
  hint: 'enrol one of them anew at the box',
};
const codesUnrecorded = (why: string): Refusal => ({
  code: 'codes-unrecorded',
  why: `used codes cannot be recorded: ${printable(why, MAX_WHY_CHARS)}`,
  hint: 'make room on or repair the disk of state_directory, or do it at the box',
});
