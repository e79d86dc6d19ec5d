/**
 * The interlock: every link with its shell and its watch, the calendar, and who may ask for what. It is the only owner of
 * latch, exposure and leases; nobody outside of it can talk it into anything.
 */
import { randomUUID } from 'node:crypto';
import { own } from '../core/names.ts';
import type { Authority } from '../core/attended.ts';
import type { WindowPlan } from '../core/calendar.ts';
import type { Moment } from '../core/exposure.ts';
import {
  type Conditions,
  dueAt,
  isolationProvenAt,
  leaseOf,
  permissionOf,
  type Refusal,
  type Trip,
} from '../core/link.ts';
import { holderGone, linkUnknown, sessionOver, stopping } from '../core/refusals.ts';
import type { Millis } from '../core/time.ts';
import type { EntryInput, JsonObject } from '../journal/entry.ts';
import type { LeaseRequest } from '../protocol/messages.ts';
import { printable } from '../sources/excerpt.ts';
import { Announcer } from './announcer.ts';
import { Heartbeats } from './trips/heartbeats.ts';
import type { InterlockParts } from './interlock-parts.ts';
import type { Latch } from './records/latch-file.ts';
import { lampHands } from './lamps/hands.ts';
import { type Holder, LinkAtWork, type Surroundings } from './link-at-work.ts';
import type { Step } from './link-shell.ts';
import { buttonHands } from './button/hands.ts';
import { type Claim, claimAtRest, conditionsAt } from './outlook.ts';
import { alwaysNeeded } from './permissives.ts';
import { type ResetAsked, resetLink } from './rights/reset.ts';
import { SourceRecord } from './trips/source-record.ts';
import { linkStatusOf } from './socket/status.ts';
import { lookedAt } from './last-resort/looked-at.ts';
import { endWindow, openWindow, linkReady, tellWindows, windowUsed } from './windows/window-hands.ts';

/** How often time passes for every link and the calendar, ms. */
const TICK_MS = 250;
const LEAST_TICK_MS = 1;
/** How often a journal that cannot be written is tried again, ms. */
const JOURNAL_RETRY_MS = 2_000;
/** The end waits for proof that everything is isolated for at most this long, ms. */
const STOP_WAIT_MS = 5_000;
/** Longest name of a link or window that is shown when there is none of that name. */
const MAX_NAME_CHARS = 60;

/** Everything that was composed, at work. */
export class Interlock {
  readonly parts: InterlockParts;
  readonly announcer = new Announcer();
  readonly heard = new SourceRecord();
  readonly heartbeats: Heartbeats;
  readonly links: ReadonlyMap<string, LinkAtWork>;
  #cancelTick: () => void = () => undefined;
  #journalTriedAt = 0;
  #stopping = false;

  constructor(parts: InterlockParts) {
    this.parts = parts;
    const around = this.#surroundings();
    this.heartbeats = new Heartbeats(around);
    this.links = new Map(
      Object.entries(parts.links).map(([name, link]) => [
        name,
        new LinkAtWork(name, link, own(parts.latches, name) ?? null, parts.latchesSaved, around),
      ]),
    );
  }

  /** Its end was asked for: nothing is granted any more. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Begins to look and to let time pass. */
  start(): void {
    this.parts.lifeSigns?.start(lookedAt(this.links));
    for (const link of this.links.values()) link.watch.start();
    this.parts.button?.start(buttonHands(this));
    this.parts.lamps?.start(lampHands(this));
    this.#tick();
  }

  /**
   * Isolates everything and waits, within bounds, until that is proven and the last steps are recorded. From its beginning
   * no lease is granted; until its end a link whose isolation is not proven is told again and again. Returns those links.
   */
  async stop(): Promise<readonly string[]> {
    this.#stopping = true;
    this.parts.lifeSigns?.stopping();
    const { clock } = this.parts;
    const now = clock.now();
    const links = [...this.links.values()];
    await Promise.all(links.map((link) => link.shell.handle({ kind: 'stop-asked', now })));
    const unproven = (): LinkAtWork[] => links.filter(({ shell }) => isolationProvenAt(shell.state) === null);
    while (unproven().length > 0 && clock.now() - now < STOP_WAIT_MS) await clock.pause(TICK_MS / 10);
    await Promise.all(links.map((link) => link.watch.stop()));
    this.parts.button?.stop();
    this.#cancelTick();
    await this.parts.lamps?.stop();
    return unproven().map(({ name }) => name);
  }

  /** Cuts and latches these links (all when none is named). Every cut is on its wire when this returns. `receivedAt`: when it was asked for. */
  trip(names: readonly string[], trip: Trip, receivedAt?: Millis): Promise<readonly Step[]> {
    const now = this.parts.clock.now();
    const links = [...this.links.values()].filter((link) => names.length === 0 || names.includes(link.name));
    return Promise.all(links.map((link) => link.shell.handle({ kind: 'tripped', now, trip, receivedAt })));
  }

  /** Lifts a latch, or says why not. */
  reset(link: LinkAtWork, asked: ResetAsked): Promise<readonly Refusal[]> {
    return resetLink(this, link, asked);
  }

  /** Asks for a lease. Granted or refused; when granted the holder has been told so. */
  async askLease(
    claim: LeaseRequest,
    holder: Holder,
  ): Promise<{ id: string } | { refusals: readonly Refusal[] }> {
    const link = this.links.get(claim.link);
    if (link === undefined)
      return this.#refuseLease(claim, linkUnknown(printable(claim.link, MAX_NAME_CHARS)));
    await link.settings.read();
    if (this.#stopping) return this.#refuseLease(claim, stopping);
    if (holder.gone?.() === true) return this.#refuseLease(claim, holderGone);
    if ('session' in claim && link.attended.entitledUntil(claim.session) === null)
      return this.#refuseLease(claim, sessionOver);
    const id = randomUUID();
    const asked = { kind: 'lease-asked' as const, now: this.parts.clock.now(), leaseId: id };
    const conditions = this.#conditions(link, claim);
    const step = link.shell.handle({ ...asked, conditions, turn: link.turn });
    const granted = leaseOf(link.shell.state)?.id === id;
    if (granted) {
      link.hold({ id, claim, holder });
      windowUsed(this, claim);
    }
    const refusals = refusalsIn(await step);
    return granted ? { id } : { refusals };
  }

  /** The stream of this holder has ended, and so has its lease, told or not. */
  holderGone(holder: Holder): void {
    for (const { holding } of this.links.values())
      if (holding?.holder === holder) void this.endLease(holding.id, 'holder-gone');
  }

  /** Renews a lease: ms to its end, or why not. */
  async renewLease(id: string): Promise<{ endsInMs: number } | { refusals: readonly Refusal[] } | null> {
    const link = this.#linkOfLease(id);
    if (link === undefined) return null;
    const conditions = this.#sample(link);
    const now = this.parts.clock.now();
    const work = link.shell.handle({ kind: 'lease-renewed', now, leaseId: id, conditions });
    const lease = permissionOf(link.shell.state);
    if (lease?.id === id) return { endsInMs: Math.floor(lease.endsAt - now) };
    return { refusals: refusalsIn(await work) };
  }

  /**
   * Gives a lease back. Unknown leases are over already. A release says that the work is done, so the window ends with it;
   * a holder that died may come back and finish within the same window.
   */
  async endLease(id: string, why: 'released' | 'holder-gone'): Promise<void> {
    const { clock } = this.parts;
    const link = this.#linkOfLease(id);
    if (link === undefined) return;
    const claim = link.holding?.claim;
    const step = link.shell.handle({ kind: 'lease-given-back', now: clock.now(), leaseId: id, why });
    if (why === 'released' && claim !== undefined) endWindow(this, claim);
    await step;
  }

  /** Opens a window now, by hand. Null when it is open already. */
  openByHand(
    plan: WindowPlan,
    by: string,
    reason: string,
    right: Authority['by'] = 'box',
  ): { occurrence: string; endsInMs: number } | null {
    return openWindow(this, plan, `${by}: ${reason}`, right);
  }

  /** Journals in the background; a journal that cannot be written shows in its own state. */
  note(entry: EntryInput): void {
    this.parts.journal.append(entry).catch(() => undefined);
  }

  /** What would refuse a lease of this link now. Outside of a lease, a session or any window in progress entitles. */
  conditionsNow(link: LinkAtWork): Conditions {
    const now = this.#conditions(link, link.holding?.claim ?? claimAtRest(this.parts, link));
    const { at } = link.shell.state;
    // Neither rests on a window, a calendar or a proof.
    return at === 'commissioning' || at === 'proving' ? { ...now, failing: alwaysNeeded(now.failing) } : now;
  }

  /** The conditions as they are decided upon; what latches when it fails has tripped by then. */
  #sample(link: LinkAtWork): Conditions {
    this.heartbeats.look(link);
    return this.conditionsNow(link);
  }

  moment(): Moment {
    const { bootId, clock } = this.parts;
    return { boot: bootId, now: clock.now(), calendarMs: clock.calendarMs() };
  }

  #tick(): void {
    const { clock, journal, ledger, proofs, windows } = this.parts;
    const now = clock.now();
    for (const link of this.links.values()) void link.shell.handle({ kind: 'tick', now });
    const { synchronised } = this.parts.trust();
    tellWindows(
      this,
      windows.tick(now, clock.calendarMs(), synchronised, (link) => linkReady(this, link)),
    );
    for (const link of this.links.values()) {
      if (this.heartbeats.look(link)) link.watch.poke();
      link.settings.refresh();
      link.attended.handle({ kind: 'tick', now });
      this.announcer.announceLink(linkStatusOf(this, link));
    }
    if (!journal.writable().ok && now - this.#journalTriedAt > JOURNAL_RETRY_MS) {
      this.#journalTriedAt = now;
      void journal.retry();
    }
    ledger.retry(now);
    proofs.retry(now);
    // With no link to look at, time that passes is all that can be shown.
    if (this.links.size === 0) this.parts.lifeSigns?.roundOver();
    this.#cancelTick = clock.after(this.#nextTickMs(), () => this.#tick());
  }

  /** Time passes on the tick, but the end of a lease or of a proof test does not wait for it. */
  #nextTickMs(): number {
    const now = this.parts.clock.now();
    const ends = [...this.links.values()].map(({ shell }) => (dueAt(shell.state) ?? Infinity) - now);
    return Math.max(LEAST_TICK_MS, Math.min(TICK_MS, ...ends));
  }

  #linkOfLease(id: string): LinkAtWork | undefined {
    return [...this.links.values()].find((link) => link.holding?.id === id);
  }

  #conditions(link: LinkAtWork, claim: Claim | null): Conditions {
    return conditionsAt(this.parts, this.moment(), link, claim, this.heartbeats.refusals(link));
  }

  #refuseLease(claim: LeaseRequest, refusal: Refusal): { refusals: readonly Refusal[] } {
    const named = Object.entries(claim).map(([key, each]) => [key, printable(each, MAX_NAME_CHARS)] as const);
    return { refusals: this.refused('lease.refused', 'controller', Object.fromEntries(named), [refusal]) };
  }

  /** Journals a refusal that the core was not asked about. */
  refused(type: string, actor: string, data: JsonObject, refusals: readonly Refusal[]): readonly Refusal[] {
    this.note({ type, actor, data: { ...data, refusals: refusals.map((each) => ({ ...each })) } });
    return refusals;
  }

  #surroundings(): Surroundings {
    const { clock, cut, journal, ledger, proofs } = this.parts;
    return {
      clock,
      cut,
      journal,
      ledger,
      proofs,
      moment: () => this.moment(),
      conditions: (link) => this.#sample(link),
      saveLatches: () => this.#saveLatches(),
      roundOver: () => this.parts.lifeSigns?.roundOver(),
      changed: (link) => queueMicrotask(() => this.announcer.announceLink(linkStatusOf(this, link))),
      announce: (line) => this.announcer.announce(line),
      note: (entry) => this.note(entry),
    };
  }

  /** A link that is not configured for a while keeps its latch: only a reset lifts one. */
  #saveLatches(): Promise<void> {
    const elsewhere = Object.entries(this.parts.latches).filter(([name]) => !this.links.has(name));
    const latched = [...this.links.values()].flatMap(({ name, latch }): [string, Latch][] =>
      latch === null ? [] : [[name, latch]],
    );
    return this.parts.latchFile.save(Object.fromEntries([...elsewhere, ...latched]));
  }
}

/** What a step refused; empty when it refused nothing. */
export const refusalsIn = (step: Step): readonly Refusal[] =>
  step.decision.acts.flatMap((act) => (act.kind === 'refuse' ? act.refusals : []));
