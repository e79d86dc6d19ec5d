import type { Millis } from '../../core/time.ts';
import type { ConsoleDevice } from './fields.ts';
import type { Asked } from './jobs.ts';
import type { PortSeat } from './port-seat.ts';
import { stateRead, storedRead, type StateRead } from './printed.ts';
import { commandLines, cutLines, isParked, parkedAt, readingLine, spelled, way } from './script.ts';
import type { Session } from './session.ts';
import type { TypedEnd } from './typing.ts';

/** Lines that may be typed in a row to leave a context. */
const MAX_LEAVES = 6;

/** A reading that was carried out. */
export interface ReadEnd {
  readonly read: StateRead;
  readonly askedAt: Millis;
  readonly answeredAt: Millis;
}

/**
 * Types one thing on a session that stands idle, and calls `next` when it is over; when the session is lost meanwhile only
 * the session's owner hears of it. Where a context must be left before, one line of that is typed and nothing else.
 */
export class Typist {
  readonly #device: ConsoleDevice;
  readonly #session: Session;
  readonly #next: () => void;
  #leaves = 0;
  /** The port whose context could not be entered just for parking there. */
  #parkRefused: string | null = null;

  constructor(device: ConsoleDevice, session: Session, next: () => void) {
    this.#device = device;
    this.#session = session;
    this.#next = next;
  }

  /** A fresh session stands. */
  restart(): void {
    this.#leaves = 0;
    this.#parkRefused = null;
  }

  /** The fewest lines that isolate a port, all in this tick. */
  cut(seat: PortSeat): void {
    const lines = cutLines(this.#device, this.#session.mode, seat.port);
    if (lines === null) {
      this.#session.fail('no line leads from this prompt to the port');
      return;
    }
    const typed = (at: Millis): void => seat.markTyped(at);
    this.#session.type(lines, parkedAt(this.#device, seat.port), typed, (how) => {
      if (how.kind === 'lost') return;
      seat.typedError = how.error === null ? null : `it said ${how.error}`;
      this.#leaves = 0;
      this.#next();
    });
  }

  /** Reads a state of a port, then calls `end`; false: the context in which it cannot be read is being left. */
  read(asked: Asked, port: string, end: (how: ReadEnd) => void): boolean {
    const reading = this.#device[asked];
    if (reading === undefined) throw new TypeError(`the profile does not say how ${asked} is read`);
    const line = readingLine(this.#device, reading, this.#session.mode, port);
    if (line === null) {
      this.leave();
      return false;
    }
    this.#leaves = 0;
    this.#type([line], this.#session.mode, (how) => {
      const { printed, error, askedAt, answeredAt } = how;
      const said =
        'rules' in reading ? stateRead(reading, port, printed) : storedRead(reading, port, printed);
      const isRefused = error !== null && said.kind === 'unknown';
      const read: StateRead = isRefused ? { kind: 'unknown', why: `the switch said ${error}` } : said;
      end({ read, askedAt, answeredAt });
    });
    return true;
  }

  /** Paging off and the like, once per session. An older firmware may not know a line; then the pager is answered. */
  prepare(): void {
    if (this.#session.mode.at !== 'privileged') {
      this.leave();
      return;
    }
    this.#leaves = 0;
    this.#session.prepared = true;
    const lines = this.#device.prepare.map((template) => spelled(this.#device, template, null));
    if (lines.length === 0) this.#next();
    else this.#type(lines, null, () => undefined);
  }

  /** Whether the lines for `port` can be typed where the session stands. */
  isAt(port: string): boolean {
    return isParked(this.#device, this.#session.mode, port);
  }

  /** Whether the session stands in the context of a port that is not this one. */
  isAtAnother(port: string): boolean {
    const { mode } = this.#session;
    return mode.at === 'interface' && mode.port !== port;
  }

  /** One line on the way to the context of a port; the last one leads to exactly this port. */
  enter(port: string, refused: (error: string) => void): void {
    const lines = way(this.#device, this.#session.mode, port);
    const [line] = lines ?? [];
    if (line === undefined) {
      this.#session.fail('no line leads from this prompt to the port');
      return;
    }
    const isLast = lines?.length === 1;
    this.#type([line], isLast ? parkedAt(this.#device, port) : null, (how) => {
      if (how.error !== null) refused(`the switch said ${how.error}`);
      else if (isLast && !this.isAt(port)) refused('the switch did not go to the port');
    });
  }

  /** The lines that connect a port; only in its context. */
  connect(port: string, typed: (at: Millis) => void, refused: (error: string) => void): void {
    const lines = commandLines(this.#device, 'connect', port);
    const mode = parkedAt(this.#device, port);
    this.#session.type(lines, mode, typed, (how) => {
      if (how.kind === 'lost') return;
      if (how.error !== null) refused(`the switch said ${how.error}`);
      this.#next();
    });
  }

  /** One line back towards the privileged mode. */
  leave(): void {
    const { leave } = this.#device;
    const template = this.#session.mode.at === 'interface' ? leave[0] : leave.at(-1);
    this.#leaves += 1;
    if (template === undefined || this.#leaves > MAX_LEAVES) {
      this.#session.fail('the context could not be left');
      return;
    }
    this.#type([spelled(this.#device, template, null)], null, () => undefined);
  }

  /** Nothing is to be done: waits where the next cut is one line, or outside the configuration when nothing is connected. */
  park(port: string | null): void {
    if (port === null) {
      this.#parkRefused = null;
      if (this.#session.mode.at !== 'privileged') this.leave();
    } else if (!this.isAt(port) && this.#parkRefused !== port) {
      this.enter(port, () => {
        this.#parkRefused = port;
      });
    }
  }

  #type(
    lines: readonly string[],
    after: Parameters<Session['type']>[1],
    end: (how: Extract<TypedEnd, { kind: 'answered' }>) => void,
  ): void {
    this.#session.type(
      lines,
      after,
      () => undefined,
      (how) => {
        if (how.kind === 'lost') return;
        end(how);
        this.#next();
      },
    );
  }
}
