/**
 * Goes through the journal for a month, and proves the chain on the way: from its files (a command at the box), or as the
 * interlock gives it over the socket (the controller may not read the files). Only verified entries are counted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import canonicalize from 'canonicalize';
import { createVerifier, GENESIS, type Verifier } from '../../journal/chain.ts';
import { verifyHead } from '../../journal/heads.ts';
import { type KnownHead, walkJournal } from '../../journal/reading.ts';
import type { InterlockClient } from '../../protocol/client.ts';
import { MOST_ENTRIES } from '../../protocol/journal.ts';
import type { BookEntry } from '../chronicle/book.ts';
import type { KeptReport } from './agreement.ts';
import type { JournalProof } from './month.ts';
import type { MonthTally } from './tally.ts';

/** ms between pages: the interlock has more important work. */
const BREATH_MS = 2;
/** Entries before the month that are taken in over the socket: what was connected when it began. */
const LEAD_IN = 500;
/** Entries that are gone through over the socket; a busier month is for the command at the box. */
const MOST_OVER_SOCKET = 300_000;

/** Heads to compare with, and those that cannot be used, each with why. */
export interface Heads {
  readonly known: readonly KnownHead[];
  readonly unusable: readonly string[];
}

/** The signed heads of reports, and the one of now, where their signature is right. */
export function headsOf(
  reports: readonly KeptReport[],
  signedHead: string | null,
  vkey: string | null,
): Heads {
  const given = reports.flatMap(({ window, occurrence, journal_head: text }) =>
    text === null ? [] : [{ label: `report ${window} ${occurrence}`, text }],
  );
  if (signedHead !== null) given.push({ label: 'the interlock, when this was made', text: signedHead });
  const known: KnownHead[] = [];
  const unusable: string[] = [];
  for (const { label, text } of given) {
    const verified =
      vkey === null
        ? { ok: false as const, why: 'the verification key is not known' }
        : verifyHead(text, vkey);
    if (verified.ok) known.push({ ...verified.head, label });
    else unusable.push(`${label}: ${verified.why}`);
  }
  return { known, unusable };
}

const OVER_SOCKET_NOTE =
  'the entries are those that the interlock gave; `portcullis report month` at the box reads the files themselves';
/** What is missing as long as nobody brings a head along. */
export const NOTHING_FROM_ELSEWHERE =
  'no signed head that was kept elsewhere was compared: a rewrite of the whole journal by somebody who holds the key of this box would not show (`portcullis report month --head FILE --vkey KEY`)';

/** From the files of a directory. Rejects when it cannot be read. */
export async function proveFiles(directory: string, tally: MonthTally, heads: Heads): Promise<JournalProof> {
  const behind = new OneBehind(tally);
  const found = await walkJournal(directory, heads.known, { entry: (entry) => behind.enter(entry) });
  if (found.ok) behind.end();
  return {
    readFrom: 'files',
    ok: found.ok,
    fromSeq: found.firstSeq,
    head: found.head,
    problems: found.problems.map(
      ({ file, line, why }) => `${file}${line === null ? '' : ` line ${line}`}: ${why}`,
    ),
    confirmed: found.confirmedHeads.map(named),
    contradicted: found.contradictedHeads.map((head) => `${named(head)}: ${head.why}`),
    unchecked: [...found.uncheckedHeads.map(named), ...heads.unusable],
    notes: [],
  };
}

/** What an entry says is vouched for by the one that follows it: the last before a break may be the very one that was changed. */
class OneBehind {
  readonly #tally: MonthTally;
  #last: BookEntry | null = null;

  constructor(tally: MonthTally) {
    this.#tally = tally;
  }

  enter(entry: BookEntry): void {
    this.end();
    this.#last = entry;
  }

  /** Nothing follows, and nothing is wrong. */
  end(): void {
    if (this.#last !== null) this.#tally.enter(this.#last);
    this.#last = null;
  }
}

const named = ({ size, label }: KnownHead): string => `head ${size} from ${label}`;

type Entries = Pick<InterlockClient, 'entries'>;

/** Over the socket. Rejects with what the client rejects with. */
export async function proveOverSocket(
  client: Entries,
  tally: MonthTally,
  heads: Heads,
): Promise<JournalProof> {
  const walk = new SocketWalk(tally, heads);
  const { size } = await client.entries(0, 1);
  const first = await firstSince(client, tally.span.fromMs, size);
  let after = Math.max(0, first - 1 - LEAD_IN);
  while (after < size && walk.isWhole && walk.entries < MOST_OVER_SOCKET) {
    // oxlint-disable-next-line no-await-in-loop -- the chain goes one way
    const page = await client.entries(after, MOST_ENTRIES);
    if (page.missing !== null) walk.misses(page.missing);
    for (const entry of page.entries) if (walk.isWhole) walk.feed(entry, canonicalize(entry) ?? '');
    if (page.next_after <= after) break;
    after = page.next_after;
    // oxlint-disable-next-line no-await-in-loop
    await pause(BREATH_MS);
  }
  return walk.over(size);
}

/** The first entry of this time or later, by halving; a clock that was set back makes this approximate. */
async function firstSince(client: Entries, fromMs: number, size: number): Promise<number> {
  let [low, high] = [1, size + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    // oxlint-disable-next-line no-await-in-loop -- each question depends on the answer before
    const [entry] = (await client.entries(middle - 1, 1)).entries;
    if (entry !== undefined && Date.parse(entry.at) >= fromMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The chain as far as it was followed over the socket. */
class SocketWalk {
  readonly #tally: OneBehind;
  readonly #heads: Heads;
  readonly #bySize: ReadonlyMap<number, readonly KnownHead[]>;
  readonly #problems: string[] = [];
  readonly #confirmed: string[] = [];
  readonly #contradicted: string[] = [];
  readonly #seen = new Set<KnownHead>();
  #verifier: Verifier | null = null;
  #fromSeq: number | null = null;
  entries = 0;

  constructor(tally: MonthTally, heads: Heads) {
    this.#tally = new OneBehind(tally);
    this.#heads = heads;
    this.#bySize = Map.groupBy(heads.known, ({ size }) => size);
  }

  get isWhole(): boolean {
    return this.#problems.length === 0;
  }

  misses({ from, to, why }: { readonly from: number; readonly to: number; readonly why: string }): void {
    // Older files may have been pruned; anything else that is missing breaks the chain.
    if (this.entries > 0 || from !== 1) this.#problems.push(`entries ${from} to ${to}: ${why}`);
  }

  feed(entry: BookEntry, line: string): void {
    this.#verifier ??= createVerifier(entry.seq === 1 ? GENESIS : null);
    const { broken } = this.#verifier.feed(line);
    if (broken !== undefined) return void this.#problems.push(`entry ${broken.seq}: ${broken.why}`);
    this.#fromSeq ??= entry.seq;
    this.entries += 1;
    this.#tally.enter(entry);
    const { size, hash } = this.#verifier.head();
    for (const head of this.#bySize.get(size) ?? []) {
      this.#seen.add(head);
      if (head.hash === hash) this.#confirmed.push(named(head));
      else this.#contradicted.push(`${named(head)}: entry ${size} is not the one that was there`);
    }
  }

  over(size: number): JournalProof {
    const head = this.#verifier?.head() ?? GENESIS;
    const notes = [OVER_SOCKET_NOTE];
    if (this.isWhole && head.size < size)
      this.#problems.push(`entries ${head.size + 1} to ${size} were not gone through: make this at the box`);
    const unchecked = [...this.#heads.unusable];
    for (const each of this.#heads.known.filter((one) => !this.#seen.has(one)))
      if (each.size < (this.#fromSeq ?? 0)) unchecked.push(named(each));
      else this.#contradicted.push(`${named(each)}: the journal verifies only up to entry ${head.size}`);
    const ok = this.isWhole && this.#contradicted.length === 0;
    if (ok) this.#tally.end();
    return {
      readFrom: 'socket',
      ok,
      fromSeq: this.#fromSeq,
      head,
      problems: this.#problems,
      confirmed: this.#confirmed,
      contradicted: this.#contradicted,
      unchecked,
      notes,
    };
  }
}
