/** Virtual time, and a bus whose boards and cable misbehave on a schedule. The wire is faked, never the driver. */
import { millis, type Millis } from '../../src/core/time.ts';
import { encodeFrame, type Framing, RequestDecoder } from '../../src/contacts/modbus/frame.ts';
import { replyPdu } from '../../src/contacts/modbus/pdu.ts';
import type { Timers } from '../../src/contacts/timers.ts';
import type { Transport, Wire, WireEvents } from '../../src/contacts/transport.ts';

/** Timers that only move when told. */
export class VirtualTimers implements Timers {
  #now = 0;
  #order = 0;
  #due: { readonly at: number; readonly order: number; readonly act: () => void }[] = [];

  readonly now = (): Millis => millis(this.#now);

  readonly after = (ms: number, act: () => void): (() => void) => {
    const entry = { at: this.#now + Math.max(0, ms), order: (this.#order += 1), act };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  };

  readonly soon = (act: () => void): void => {
    this.after(0, act);
  };

  /** Runs everything that is due within `ms`, letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const next = this.#due
        .filter((entry) => entry.at <= end)
        .toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((entry) => entry !== next);
      this.#now = Math.max(this.#now, next.at);
      next.act();
      await settled();
    }
    this.#now = end;
  }
}

/** Lets every promise that can settle do so. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a board does with one request. Delays are ms. */
export type Manner =
  | { readonly kind: 'answers'; readonly delayMs: number }
  | { readonly kind: 'silent' }
  | { readonly kind: 'deaf' }
  | { readonly kind: 'garbles'; readonly delayMs: number }
  | { readonly kind: 'refuses'; readonly delayMs: number }
  /** Does nothing and confirms the opposite state. */
  | { readonly kind: 'lies'; readonly delayMs: number }
  | { readonly kind: 'repeats'; readonly delayMs: number; readonly againMs: number }
  | { readonly kind: 'hangs up' };

/** A write that a board carried out. */
export interface Executed {
  readonly at: number;
  readonly unit: number;
  readonly coil: number;
  readonly value: number;
}

/** A frame that the driver handed to a wire. */
export interface Written {
  readonly at: number;
  readonly wire: number;
  readonly unit: number;
  readonly function: number;
  readonly address: number;
  readonly value: number;
}

/** One cable with boards on it. A cut cable keeps what was written until it returns, unless the wire was discarded. */
export class FakeCable implements Transport {
  readonly where = 'fake cable';
  readonly byteMs: number;
  readonly quietMs: number;
  readonly written: Written[] = [];
  readonly executed: Executed[] = [];
  /** When each unit last said something whole on each wire, as `WIRE/UNIT`. */
  readonly saidAt = new Map<string, number>();
  readonly coils = new Map<string, boolean>();
  manner: (written: Written) => Manner = () => ({ kind: 'answers', delayMs: 1 });
  onWritten: (written: Written) => void = () => undefined;
  onExecuted: (executed: Executed) => void = () => undefined;
  plugged = true;
  wires = 0;
  readonly #framing: Framing;
  readonly #timers: VirtualTimers;
  #present: { readonly events: WireEvents; readonly id: number; held: (() => void)[] } | null = null;

  constructor(framing: Framing, timers: VirtualTimers) {
    this.#framing = framing;
    this.#timers = timers;
    this.byteMs = framing === 'rtu' ? 1 : 0;
    this.quietMs = framing === 'rtu' ? 4 : 0;
  }

  open(events: WireEvents): Promise<Wire> {
    return new Promise((resolve, reject) => {
      this.#timers.after(this.plugged ? 2 : 1000, () => {
        if (this.plugged) resolve(this.#wire(events));
        else reject(new Error('nobody there'));
      });
    });
  }

  /** Plugs the cable in again: what was held by a wire that still stands is delivered. */
  plug(): void {
    this.plugged = true;
    const held = this.#present?.held ?? [];
    if (this.#present !== null) this.#present.held = [];
    for (const deliver of held) deliver();
  }

  /** The far end goes away, and says so. */
  hangUp(): void {
    const wire = this.#present;
    this.#present = null;
    wire?.events.onGone('hung up');
  }

  #wire(events: WireEvents): Wire {
    this.wires += 1;
    const wire = { events, id: this.wires, held: [] as (() => void)[] };
    this.#present = wire;
    return {
      write: (bytes) => {
        if (this.#present !== wire) return false;
        const copy = Buffer.from(bytes);
        const [event] = new RequestDecoder(this.#framing).push(copy);
        if (event?.kind !== 'request')
          throw new Error(`the driver wrote no request: ${copy.toString('hex')}`);
        const { request } = event;
        const written = {
          at: this.#timers.now(),
          wire: wire.id,
          unit: event.unit,
          function: request.function,
          address: request.address,
          value: 'value' in request ? request.value : 0,
        };
        this.written.push(written);
        this.onWritten(written);
        const deliver = (): void => this.#deliver(event, written, wire);
        if (this.plugged) deliver();
        else wire.held.push(deliver);
        return true;
      },
      drain: () => 0,
      discard: () => {
        wire.held = [];
        if (this.#present === wire) this.#present = null;
      },
    };
  }

  #deliver(
    event: Extract<ReturnType<RequestDecoder['push']>[number], { kind: 'request' }>,
    written: Written,
    wire: { readonly events: WireEvents },
  ): void {
    const manner = this.manner(written);
    const { request } = event;
    if (manner.kind === 'deaf') return;
    const coil = (index: number): boolean => this.coils.get(`${event.unit}/${index}`) ?? false;
    let pdu: Buffer;
    if (manner.kind === 'refuses') pdu = replyPdu(request, { kind: 'exception', code: 4 });
    else if (manner.kind === 'lies' && request.function === 5)
      pdu = replyPdu({ ...request, value: request.value ^ 0xff00 }, { kind: 'echo' });
    else if (request.function === 1) {
      const bits = Array.from({ length: request.quantity }, (_, index) => coil(request.address + index));
      pdu = replyPdu(request, { kind: 'bits', bits });
    } else if (request.function === 5) {
      this.#execute(event.unit, request.address, request.value);
      pdu = replyPdu(request, { kind: 'echo' });
    } else throw new Error(`the fake board does not know function ${request.function}`);
    const frame = encodeFrame(this.#framing, { transaction: event.transaction, unit: event.unit, pdu });
    // A serial line has no connections: what a board says late is heard by whoever has the line open then.
    const say = (bytes: Buffer): void => {
      if (!this.plugged) return;
      if (this.#present !== null) this.saidAt.set(`${this.#present.id}/${event.unit}`, this.#timers.now());
      if (this.#framing === 'rtu') this.#present?.events.onBytes(bytes);
      else if (this.#present === wire) wire.events.onBytes(bytes);
    };
    switch (manner.kind) {
      case 'silent':
        return;
      case 'hangs up':
        if (this.#present === wire) this.hangUp();
        return;
      case 'garbles':
        this.#timers.after(manner.delayMs, () => say(frame.map((byte) => byte ^ 0x55) as Buffer));
        return;
      case 'repeats':
        this.#timers.after(manner.delayMs, () => say(frame));
        this.#timers.after(manner.delayMs + manner.againMs, () => say(frame));
        return;
      case 'answers':
      case 'refuses':
      case 'lies':
        this.#timers.after(manner.delayMs, () => say(frame));
    }
  }

  #execute(unit: number, address: number, value: number): void {
    const coils = address === ALL ? Array.from({ length: CHANNELS }, (_, index) => index) : [address];
    for (const coil of coils) {
      this.coils.set(`${unit}/${coil}`, value === 0xff00);
      const executed = { at: this.#timers.now(), unit, coil, value };
      this.executed.push(executed);
      this.onExecuted(executed);
    }
  }
}

/** The address that stands for every channel of a fake board. */
export const ALL = 0xff;
/** Channels of a fake board. */
export const CHANNELS = 4;
