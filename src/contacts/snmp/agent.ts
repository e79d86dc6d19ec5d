/**
 * One SNMP agent: which port has which index, and every exchange with it.
 *
 * - A port is found by its name whenever a socket is opened, which is after every time-out and fault. Every reading asks
 *   for the name again; when another interface answers to the index, the socket is discarded and the port found anew.
 *   A connect follows such a reading at once; an isolate is written to the index that the last reading confirmed.
 * - A datagram may be delivered late, twice, or replayed by somebody. In version 3 a connect is dated so that the agent
 *   refuses it some seconds later. In version 2c nothing makes a late copy void: there the isolate that follows an
 *   unanswered connect, and whoever watches the readings, are all there is.
 */
import { later, millis, type Millis } from '../../core/time.ts';
import type { Board, Exchange, Verdict } from '../exchange.ts';
import type { Timers } from '../timers.ts';
import { type Credentials, Dialect, isClockReport } from './dialect.ts';
import { type Ask, findInterfaces } from './lookup.ts';
import { judged, OBJECT, valueAt } from './objects.ts';
import { asked, type Reply, type Request, type Varbind } from './pdu.ts';
import {
  bears,
  type Place,
  readConfirmation,
  readingRequest,
  readValue,
  settingRequest,
} from './requests.ts';

/** How a port is named: by ifName (or ifDescr), or by its place in the PoE table, `group.port`. */
export type PortKind = 'interface' | 'poe-port';

/** A column of the agent and the two values of it that move a port. */
export interface Switching {
  readonly object: string;
  readonly connect: number;
  readonly isolate: number;
}

/** Puts one datagram on the present socket; resolves with what its judge makes of the answers. Rejects when none comes. */
export type Say = <A>(bytes: Buffer, judge: (datagram: Uint8Array) => Verdict<A>) => Promise<Verdict<A>>;

/** ms after which a port that was not found is looked for again. */
export const RELOOK_MS = 5000;

/** Most ports that are isolated with one datagram. */
export const MAX_TOGETHER = 32;

/** One port of an agent. */
export interface Port {
  readonly kind: PortKind;
  readonly name: string;
  readonly label: string;
}

/** What is behind one `host:port`. */
export class Agent {
  readonly board: Board;
  readonly #timers: Timers;
  readonly #loadCredentials: () => Promise<Credentials>;
  readonly #ports = new Map<string, Port>();
  #places = new Map<Port, Place | { readonly why: string }>();
  readonly #isolations = new Map<Port, Switching>();
  #dialect: Dialect | null = null;
  #foundAt: Millis = millis(0);

  constructor(parts: {
    readonly where: string;
    readonly replyTimeoutMs: number;
    readonly timers: Timers;
    readonly loadCredentials: () => Promise<Credentials>;
  }) {
    this.#timers = parts.timers;
    this.#loadCredentials = parts.loadCredentials;
    const isolations = this.#isolations;
    let all: Exchange<null> | null = null;
    // One object and no copy: the bus counts failures and signs of life by it.
    this.board = {
      label: `SNMP agent ${parts.where}`,
      replyTimeoutMs: parts.replyTimeoutMs,
      gapMs: 0,
      worstReplyDelayMs: parts.replyTimeoutMs,
      get isolateAll() {
        return isolations.size > MAX_TOGETHER ? null : all;
      },
    };
    all = this.#isolatingAll();
  }

  /** Whether a request waits for its answer; anything else that comes is too late. */
  get expecting(): boolean {
    return this.#dialect?.expecting ?? false;
  }

  /** The port of that name; the same one for the same name. */
  port(kind: PortKind, name: string): Port {
    const key = `${kind} ${name}`;
    const known = this.#ports.get(key);
    if (known !== undefined) return known;
    const port: Port = { kind, name, label: kind === 'poe-port' ? `PoE port ${name}` : `port ${name}` };
    this.#ports.set(key, port);
    return port;
  }

  /** On a fresh socket: reads the credentials, meets the agent and finds every port. Rejects with an Error that says why. */
  async greet(say: Say): Promise<void> {
    try {
      this.#dialect ??= new Dialect(await this.#loadCredentials(), () => this.#timers.now() / 1000);
      await this.#meet(this.#dialect, say);
    } catch (error) {
      // The next attempt reads the files again: perhaps somebody has corrected them.
      this.#dialect = null;
      throw error;
    }
  }

  async #meet(dialect: Dialect, say: Say): Promise<void> {
    const hello = dialect.discovery();
    if (hello !== null) await say(hello.bytes, hello.judge);
    const ask: Ask = async (request) => {
      const { bytes, judge } = dialect.speak(request);
      const verdict = judged(await say(bytes, judge), (reply) => ({ kind: 'answer', answer: reply }));
      if (verdict.kind === 'answer') return verdict.answer;
      throw new Error(verdict.kind === 'more' ? 'no answer' : verdict.why);
    };
    try {
      await ask(harmless);
    } catch (error) {
      if (!(error instanceof Error && isClockReport(error.message))) throw error;
      await ask(harmless);
    }
    await this.#find(ask);
  }

  async #find(ask: Ask): Promise<void> {
    const places = new Map<Port, Place | { readonly why: string }>();
    const wanted = [...this.#ports.values()].filter((port) => port.kind === 'interface');
    const open = new Set(wanted.map(({ name }) => name));
    for (const port of this.#ports.values()) {
      if (port.kind === 'poe-port') places.set(port, { index: port.name, nameObject: null });
      const last = this.#places.get(port);
      if (last === undefined || 'why' in last || last.nameObject === null) continue;
      // Mostly it is where it was: one question instead of a walk.
      const reply = await ask({ type: 'get', varbinds: [asked(last.nameObject)] });
      if (!bears(valueAt(reply, 0, last.nameObject), port.name)) continue;
      places.set(port, last);
      open.delete(port.name);
    }
    const found = open.size === 0 ? null : await findInterfaces(open, ask);
    for (const port of wanted) {
      const place = found?.get(port.name);
      if (place === undefined || places.has(port)) continue;
      places.set(port, place.kind === 'found' ? place : { why: place.why });
    }
    this.#places = places;
    this.#foundAt = this.#timers.now();
  }

  /** Asks where a column of the port stands; the judge has checked that the index still bears the port's name. */
  reading(port: Port, object: string): Exchange<number> {
    return this.#exchange(port, (place) => ({
      request: readingRequest(object, place),
      read: (verdict) => readValue(verdict, object, place, port.name),
    }));
  }

  /** Forgets that the port is ours to isolate. */
  release(port: Port): void {
    this.#isolations.delete(port);
  }

  /** Moves a port to connected. */
  connecting(port: Port, switching: Switching): Exchange<null> {
    return this.#exchange(port, (place) => ({
      request: settingRequest(switching.object, place, switching.connect),
      read: readConfirmation,
      expiring: true,
    }));
  }

  /** Moves a port to isolated. */
  isolating(port: Port, switching: Switching): Exchange<null> {
    this.#isolations.set(port, switching);
    return this.#exchange(port, (place) => ({
      request: settingRequest(switching.object, place, switching.isolate),
      read: readConfirmation,
    }));
  }

  /** One datagram for every port of ours; the agent sets all of them or none. */
  #isolatingAll(): Exchange<null> {
    return {
      board: this.board,
      begin: () => {
        const varbinds: Varbind[] = [];
        for (const [port, switching] of this.#isolations) {
          const place = this.#place(port);
          if ('why' in place) return this.#withoutPlace(place.why);
          varbinds.push(...settingRequest(switching.object, place, switching.isolate).varbinds);
        }
        return this.#begin({ request: { type: 'set', varbinds }, read: readConfirmation });
      },
    };
  }

  #exchange<A>(port: Port, say: (place: Place) => Conversation<A>): Exchange<A> {
    return {
      board: this.board,
      begin: () => {
        const place = this.#place(port);
        return 'why' in place ? this.#withoutPlace(place.why) : this.#begin(say(place));
      },
    };
  }

  #begin<A>({ request, read, expiring }: Conversation<A>): ReturnType<Exchange<A>['begin']> {
    const dialect = this.#dialect;
    if (dialect === null) throw new TypeError('nothing is said on a socket before its agent was met');
    const { bytes, judge } = dialect.speak(request, expiring);
    return { bytes, judge: (datagram) => read(judge(datagram), request) };
  }

  #place(port: Port): Place | { readonly why: string } {
    return this.#places.get(port) ?? { why: `${port.label} was not looked for` };
  }

  /** Nothing can be asked about a port that was not found: says so, and now and then has it looked for again. */
  #withoutPlace(why: string): ReturnType<Exchange<never>['begin']> {
    const again = this.#timers.now() >= later(this.#foundAt, RELOOK_MS);
    return this.#begin({
      request: harmless,
      read: (verdict) => judged(verdict, () => ({ kind: again ? 'fault' : 'refused', why })),
    });
  }
}

interface Conversation<A> {
  readonly request: Request;
  readonly read: (verdict: Verdict<Reply>, request: Request) => Verdict<A>;
  /** The agent must not obey it some seconds later. */
  readonly expiring?: true;
}

const harmless: Request = { type: 'get', varbinds: [asked(OBJECT.sysUpTime)] };
