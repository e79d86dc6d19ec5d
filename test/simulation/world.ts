/** The simulated box with everything around it, and the lives of the interlock on it. */
import { latchOf } from '../../src/core/link.ts';
import type { Interlock } from '../../src/interlock/interlock.ts';
import type { LinkParts } from '../../src/interlock/link-at-work.ts';
import type { WindowConfig } from '../../src/interlock/windows/window-clock.ts';
import type { EventLine } from '../../src/protocol/messages.ts';
import { everyLinkCommissioned } from '../commissioning/commissioned.ts';
import type { JournalPages } from '../../src/journal/page.ts';
import { Dice } from './dice.ts';
import { SimulatedDisk, STATE } from './disk.ts';
import { type PhysicalLink } from './hardware.ts';
import { Medium, SimulatedJournal } from './journal.ts';
import { linksOf, windowsOf } from './layout.ts';
import type { Program } from './program.ts';
import { Story } from './story.ts';
import { type Calendar, lapsedMs, ProcessClock, VirtualTime } from './virtual-time.ts';
import { WireContact, type WireTap, WireWitness } from './wire.ts';
import type { Entry } from '../../src/journal/entry.ts';

/** What a link takes at most for an attended session, ms. */
export const LONGEST_SESSION_MS = 150_000;

/** What hangs on a box, and when its windows are. */
export interface Layout {
  readonly links: (dice: Dice, time: VirtualTime) => readonly PhysicalLink[];
  readonly windows: (dice: Dice) => Readonly<Record<string, WindowConfig>>;
  readonly build: string;
}

const ALONE: Layout = { links: linksOf, windows: windowsOf, build: 'simulated' };

/** One process of the interlock, from its start to its end. */
export interface Life {
  readonly clock: ProcessClock;
  readonly bootId: string;
  readonly startedAt: number;
  /** Null until it has read what the last life left behind. */
  interlock: Interlock | null;
  /** Set once its orderly end was asked for. */
  stopping: boolean;
}

/** Who watches a world from outside. */
export interface Onlooker extends WireTap {
  recorded(entry: Entry): void;
  announced(line: EventLine): void;
  began(life: Life, note: string): void;
  died(): void;
}

export class World {
  readonly program: Program;
  readonly dice: Dice;
  readonly story = new Story(() => this.time.now);
  readonly time = new VirtualTime();
  readonly calendar: Required<Calendar> = { offsetMs: 0, lapses: [] };
  readonly disk: SimulatedDisk;
  readonly medium = new Medium();
  readonly links: readonly PhysicalLink[];
  readonly windows: Readonly<Record<string, WindowConfig>>;
  /** What NTP says. */
  synchronised = true;
  life: Life | null = null;
  /** Who else lives or dies with the box. */
  around: { readonly ended: () => void; readonly powerLost: () => void } | null = null;
  #boots = 0;
  readonly #layout: Layout;
  #bootedAt = -10_000;
  #onlooker: Onlooker | null = null;

  constructor(seed: number, program: Program, layout: Layout = ALONE) {
    this.program = program;
    this.#layout = layout;
    this.dice = new Dice(seed);
    this.disk = new SimulatedDisk(this.dice);
    this.links = layout.links(this.dice, this.time);
    this.windows = layout.windows(this.dice);
  }

  watchedBy(onlooker: Onlooker): void {
    this.#onlooker = onlooker;
  }

  get onlooker(): Onlooker {
    if (this.#onlooker === null) throw new TypeError('nobody watches this world');
    return this.#onlooker;
  }

  /** Starts a process: isolates first, then reads, then works, as the composition root does. */
  async start(): Promise<void> {
    const clock = new ProcessClock(this.time, this.calendar, this.#bootedAt);
    const life: Life = {
      clock,
      bootId: `boot-${this.#boots}`,
      startedAt: this.time.now,
      interlock: null,
      stopping: false,
    };
    this.life = life;
    const parts = this.#hardware(clock);
    this.program.cut(Object.values(parts).flatMap(({ contacts }) => contacts));
    const journal = new SimulatedJournal(this.medium, clock, this.dice, (entry) =>
      this.onlooker.recorded(entry),
    );
    const disk = this.disk.usedBy(clock);
    const names = this.links.map(({ name }) => name);
    const found = await this.program.latchesFound(disk, STATE, journal, names, clock);
    const ledger = new this.program.Ledger(disk, STATE);
    await ledger.load();
    const proofs = new this.program.ProofRecord(disk, STATE);
    await proofs.load();
    const interlock = new this.program.Interlock({
      clock,
      bootId: life.bootId,
      build: this.#layout.build,
      pages: this.#pages(),
      trust: () => ({ synchronised: this.synchronised, quality: 'assumed', detail: 'simulated' }),
      journal,
      latchFile: new this.program.LatchFile(disk, STATE),
      latches: found.latches,
      latchesSaved: found.saved,
      ledger,
      commissionings: everyLinkCommissioned,
      proofs,
      windows: new this.program.WindowClock(this.windows, ledger.lastBegun, () => this.dice.next()),
      signedHead: () => 'simulated head',
      links: parts,
      cut: (contacts) => this.program.cut(contacts),
    });
    life.interlock = interlock;
    interlock.announcer.listen((line) => {
      if (clock.alive) this.onlooker.announced(line);
    });
    this.onlooker.began(life, found.note);
    interlock.start();
    interlock.note({ type: 'interlock.started', actor: 'interlock', data: { latch: found.note } });
  }

  /** The process is gone from one instant to the next. Frames on the wire stay on their way. */
  kill(): void {
    if (this.life === null) return;
    this.life.clock.alive = false;
    this.life = null;
    this.onlooker.died();
    this.around?.ended();
  }

  /** Power is lost and comes back; the process does not start by itself here. */
  losePower(boardsToo: boolean): void {
    this.kill();
    this.around?.powerLost();
    this.disk.losePower();
    this.#boots += 1;
    // A boot takes a while, and the monotonic clock begins with it.
    this.#bootedAt = this.time.now + lapsedMs(this.calendar, this.time.now) + 2_000;
    if (!boardsToo) return;
    for (const link of this.links) for (const contact of link.contacts) contact.restart();
  }

  /** What a one-shot `isolate --all` does: cuts everything, without state. */
  isolateAll(): void {
    const clock = new ProcessClock(this.time, this.calendar, this.#bootedAt);
    this.program.cut(Object.values(this.#hardware(clock)).flatMap(({ contacts }) => contacts));
    this.time.after(3_000, () => {
      clock.alive = false;
    });
  }

  /** The states of all links of the present life. */
  states(): readonly string[] {
    const { interlock } = this.life ?? {};
    return interlock === null || interlock === undefined
      ? ['starting']
      : [...interlock.links.values()].map(({ shell }) => shell.state.at);
  }

  latched(name: string): boolean {
    const link = this.life?.interlock?.links.get(name);
    return link !== undefined && latchOf(link.shell.state) !== null;
  }

  /** The whole box stands still while time goes on: a machine that was paused. */
  lapse(ms: number): void {
    this.calendar.lapses.push({ at: this.time.now, ms });
  }

  #pages(): Pick<JournalPages, 'page'> {
    const { entries } = this.medium;
    return {
      page: async (after, limit) => {
        const page = entries.slice(after, after + limit);
        return { entries: page, nextAfter: after + page.length, size: entries.length, missing: null };
      },
    };
  }

  #hardware(clock: ProcessClock): Record<string, LinkParts> {
    const parts = { time: this.time, clock, dice: this.dice, tap: this.onlooker };
    return Object.fromEntries(
      this.links.map((link): [string, LinkParts] => [
        link.name,
        {
          contacts: link.contacts.map((contact) => new WireContact(link, contact, parts)),
          witnesses: link.witnesses.map((witness) => new WireWitness(link, witness, parts)),
          sees: Object.fromEntries(
            link.witnesses.flatMap(({ nature: { name, of } }): [string, string[]][] =>
              of === null ? [] : [[name, [of]]],
            ),
          ),
          policy: link.policy,
          budgetMs: link.budgetMs,
          longestSessionMs: LONGEST_SESSION_MS,
          proofMaxAgeMs: link.proofMaxAgeMs,
          grade: 'simulated',
        },
      ]),
    );
  }
}
