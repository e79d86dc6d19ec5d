/** Drivers for the simulated hardware: the ports of src/contacts/port.ts, played at the wire. They die with their process. */
import type { Reading } from '../../src/core/evidence.ts';
import type { CommandOutcome, Contact, Fence, IsolateReceipt, Witness } from '../../src/contacts/port.ts';
import { openReceipt, type OpenReceipt } from '../../src/contacts/seat.ts';
import type { Dice } from './dice.ts';
import type { PhysicalContact, PhysicalLink, PhysicalWitness } from './hardware.ts';
import type { ProcessClock, VirtualTime } from './virtual-time.ts';

/** Who is told what the shell asks of a wire, the moment it asks. */
export interface WireTap {
  isolateAsked(link: PhysicalLink, contact: PhysicalContact): void;
  connectAsked(link: PhysicalLink, contact: PhysicalContact): void;
  connectWritten(link: PhysicalLink, contact: PhysicalContact): void;
  /** An indicator said isolated of what was connected. */
  lied(link: PhysicalLink): void;
  /** An indicator said connected of what was isolated. */
  slandered(link: PhysicalLink): void;
  /** A frame arrived when nobody waited for it any more. */
  astray(link: PhysicalLink): void;
  /** `waiting`: questions that this indicator has not answered yet, this one included. */
  asked(link: PhysicalLink, indicator: string, waiting: number): void;
}

/** What a driver needs of the world. */
export interface WireParts {
  readonly time: VirtualTime;
  readonly clock: ProcessClock;
  readonly dice: Dice;
  readonly tap: WireTap;
}

const REPLY_TIMEOUT_MS = 300;
const RETRY_MS = 200;
const HANGING_LOOK_MS = 100;
const LOSSY = 0.4;

export class WireContact implements Contact {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  readonly hardwareLeaseMs: number | null;
  readonly #parts: WireParts;
  readonly #link: PhysicalLink;
  readonly #physical: PhysicalContact;
  #jobs: (() => void)[] = [];
  #busy = false;
  /** An isolate is due to be written. */
  #due = false;
  /** An isolate was asked for and nobody answered for it yet. */
  #owing = false;
  #receipts: OpenReceipt[] = [];
  #questions = 0;

  constructor(link: PhysicalLink, physical: PhysicalContact, parts: WireParts) {
    this.name = physical.nature.name;
    this.kind = physical.nature.kind;
    this.hardwareLeaseMs = physical.nature.hardwareLeaseMs;
    this.#link = link;
    this.#physical = physical;
    this.#parts = parts;
  }

  isolate(): IsolateReceipt {
    this.#parts.tap.isolateAsked(this.#link, this.#physical);
    const open = openReceipt();
    this.#receipts.push(open);
    this.#owing = true;
    this.#due = true;
    this.#step();
    return open.receipt;
  }

  connect(fence: Fence): Promise<CommandOutcome> {
    this.#parts.tap.connectAsked(this.#link, this.#physical);
    const { promise, resolve } = Promise.withResolvers<CommandOutcome>();
    this.#jobs.push(() => {
      const why = this.#owing ? 'the isolate before it is unanswered' : 'no wire';
      if (!fence.isCurrent()) resolve({ kind: 'fenced' });
      else if (this.#owing || this.#physical.faults.has('no-wire')) resolve({ kind: 'unknown', why });
      else {
        this.#parts.tap.connectWritten(this.#link, this.#physical);
        this.#transact(
          () => this.#physical.obey('connected'),
          (answered) =>
            resolve(
              answered ? { kind: 'done', at: this.#parts.clock.now() } : { kind: 'unknown', why: 'silent' },
            ),
        );
      }
    });
    this.#step();
    return promise;
  }

  async read(): Promise<Reading> {
    this.#questions += 1;
    this.#parts.tap.asked(this.#link, this.name, this.#questions);
    while (this.#physical.faults.has('hanging')) await this.#parts.clock.pause(HANGING_LOOK_MS);
    const reading = await this.#read();
    this.#questions -= 1;
    return reading;
  }

  async settingsProblems(): Promise<readonly string[]> {
    await this.#parts.clock.pause(this.#parts.dice.between(0, 30));
    while (this.#physical.faults.has('hanging')) await this.#parts.clock.pause(HANGING_LOOK_MS);
    return this.#physical.settingsWrong ? ['control mode 1 of the simulated board'] : [];
  }

  async close(): Promise<void> {}

  #read(): Promise<Reading> {
    const { clock, tap } = this.#parts;
    return new Promise((resolve) => {
      this.#jobs.push(() => {
        const takenAt = clock.now();
        let position: Reading['position'] = 'unknown';
        if (this.#physical.faults.has('no-wire')) {
          resolve({ position, takenAt, detail: 'no wire' });
          return;
        }
        this.#transact(
          () => {
            position = this.#physical.answer();
            const truth = this.#physical.position;
            if (position === 'isolated' && truth === 'connected') tap.lied(this.#link);
            if (position === 'connected' && truth === 'isolated') tap.slandered(this.#link);
          },
          (answered) =>
            resolve({ position: answered ? position : 'unknown', takenAt, detail: 'simulated contact' }),
        );
      });
      this.#step();
    });
  }

  #step(): void {
    while (!this.#busy && this.#parts.clock.alive) {
      if (this.#due) {
        this.#writeIsolate();
        if (this.#due) return;
        continue;
      }
      const job = this.#jobs.shift();
      if (job === undefined) return;
      job();
    }
  }

  #writeIsolate(): void {
    const { clock } = this.#parts;
    const again = (): void => {
      clock.after(RETRY_MS, () => {
        this.#due ||= this.#owing;
        this.#step();
      });
    };
    if (this.#physical.faults.has('no-wire')) {
      again();
      // Nothing else can be written either: let the questions learn that.
      this.#due = false;
      return;
    }
    this.#due = false;
    const receipts = this.#receipts;
    this.#receipts = [];
    for (const each of receipts) each.written(clock.now());
    this.#transact(
      () => this.#physical.obey('isolated'),
      (answered) => {
        if (!answered) again();
        else if (!this.#due) this.#owing = false;
        const outcome: CommandOutcome = answered
          ? { kind: 'done', at: clock.now() }
          : { kind: 'unknown', why: 'silent' };
        for (const each of receipts) each.acknowledged(outcome);
      },
    );
  }

  /** One frame, one answer or none. The wire is taken meanwhile. */
  #transact(arrives: () => void, ended: (answered: boolean) => void): void {
    const { clock, dice, time } = this.#parts;
    const { faults } = this.#physical;
    this.#busy = true;
    let over = false;
    const end = (answered: boolean): void => {
      if (over || !clock.alive) return;
      over = true;
      giveUp();
      this.#busy = false;
      ended(answered);
      this.#step();
    };
    const giveUp = clock.after(REPLY_TIMEOUT_MS, () => end(false));
    if (faults.has('deaf') || (faults.has('lossy') && dice.chance(LOSSY))) return;
    const tripMs = faults.has('late') ? dice.between(100, 4_000) : dice.between(0.2, 12);
    time.after(tripMs, () => {
      arrives();
      if (tripMs > REPLY_TIMEOUT_MS) this.#parts.tap.astray(this.#link);
      if (faults.has('mute') || (faults.has('lossy') && dice.chance(LOSSY))) return;
      time.after(dice.between(0.1, 8), () => end(true));
    });
  }
}

export class WireWitness implements Witness {
  readonly name: string;
  readonly type = 'simulated';
  readonly showsIsolation: boolean;
  readonly #parts: WireParts;
  readonly #link: PhysicalLink;
  readonly #physical: PhysicalWitness;
  #questions = 0;

  constructor(link: PhysicalLink, physical: PhysicalWitness, parts: WireParts) {
    this.name = physical.nature.name;
    this.showsIsolation = physical.nature.sees !== 'connected';
    this.#link = link;
    this.#physical = physical;
    this.#parts = parts;
  }

  async read(): Promise<Reading> {
    const { clock, dice, tap } = this.#parts;
    this.#questions += 1;
    tap.asked(this.#link, this.name, this.#questions);
    const takenAt = clock.now();
    await clock.pause(dice.between(0.2, 20));
    while (this.#physical.faults.has('hanging')) await clock.pause(HANGING_LOOK_MS);
    const position = this.#physical.answer(this.#link);
    const truth = this.#physical.truth(this.#link);
    if (position === 'isolated' && truth === 'connected') tap.lied(this.#link);
    if (position === 'connected' && truth === 'isolated') tap.slandered(this.#link);
    await clock.pause(dice.between(0, 3));
    this.#questions -= 1;
    return { position, takenAt, detail: 'simulated witness' };
  }

  async close(): Promise<void> {}
}
