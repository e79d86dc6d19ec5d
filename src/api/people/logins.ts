/**
 * Who is logged in. A login is an opaque random cookie; only its digest is kept, on disk too, so that a restart of the
 * controller logs nobody out. When nothing was asked for `IDLE_MS` the login only cuts; at its absolute end it is over.
 * The login of a wall display (made with a token) has no idle end and dies with its token.
 *
 * Calendar time is what survives a restart. A clock that is set forward ends logins early; one that is set back lengthens none:
 * time passes here at least as fast as the monotonic clock, and what lies ahead of the clock at a start is moved back to it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Caller } from './caller.ts';
import { replaceFile } from './people-file.ts';
import type { KeptPerson, KeptToken } from './people-file.ts';
import type { People } from './people.ts';

/** Without a request for this long a login only cuts, ms. */
export const IDLE_MS = 30 * 60_000;
/** No login lives longer, ms. */
export const LONGEST_MS = 12 * 3_600_000;
/** A wall display. */
export const LONGEST_DISPLAY_MS = 90 * 86_400_000;
const SECRET_BYTES = 32;
const MOST_LOGINS = 1_000;
/** Of one person; of one token, which may hang on many walls. Beyond that the oldest of the same one ends, and nobody else's. */
const MOST_OF_ONE = { person: 20, token: 100 } as const;
/** How often what was last asked is written down, ms. */
const WRITE_EVERY_MS = 60_000;
const FILE = 'logins.json';

const login = z.strictObject({
  /** SHA-256 of the cookie, hexadecimal. */
  hash: z.string(),
  kind: z.enum(['person', 'token']),
  /** Name of the person, id of the token. */
  who: z.string(),
  /** Of the person, when it began; empty for a token. */
  generation: z.string(),
  began_ms: z.number(),
  asked_ms: z.number(),
  ends_ms: z.number(),
});
type Login = z.infer<typeof login>;
const loginsFile = z.strictObject({
  format: z.literal(1),
  logins: z.array(login),
  /** Last use by person (`person:name`) and token (`token:id`), calendar ms. */
  used: z.record(z.string(), z.number()),
});

const digest = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** The logins of one controller. */
export class Logins {
  readonly #people: People;
  readonly #path: string;
  readonly #now: () => number;
  #logins = new Map<string, Login>();
  #used = new Map<string, number>();
  #writtenAtMs = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(people: People, stateDirectory: string, now: () => number = Date.now) {
    this.#people = people;
    this.#path = join(stateDirectory, FILE);
    this.#now = neverSlower(now);
  }

  /** Takes up what an earlier life wrote; what cannot be read is forgotten: people log in again. */
  async load(): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch(() => null);
    if (text === null) return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return; // torn: as if there were none
    }
    const read = loginsFile.safeParse(value);
    if (!read.success) return;
    const aheadMs = Math.max(0, ...read.data.logins.map(({ asked_ms }) => asked_ms - this.#now()));
    for (const { began_ms, asked_ms, ends_ms, ...each } of read.data.logins)
      this.#logins.set(each.hash, {
        ...each,
        began_ms: began_ms - aheadMs,
        asked_ms: asked_ms - aheadMs,
        ends_ms: ends_ms - aheadMs,
      });
    this.#used = new Map(Object.entries(read.data.used));
  }

  /** Begins a login of a person; the answer is the cookie's value. */
  async begin(person: KeptPerson): Promise<string> {
    this.#use(`person:${person.name}`);
    return this.#add('person', person.name, person.generation, this.#now() + LONGEST_MS);
  }

  /** Begins the login of a wall display. */
  async beginDisplay(token: KeptToken): Promise<string> {
    const ends = Math.min(this.#now() + LONGEST_DISPLAY_MS, Date.parse(token.expires_at));
    return this.#add('token', token.id, '', ends);
  }

  /** Who holds this cookie, among `people`. `counts`: the request is a sign that somebody is there. */
  async callerOf(secret: string, counts: boolean, people: People = this.#people): Promise<Caller> {
    const hash = digest(secret);
    const found = this.#logins.get(hash);
    const now = this.#now();
    if (found === undefined) return NOBODY;
    if (now >= found.ends_ms) return this.#over(hash);
    const session = { id: hash, endsInMs: found.ends_ms - now };
    if (found.kind === 'token') {
      const token = (await people.tokens()).find(({ id }) => id === found.who);
      if (token === undefined || Date.parse(token.expires_at) <= now) return this.#over(hash);
      const { id, label, scopes } = token;
      return { kind: 'token', id, label, scopes, session: { ...session, idleEndsInMs: null } };
    }
    const person = await people.person(found.who);
    if (person === null || person.generation !== found.generation) return this.#over(hash);
    const isIdle = now - found.asked_ms >= IDLE_MS;
    if (counts && !isIdle) {
      found.asked_ms = now;
      if (now - this.#writtenAtMs > WRITE_EVERY_MS) void this.#write();
    }
    const idleEndsInMs = isIdle ? 0 : Math.max(1, found.asked_ms + IDLE_MS - now);
    return { kind: 'person', name: person.name, role: person.role, session: { ...session, idleEndsInMs } };
  }

  /** Logs out. */
  async end(id: string): Promise<void> {
    if (this.#logins.delete(id)) await this.#write();
  }

  /** Ends every login of a person. */
  async endAll(name: string): Promise<void> {
    for (const [hash, each] of this.#logins)
      if (each.kind === 'person' && each.who === name) this.#logins.delete(hash);
    await this.#write();
  }

  /** Logins of a person that are not over. */
  countOf(name: string): number {
    const now = this.#now();
    return [...this.#logins.values()].filter(
      (each) => each.kind === 'person' && each.who === name && each.ends_ms > now,
    ).length;
  }

  /** Notes that a token was used. */
  tokenUsed(id: string): void {
    this.#use(`token:${id}`);
    if (this.#now() - this.#writtenAtMs > WRITE_EVERY_MS) void this.#write();
  }

  /** When a person logged in last, or a token was used last; RFC 3339. */
  lastUse(kind: 'person' | 'token', who: string): string | null {
    const at = this.#used.get(`${kind}:${who}`);
    return at === undefined ? null : new Date(at).toISOString();
  }

  /** Resolves when what was last asked is written, or could not be. */
  settled(): Promise<void> {
    return this.#write();
  }

  async #add(kind: Login['kind'], who: string, generation: string, ends: number): Promise<string> {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const hash = digest(secret);
    const now = this.#now();
    for (const [known, each] of this.#logins) if (each.ends_ms <= now) this.#logins.delete(known);
    const same = [...this.#logins.values()].filter((each) => each.kind === kind && each.who === who);
    const [oldest] = this.#logins.keys();
    if (same.length >= MOST_OF_ONE[kind]) this.#logins.delete(same[0]?.hash ?? '');
    else if (this.#logins.size >= MOST_LOGINS && oldest !== undefined) this.#logins.delete(oldest);
    this.#logins.set(hash, { hash, kind, who, generation, began_ms: now, asked_ms: now, ends_ms: ends });
    await this.#write();
    return secret;
  }

  #over(hash: string): Caller {
    this.#logins.delete(hash);
    return NOBODY;
  }

  #use(key: string): void {
    this.#used.delete(key);
    this.#used.set(key, this.#now());
    if (this.#used.size > MOST_LOGINS) {
      const [oldest] = this.#used.keys();
      if (oldest !== undefined) this.#used.delete(oldest);
    }
  }

  /** One write after the other. A login that cannot be written down still counts until this program ends. */
  #write(): Promise<void> {
    this.#writtenAtMs = this.#now();
    this.#writing = this.#writing.then(async () => {
      const content = {
        format: 1 as const,
        logins: [...this.#logins.values()],
        used: Object.fromEntries(this.#used),
      };
      await replaceFile(this.#path, JSON.stringify(content)).catch(() => undefined); // nobody is kept out of a full disk
    });
    return this.#writing;
  }
}

const NOBODY: Caller = { kind: 'nobody' };

/** A calendar clock that passes at least as fast as the monotonic one, and never runs backwards. */
function neverSlower(calendarMs: () => number): () => number {
  let at = calendarMs();
  let monotonicMs = performance.now();
  return () => {
    const nowMs = performance.now();
    at = Math.max(at + nowMs - monotonicMs, calendarMs());
    monotonicMs = nowMs;
    return Math.floor(at);
  };
}
