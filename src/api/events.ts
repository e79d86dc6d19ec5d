/**
 * The event stream, for many readers at once. The state is one text for all of them, made at most four times a second, and
 * only while somebody reads. A reader that does not take what it gets is sent no further state, and is dropped when entries
 * of the journal pile up for it, or when it takes nothing for a while: it resumes with the last entry it saw.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Chronicle } from '../controller/chronicle/chronicle.ts';
import type { KeptEntry } from '../protocol/journal.ts';
import { SECURITY_HEADERS } from './routes/guard.ts';
import type { JournalEvent, OverEvent } from './documents/event.ts';
import { ApiRefusal } from './routes/refusal.ts';

const ALIVE_EVERY_MS = 1_000;
/** Shortest time between two states, ms. */
const STATE_GAP_MS = 250;
/** Without any change the state is sent again after this, ms: ages and countdowns go on. */
const STATE_ANYWAY_MS = 2_000;
/** Bytes that may wait for one reader. */
const MOST_WAITING_BYTES = 512 * 1024;
/** A reader that has taken nothing for this long is dropped, ms. */
const STUCK_MS = 10_000;
const MOST_STREAMS = 200;
/** Of one login or token: nobody takes all of them. */
const MOST_OF_ONE = 120;
/** Entries given to a reader that resumes; what is older is read with `GET /journal`. */
const MOST_RESUMED = 500;
/** How long a browser waits before it connects again, ms. */
const RETRY_MS = 1_000;

interface Reader {
  /** Whose it is. */
  readonly whose: string;
  readonly response: ServerResponse;
  /** False once the login is over. */
  readonly isAllowed: () => Promise<boolean>;
  /** State that the reader has not got because it was behind. */
  owesState: boolean;
  /** Since when it takes nothing, monotonic ms; null while it does. */
  stuckSinceMs: number | null;
}

/** What the streams are fed from. */
export interface EventParts {
  readonly chronicle: Pick<Chronicle, 'listen' | 'recent' | 'through' | 'wasComplete'>;
  /** The state as JSON text. Never rejects. */
  readonly state: () => Promise<string>;
  /** Calls when something has changed. */
  readonly changes: (listener: () => void) => () => void;
}

/** All streams. */
export class EventStreams {
  readonly #parts: EventParts;
  readonly #readers = new Set<Reader>();
  #timer: NodeJS.Timeout | undefined;
  #unlisten: (() => void)[] = [];
  #making: Promise<void> | null = null;
  #isOwed = false;
  #madeAtMs = 0;
  #later: NodeJS.Timeout | undefined;
  /** Streams that were dropped because their readers were too slow. */
  dropped = 0;

  constructor(parts: EventParts) {
    this.#parts = parts;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Begins a stream. `after`: the last entry that the reader saw; null: only new ones. Throws when there are too many. */
  begin(
    reply: FastifyReply,
    after: number | null,
    whose: string,
    isAllowed: () => Promise<boolean>,
  ): FastifyReply {
    const same = [...this.#readers].filter((each) => each.whose === whose).length;
    if (this.#readers.size >= MOST_STREAMS || same >= MOST_OF_ONE)
      throw new ApiRefusal(503, 'too-many-streams', 'too many pages are following', 'close some', 5_000);
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, {
      ...SECURITY_HEADERS,
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
      connection: 'keep-alive',
    });
    const reader: Reader = { whose, response, isAllowed, owesState: false, stuckSinceMs: null };
    this.#readers.add(reader);
    response.on('close', () => this.#left(reader));
    response.on('drain', () => {
      reader.stuckSinceMs = null;
      if (reader.owesState) this.#want();
    });
    this.#write(reader, `retry: ${RETRY_MS}\n\n`);
    if (after !== null) this.#resume(reader, after);
    if (this.#readers.size === 1) this.#wake();
    reader.owesState = true;
    this.#madeAtMs = 0;
    this.#want();
    return reply;
  }

  /** Ends every stream. */
  stop(): void {
    for (const { response } of this.#readers)
      response.end(eventText('over', { why: 'stopping' } satisfies OverEvent));
    this.#sleep();
  }

  #resume(reader: Reader, after: number): void {
    const { chronicle } = this.#parts;
    // Still catching up after a start: what comes meanwhile is told to nobody.
    if (chronicle.wasComplete && after === chronicle.through) return;
    const { entries, gap } = chronicle.recent(after, MOST_RESUMED);
    // Whoever is ahead has seen another journal.
    const isAhead = after > chronicle.through;
    this.#write(reader, journalText(entries, gap || isAhead || !chronicle.wasComplete));
  }

  #wake(): void {
    this.#timer = setInterval(() => void this.#beat(), ALIVE_EVERY_MS);
    this.#unlisten = [
      this.#parts.changes(() => this.#want()),
      this.#parts.chronicle.listen((entries) => {
        const text = journalText(entries, false);
        for (const reader of this.#readers) this.#write(reader, text);
      }),
    ];
  }

  #sleep(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#later);
    this.#later = undefined;
    for (const unlisten of this.#unlisten.splice(0)) unlisten();
  }

  #left(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#sleep();
  }

  async #beat(): Promise<void> {
    const text = eventText('alive', { at: new Date().toISOString() });
    const nowMs = performance.now();
    for (const reader of this.#readers) {
      if (reader.stuckSinceMs !== null && nowMs - reader.stuckSinceMs > STUCK_MS) this.#drop(reader);
      else this.#write(reader, text);
    }
    if (nowMs - this.#madeAtMs >= STATE_ANYWAY_MS) this.#want();
    // One look at who may still read, for all of them.
    await Promise.all(
      [...this.#readers].map(async (reader) => {
        if (await reader.isAllowed().catch(() => false)) return;
        reader.response.end(eventText('over', { why: 'login-ended' } satisfies OverEvent));
        this.#left(reader);
      }),
    );
  }

  /** A state is wanted: now, or when the last one is old enough. */
  #want(): void {
    this.#isOwed = true;
    if (this.#making !== null || this.#later !== undefined) return;
    const waitMs = Math.max(0, this.#madeAtMs + STATE_GAP_MS - performance.now());
    this.#later = setTimeout(() => {
      this.#later = undefined;
      this.#making = this.#make().finally(() => {
        this.#making = null;
        if (this.#isOwed && this.#readers.size > 0) this.#want();
      });
    }, waitMs);
  }

  async #make(): Promise<void> {
    this.#isOwed = false;
    if (this.#readers.size === 0) return;
    this.#madeAtMs = performance.now();
    const text = `event: state\ndata: ${await this.#parts.state()}\n\n`;
    for (const reader of this.#readers) {
      // Only the newest state matters: whoever has not taken the last one gets the one after it.
      reader.owesState = reader.response.writableNeedDrain;
      if (!reader.owesState) this.#write(reader, text);
    }
  }

  #write(reader: Reader, text: string): void {
    const { response } = reader;
    if (response.destroyed || response.writableEnded) return;
    if (!response.write(text)) reader.stuckSinceMs ??= performance.now();
    if (response.writableLength > MOST_WAITING_BYTES) this.#drop(reader);
  }

  #drop(reader: Reader): void {
    this.dropped += 1;
    reader.response.destroy();
    this.#left(reader);
  }
}

const eventText = (name: string, data: unknown): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

function journalText(entries: readonly KeptEntry[], gap: boolean): string {
  const id = entries.at(-1)?.seq;
  const data: JournalEvent = { entries: [...entries], gap };
  return `${id === undefined ? '' : `id: ${id}\n`}${eventText('journal', data)}`;
}
