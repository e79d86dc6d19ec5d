/**
 * One session on the console of a switch: a wire, where the session stands, and the lines in flight on it.
 *
 * - A fresh wire is never trusted: somebody may have left half a line, a pager, a configuration or a question. It is woken
 *   (wake.ts) until a prompt stands, and a mark is typed: only what follows the echo of the mark is new.
 * - One thing is typed at a time and ends with its echo and a prompt, or with the wire.
 * - Whatever is not as it should be ends the wire: a time-out, a prompt of another mode, a question about who is there.
 *   What was typed is then neither done nor undone; the next wire begins with an unknown prompt again.
 * - Questions about saving are answered no by the profile's table; what the profile does not know is not answered.
 */
import type { Millis } from '../../core/time.ts';
import type { Timers } from '../timers.ts';
import type { Transport, Wire } from '../transport.ts';
import { Attention } from './attention.ts';
import { type Terminal, terminalOn } from './conversation.ts';
import { CursorReader, type CursorSays } from './cursor.ts';
import type { ConsoleDevice, Key, Reply } from './fields.ts';
import { farewell, FAREWELL_MS } from './farewell.ts';
import { HandsOff } from './hands-off.ts';
import type { Login } from './login.ts';
import { Screen } from './screen.ts';
import { type Mode, pressedBytes, typedBytes } from './script.ts';
import { type TypedEnd, Typing } from './typing.ts';
import { wake } from './wake.ts';

/** Who decides what is typed. Every call leaves the session in the state its name says. */
export interface SessionOwner {
  /** A prompt stands and is certain. */
  readonly ready: () => void;
  /** No wire, or no prompt. `loginRefused`: trying again at once would only lock us out. */
  readonly unreachable: (why: string, loginRefused: boolean) => void;
  /** A session that stood has ended; lines in flight have already been told. */
  readonly lost: (why: string) => void;
}

type State =
  | { readonly kind: 'closed' | 'opening' }
  | { readonly kind: 'waking' | 'idle'; readonly wire: Wire }
  | { readonly kind: 'busy'; readonly wire: Wire; readonly lose: (why: string) => void };

/** The present session with one switch. */
export class Session {
  readonly device: ConsoleDevice;
  readonly #transport: Transport;
  readonly #timers: Timers;
  readonly #login: Login;
  readonly #owner: SessionOwner;
  readonly #screen = new Screen();
  readonly #cursor: CursorReader;
  readonly #attention: Attention;
  readonly #handsOff: HandsOff;
  readonly #familiar = new Set<string>();
  #state: State = { kind: 'closed' };
  #generation = 0;
  #mode: Mode = { at: 'user' };
  /** Counts input, so that a prompt is told from one that stood before something was typed. */
  #inputs = 0;
  /** Told when lines in flight are over, or the wire is. */
  #released = (): void => undefined;
  /** Paging is off and the like, on this session. */
  prepared = false;

  constructor(parts: {
    readonly device: ConsoleDevice;
    readonly transport: Transport;
    readonly timers: Timers;
    readonly login: Login;
    readonly owner: SessionOwner;
  }) {
    this.device = parts.device;
    this.#transport = parts.transport;
    this.#timers = parts.timers;
    this.#login = parts.login;
    this.#owner = parts.owner;
    this.#cursor = new CursorReader(parts.device);
    this.#attention = new Attention(parts.timers, parts.device.timings.quiet_ms);
    this.#handsOff = new HandsOff(parts.device, parts.timers);
  }

  get state(): State['kind'] {
    return this.#state.kind;
  }

  /** Where the session stands; only while `idle`. */
  get mode(): Mode {
    return this.#mode;
  }

  /** Asks for a session; ends in `ready` or `unreachable`. Only when closed. */
  open(): void {
    if (this.#state.kind !== 'closed')
      throw new Error(`a session that is ${this.#state.kind} cannot be opened`);
    this.#state = { kind: 'opening' };
    this.#generation += 1;
    const generation = this.#generation;
    const present = (): boolean => generation === this.#generation;
    const events = {
      onBytes: (chunk: Uint8Array) => present() && this.#take(chunk),
      onGone: (why: string) => present() && this.fail(why),
    };
    this.#screen.clear();
    this.prepared = false;
    this.#transport.open(events).then(
      (wire) => {
        if (present()) this.#wake(wire, present);
        else wire.discard();
      },
      (error: unknown) => {
        if (!present()) return;
        this.#state = { kind: 'closed' };
        const why = error instanceof Error ? error.message : String(error);
        this.#owner.unreachable(`${this.#transport.where}: ${why}`.slice(0, 200), false);
      },
    );
  }

  /** Types lines in this tick, all at once, and calls `written`; later calls `end` once. Only when idle. */
  type(
    lines: readonly string[],
    after: Mode | null,
    written: (at: Millis) => void,
    end: (how: TypedEnd) => void,
  ): void {
    if (this.#state.kind !== 'idle')
      throw new Error(`nothing can be typed in a session that is ${this.#state.kind}`);
    const { wire } = this.#state;
    this.#state = { kind: 'busy', wire, lose: (why) => end({ kind: 'lost', why }) };
    const { device } = this;
    const typing = new Typing({
      screen: this.#screen,
      cursor: this.#cursor,
      device,
      lines,
      familiar: this.#familiar,
    });
    const bytes = typedBytes(device, lines);
    const askedAt = this.#timers.now();
    if (!wire.write(bytes)) {
      this.fail('a line could not be written');
      return;
    }
    this.#watch(typing, askedAt, bytes.length, (how) => {
      this.#state = { kind: 'idle', wire };
      this.#released();
      this.#stands(how.at, how.error === null ? after : null);
      end(how);
    });
    written(askedAt);
  }

  #watch(
    typing: Typing,
    askedAt: Millis,
    bytes: number,
    done: (how: Extract<TypedEnd, { kind: 'answered' }>) => void,
  ): void {
    const { reply_timeout_ms: replyTimeoutMs } = this.device.timings;
    const look = (quietMs: number): Extract<TypedEnd, { kind: 'answered' }> | null => {
      const seen = typing.look(quietMs);
      switch (seen.kind) {
        case 'wait':
          return null;
        case 'nudge':
          this.#press('enter');
          return null;
        case 'answer':
          this.#press(seen.question.answer);
          return null;
        case 'broken':
          this.fail(seen.why);
          return null;
        case 'done': {
          const { at, printed, error } = seen;
          if (quietMs > 0) this.#familiar.add(this.#screen.current);
          return { kind: 'answered', at, printed, error, askedAt, answeredAt: this.#timers.now() };
        }
      }
    };
    this.#attention.wait(look, replyTimeoutMs + 2 * bytes * this.#transport.byteMs, done, () =>
      this.fail(`the switch did not answer within ${replyTimeoutMs} ms`),
    );
  }

  /** Ends the wire; lines in flight end as lost, then the owner hears of it. */
  fail(why: string): void {
    const state = this.#state;
    if (state.kind === 'closed') return;
    this.#drop();
    if (state.kind === 'busy') state.lose(why);
    if (state.kind === 'opening' || state.kind === 'waking') this.#owner.unreachable(why, false);
    else this.#owner.lost(why);
  }

  /** Waits for the lines in flight, leaves the session on the switch, and ends the wire; nobody hears of it. Bounded. */
  async close(): Promise<void> {
    if (this.#state.kind === 'busy') await new Promise<void>((resolve) => (this.#released = resolve));
    if (this.#state.kind === 'idle') {
      const { wire } = this.#state;
      const generation = this.#generation;
      this.#state = { kind: 'waking', wire };
      const terminal = this.#terminal(wire, () => generation === this.#generation);
      const limit = Promise.withResolvers<void>();
      this.#released = limit.resolve;
      const cancel = this.#timers.after(FAREWELL_MS, limit.resolve);
      await Promise.race([farewell(terminal, this.device, this.#mode), limit.promise]);
      cancel();
    }
    this.#drop();
  }

  #drop(): void {
    const state = this.#state;
    this.#generation += 1;
    this.#state = { kind: 'closed' };
    this.#attention.stop();
    if ('wire' in state) state.wire.discard();
    this.#released();
  }

  /** Where the prompt says we are. `expected` adds which port it is, which many prompts do not say. */
  #stands(at: Mode['at'], expected: Mode | null): void {
    if (at !== 'interface') {
      this.#mode = { at };
      return;
    }
    const port = expected?.at === 'interface' ? expected.port : null;
    const isThere = port !== null && this.#cursor.mayBeAt(this.#screen.current, port);
    this.#mode = { at, port: isThere ? port : null };
  }

  #press(keys: Key | Reply): void {
    if ('wire' in this.#state && !this.#state.wire.write(pressedBytes(this.device, keys)))
      this.fail('a key could not be written');
  }

  #wake(wire: Wire, present: () => boolean): void {
    this.#state = { kind: 'waking', wire };
    wake(this.#terminal(wire, present), this.device, this.#login).then(
      (end) => {
        if (!present()) return;
        if (end.kind === 'stands') {
          this.#stands(end.at, null);
          this.#state = { kind: 'idle', wire };
          this.#familiar.add(this.#screen.current);
          this.#owner.ready();
          return;
        }
        this.#drop();
        this.#owner.unreachable(end.why, end.kind === 'login-refused');
      },
      (error: unknown) => {
        // A broken invariant: nothing more is typed on this wire.
        if (!present()) return;
        this.#drop();
        this.#owner.unreachable(`the session could not be woken (${String(error).slice(0, 100)})`, false);
      },
    );
  }

  #terminal(wire: Wire, present: () => boolean): Terminal {
    return terminalOn({
      write: (bytes) => {
        if (present() && !wire.write(bytes)) this.fail('nothing could be written');
      },
      present,
      inputs: () => this.#inputs,
      handsOff: this.#handsOff,
      screen: this.#screen,
      cursor: this.#cursor,
      attention: this.#attention,
    });
  }

  #take(chunk: Uint8Array): void {
    this.#inputs += 1;
    this.#screen.take(chunk);
    if (this.#handsOff.begins(this.#screen)) {
      this.fail('the switch is starting');
      return;
    }
    if (this.#state.kind === 'idle') this.#watchIdle();
    else this.#attention.input();
  }

  /** Nobody asked for this: a log line, or the end of the session. */
  #watchIdle(): void {
    const look = (quietMs: number): CursorSays | null =>
      quietMs > 0 ? this.#cursor.says(this.#screen.current) : null;
    const found = (says: CursorSays): void => {
      if (says.kind === 'nothing' || (says.kind === 'mode' && says.at === this.#mode.at)) return;
      this.fail('the session has left the place where it stood, with nobody asking');
    };
    this.#attention.wait(look, this.device.timings.reply_timeout_ms, found, () => undefined);
  }
}
