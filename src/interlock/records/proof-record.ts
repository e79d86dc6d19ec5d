/** What the last proof test of every contact came to. It must outlive the interlock: a contact that failed stays failed. */
import { z } from 'zod';
import { own } from '../../core/names.ts';
import type { Evidence } from '../../core/evidence.ts';
import type { Refusal } from '../../core/link.ts';
import type { Millis } from '../../core/time.ts';
import type { Disk } from '../../journal/disk.ts';
import { StateFile } from './state-file.ts';

const FILE = 'proofs.json';
const proof = z.strictObject({
  outcome: z.enum(['passed', 'failed']),
  basis: z.enum(['witness', 'read-back', 'none']),
  /** ms from the command until isolation was seen; null when it was not. */
  tookMs: z.number().nullable(),
  /** Calendar ms; a label, and the age that makes a proof overdue. */
  at: z.number(),
  by: z.enum(['window', 'commissioning']),
});
/** `order`: later proofs have higher numbers, whatever the calendar says. */
const kept = proof.extend({ order: z.number() });
const shape = z.record(z.string(), z.record(z.string(), kept));

/** One result. A test that was not done leaves none. */
export type Proof = Readonly<z.infer<typeof proof>>;
/** The last result of every contact of one link; a contact that was never tested is not named. */
export type Proofs = Readonly<Record<string, Readonly<z.infer<typeof kept>>>>;

/** Keeps the last proof of every contact of every link. When the file cannot be read it says so in `unreadable`, and no lease is granted. */
export class ProofRecord {
  readonly #file: StateFile<Record<string, Proofs>>;
  #content: Record<string, Proofs> = {};

  constructor(disk: Disk, directory: string) {
    const file = { name: FILE, what: 'record of proofs', shape };
    this.#file = new StateFile(disk, directory, file, () => this.#content);
  }

  async load(): Promise<void> {
    this.#content = (await this.#file.load()) ?? this.#content;
  }

  /** Why the proofs are not known, or null. */
  get unreadable(): string | null {
    return this.#file.unreadable;
  }

  /** Why the last write failed, or null; it is tried again until it succeeds. */
  get unwritable(): string | null {
    return this.#file.unwritable;
  }

  of(link: string): Proofs {
    return own(this.#content, link) ?? {};
  }

  /** Replaces the last proof of these contacts; counts at once, and survives power loss once this resolves. */
  record(link: string, proofs: Readonly<Record<string, Proof>>): Promise<void> {
    const before = this.of(link);
    const order = 1 + Math.max(0, ...Object.values(before).map((each) => each.order));
    const now: Proofs = Object.fromEntries(
      Object.entries(proofs).map(([contact, each]): [string, Proofs[string]] => [
        contact,
        { ...each, order },
      ]),
    );
    this.#content = { ...this.#content, [link]: { ...before, ...now } };
    return this.#file.save();
  }

  /** Tries again, now and then, to write what could not be written. */
  retry(now: Millis): void {
    this.#file.retry(now);
  }
}

/** What commissioning found out about one contact. */
export interface ContactProven {
  readonly contact: string;
  readonly basis: Exclude<Evidence['basis'], 'none'>;
  /** ms from the command until isolation was seen. */
  readonly tookMs: number;
}

/** A commissioning that went well is a proof of every contact it names. Rejects when it could not be written. */
export const recordProof = (
  record: ProofRecord,
  link: string,
  proven: readonly ContactProven[],
  calendarMs: number,
): Promise<void> =>
  record.record(
    link,
    Object.fromEntries(
      proven.map(({ contact, basis, tookMs }): [string, Proof] => [
        contact,
        { outcome: 'passed', basis, tookMs, at: calendarMs, by: 'commissioning' },
      ]),
    ),
  );

/** Tests that came to nothing, by contact: where they stand among the `order`s of the proofs. */
export type Tries = ReadonlyMap<string, number>;
const NO_TRIES: Tries = new Map();

/**
 * The contact whose turn was the longest ago; of those that never had one the first. A test that came to nothing proves nothing
 * and disproves nothing, but it was a turn: one that never comes to anything must not keep the others from theirs.
 */
export const turnOf = (
  proofs: Proofs,
  contacts: readonly string[],
  tries: Tries = NO_TRIES,
): string | undefined =>
  contacts.toSorted((a, b) => lastTurn(a, proofs, tries) - lastTurn(b, proofs, tries))[0];

/** Where a test that comes to nothing now stands: behind every turn there was, before the next proof. */
export function triedNow(proofs: Proofs, tries: Tries): number {
  const newest = Math.max(0, ...Object.values(proofs).map(({ order }) => order));
  return (Math.max(newest, ...tries.values()) + newest + 1) / 2;
}

const lastTurn = (contact: string, proofs: Proofs, tries: Tries): number =>
  Math.max(own(proofs, contact)?.order ?? 0, tries.get(contact) ?? 0);

/**
 * Why the proofs of these contacts refuse a lease. A contact without any is left to the record of commissioning; where that
 * says that it proved the contact, its proof was lost, and with it whether a later one failed. `leased`: a lease is in
 * force, and its end is what will do the next test.
 */
export function proofRefusals(
  proofs: Proofs,
  contacts: readonly string[],
  { link, calendarMs, maxAgeMs, leased, commissioned }: ProofTerms,
): readonly Refusal[] {
  return contacts.flatMap((contact): Refusal[] => {
    const last = own(proofs, contact);
    const hint = `see that it lets go (\`portcullis journal tail\`), then prove it at the box: \`portcullis commission ${link}\``;
    if (last === undefined && !commissioned.includes(contact)) return [];
    if (last === undefined)
      return [
        {
          code: 'proof-missing',
          why: `no proof test of ${contact} is on record, although its commissioning was one: proofs.json in state_directory was lost or replaced`,
          hint,
        },
      ];
    if (last.outcome === 'failed')
      return [
        {
          code: 'proof-failed',
          why: `the last proof test of ${contact} failed: alone it was not seen to isolate the link`,
          hint,
        },
      ];
    // A proof from the far future is as old as nobody knows: the clock was set back.
    if (leased || Math.abs(calendarMs - last.at) <= maxAgeMs) return [];
    return [
      {
        code: 'proof-overdue',
        why: `the last proof test of ${contact} is older than proof_test_max_age`,
        hint,
      },
    ];
  });
}

/** What the age of proofs is judged by. */
export interface ProofTerms {
  readonly link: string;
  readonly calendarMs: number;
  readonly maxAgeMs: number;
  readonly leased: boolean;
  /** Contacts that the record of commissioning says were proven. */
  readonly commissioned: readonly string[];
}
