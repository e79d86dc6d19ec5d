/** Pages of the journal, newest first, and its export. Read over the socket: the controller may not read the files. */
import { lineHash } from '../../journal/chain.ts';
import { CSV_HEAD, entryRow } from '../../journal/export.ts';
import type { InterlockClient } from '../../protocol/client.ts';
import { MOST_ENTRIES, type KeptEntry } from '../../protocol/journal.ts';
import canonicalize from 'canonicalize';
import type { z } from 'zod';
import type { JournalPage, journalQuery } from '../documents/journal.ts';
import { ApiRefusal } from '../routes/refusal.ts';

type Entries = Pick<InterlockClient, 'entries'>;
type Query = z.output<typeof journalQuery>;

/** Entries looked at for one page, at most: a filter that nothing fits must not read everything. */
const MOST_LOOKED_AT = 5_000;

/** One page. `next` names the entry to go on before; it is set as long as older entries were not looked at. */
export async function pageOf(
  client: Entries,
  query: Query,
  { size, head }: { readonly size: number; readonly head: string },
): Promise<JournalPage> {
  const fits = filterOf(query);
  const found: KeptEntry[] = [];
  let before = await beginOf(client, query, size);
  let looked = 0;
  while (before > 1 && found.length < query.limit && looked < MOST_LOOKED_AT) {
    const after = Math.max(0, before - 1 - MOST_ENTRIES);
    // oxlint-disable-next-line no-await-in-loop -- older ones only when the newer ones are not enough
    const block = await blockOf(client, after, before);
    looked += before - 1 - after;
    before = after + 1;
    for (const entry of block.toReversed()) {
      // Older ones need no look, unless the clock that says so was wrong: a box that began without one.
      if (query.from !== undefined && entry.at < toUtc(query.from) && entry.clock === 'synchronised')
        return { entries: found, next: null, size, head };
      if (!fits(entry)) continue;
      found.push(entry);
      before = entry.seq;
      if (found.length === query.limit) break;
    }
    if (found.length < query.limit) before = after + 1;
  }
  return { entries: found, next: before > 1 ? String(before) : null, size, head };
}

/** Every entry behind `after` and before `before` that is there. */
async function blockOf(client: Entries, after: number, before: number): Promise<KeptEntry[]> {
  const block: KeptEntry[] = [];
  let from = after;
  while (from < before - 1) {
    // oxlint-disable-next-line no-await-in-loop -- long entries come in several answers
    const page = await client.entries(from, Math.min(MOST_ENTRIES, before - 1 - from));
    block.push(...page.entries.filter(({ seq }) => seq < before));
    if (page.next_after <= from) break;
    from = page.next_after;
  }
  return block;
}

async function beginOf(client: Entries, { cursor, to }: Query, size: number): Promise<number> {
  if (cursor !== undefined) {
    if (/^\d{1,15}$/.test(cursor)) return Math.min(Number(cursor), size + 1);
    throw new ApiRefusal(400, 'bad-cursor', 'this is no cursor of ours', 'take `next` of the page before');
  }
  return to === undefined ? size + 1 : firstAfter(client, toUtc(to), size);
}

/** The first entry later than `to`, by halving; a clock that was set back makes this approximate: what is too late is filtered. */
async function firstAfter(client: Entries, to: string, size: number): Promise<number> {
  let [low, high] = [1, size + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    // oxlint-disable-next-line no-await-in-loop -- each question depends on the answer before
    const { entries } = await client.entries(middle - 1, 1);
    const [entry] = entries;
    if (entry !== undefined && entry.at > to) high = middle;
    else low = middle + 1;
  }
  return low;
}

const toUtc = (text: string): string => new Date(text).toISOString();

function filterOf({ type, actor, link, text, from, to }: Query): (entry: KeptEntry) => boolean {
  const wanted = text?.toLowerCase();
  const [earliest, latest] = [from, to].map((at) => (at === undefined ? undefined : toUtc(at)));
  return (entry) =>
    (earliest === undefined || entry.at >= earliest) &&
    (latest === undefined || entry.at <= latest) &&
    (type === undefined || entry.type.startsWith(type)) &&
    (actor === undefined || entry.actor.startsWith(actor)) &&
    (link === undefined || namesLink(entry, link)) &&
    (wanted === undefined ||
      `${entry.type} ${entry.actor} ${JSON.stringify(entry.data)}`.toLowerCase().includes(wanted));
}

const namesLink = ({ data }: KeptEntry, link: string): boolean =>
  data['link'] === link ||
  (Array.isArray(data['links']) && JSON.stringify(data['links']).includes(JSON.stringify(link)));

/** The entries of a range as text, piece by piece; `jsonl` gives the very lines of the journal. */
export async function* exportPieces(
  client: Entries,
  format: 'jsonl' | 'csv',
  fromSeq: number,
  toSeq: number,
): AsyncGenerator<string> {
  if (format === 'csv') yield CSV_HEAD;
  let after = fromSeq - 1;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a page at a time keeps memory bounded
    const page = await client.entries(after, MOST_ENTRIES);
    const wanted = page.entries.filter(({ seq }) => seq <= toSeq);
    yield wanted.map((entry) => pieceOf(entry, format)).join('');
    if (page.next_after <= after || page.next_after >= page.size || page.next_after >= toSeq) return;
    after = page.next_after;
  }
}

function pieceOf(entry: KeptEntry, format: 'jsonl' | 'csv'): string {
  const line = canonicalize(entry) ?? '';
  return format === 'csv' ? entryRow(entry, lineHash(line)) : `${line}\n`;
}
