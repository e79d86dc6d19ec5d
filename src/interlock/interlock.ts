/**
 * The interlock: every link with its shell and its watch, the calendar, and who may ask for what. It is the only owner of
 * latch, exposure and leases; nobody outside of it can talk it into anything.
 */
import { randomUUID } from 'node:crypto';
import type { CommandOutcome, Contact, IsolateReceipt, Witness } from '../contacts/port.ts';
import { entitledUntil, openByHand, type WindowPlan } from '../core/calendar.ts';
import type { Moment } from '../core/exposure.ts';
import { type Act, type Conditions, leaseOf, type Policy, type Refusal, type Trip } from '../core/link.ts';
import { outsideWindow } from '../core/refusals.ts';
import type { EntryInput } from '../journal/entry.ts';
import type { Journal } from '../journal/file.ts';
import type { LeaseLine, LeaseRequest } from '../protocol/messages.ts';
import { Announcer } from './announcer.ts';
import { type Clock, calendarText } from './clock.ts';
import type { ClockTrust } from './clock-trust.ts';
import { entryOf } from './journal-lines.ts';
import type { Latch, LatchFile, Latches } from './latch-file.ts';
import type { Ledger } from './ledger.ts';
import { type Hands, LinkShell, type Step } from './link-shell.ts';
import { alarmTexts, conditionsOf } from './permissives.ts';
import { linkStatusOf } from './status.ts';
import { Watch } from './watch.ts';
import type { WindowClock } from './window-clock.ts';

/** A link as configured. */
export interface LinkParts {
  readonly contacts: readonly Contact[];
  readonly witnesses: readonly Witness[];
  readonly policy: Policy;
  readonly budgetMs: number;
  readonly grade: 'paper' | 'simulated' | 'bench' | 'field';
}

/** Everything the interlock is made of. */
export interface InterlockParts {
  readonly clock: Clock;
  readonly bootId: string;
  readonly build: string;
  readonly trust: () => ClockTrust;
  readonly journal: Journal;
  readonly latchFile: LatchFile;
  readonly latches: Latches;
  readonly ledger: Ledger;
  readonly windows: WindowClock;
  readonly links: Readonly<Record<string, LinkParts>>;
  readonly cut: (contacts: readonly Contact[]) => readonly IsolateReceipt[];
}

/** Whoever holds a lease: told what becomes of it, line by line; `over` is the last. */
export interface Holder {
  tell(line: LeaseLine): void;
}

/** One link at work. */
export interface LinkAtWork {
  readonly name: string;
  readonly parts: LinkParts;
  readonly shell: LinkShell;
  readonly watch: Watch;
  latch: Latch | null;
  /** Calendar ms at which the present state was entered. */
  since: number;
  holding: { readonly id: string; readonly claim: LeaseRequest; readonly holder: Holder } | null;
  /** Settings of the boards found wrong when last asked. */
  settings: readonly string[];
}

/** How often time passes for every link and the calendar, ms. */
const TICK_MS = 250;
/** How often a journal that cannot be written is tried again, ms. */
const JOURNAL_RETRY_MS = 2_000;
/** Part of the lease time-out after which a holder should renew: six renewals may be lost. */
const RENEWALS_PER_TIMEOUT = 6;
/** A board's settings are read before a lease for at most this long, ms. */
const SETTINGS_WAIT_MS = 5_000;

export class Interlock {
  readonly parts: InterlockParts;
  readonly announcer = new Announcer();
  readonly links: ReadonlyMap<string, LinkAtWork>;
  #cancelTick: () => void = () => undefined;
  #journalTriedAt = 0;
  #stopped = false;

  constructor(parts: InterlockParts) {
    this.parts = parts;
    this.links = new Map(
      Object.entries(parts.links).map(([name, link]) => [name, this.#linkAtWork(name, link)]),
    );
  }

  /** Begins to look and to let time pass. */
  start(): void {
    for (const link of this.links.values()) link.watch.start();
    this.#tick();
  }

  /** Isolates everything and waits until the loops have ended and the last steps are recorded. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTick();
    const now = this.parts.clock.now();
    const steps = [...this.links.values()].map((link) => link.shell.handle({ kind: 'stop-asked', now }));
    await Promise.all(steps);
    await Promise.all([...this.links.values()].map((link) => link.watch.stop()));
  }

  /** Cuts and latches these links (all when none is named). Every cut is on its wire when this returns. */
  trip(names: readonly string[], trip: Trip): Promise<readonly Step[]> {
    const now = this.parts.clock.now();
    const links = [...this.links.values()].filter((link) => names.length === 0 || names.includes(link.name));
    return Promise.all(links.map((link) => link.shell.handle({ kind: 'tripped', now, trip })));
  }

  /** Lifts a latch, or says why not. */
  async reset(link: LinkAtWork, presence: boolean, by: string, reason: string): Promise<readonly Refusal[]> {
    const { journal, clock } = this.parts;
    const writable = journal.writable();
    if (!writable.ok)
      return this.#conditions(link, null).failing.filter((each) => each.code === 'journal-unwritable');
    await journal.append({
      type: 'link.reset-asked',
      actor: by,
      data: { link: link.name, reason, presence },
    });
    const step = await link.shell.handle({ kind: 'reset-asked', now: clock.now(), presence });
    return refusalsIn(step);
  }

  /** Asks for a lease. Granted or refused; when granted the holder has been told so. */
  async askLease(
    claim: LeaseRequest,
    holder: Holder,
  ): Promise<{ id: string } | { refusals: readonly Refusal[] }> {
    const link = this.links.get(claim.link);
    if (link === undefined)
      return {
        refusals: [{ ...outsideWindow, code: 'link-unknown', why: `there is no link ${claim.link}` }],
      };
    await this.#readSettings(link);
    const id = randomUUID();
    const asked = { kind: 'lease-asked' as const, now: this.parts.clock.now(), leaseId: id };
    const step = link.shell.handle({ ...asked, conditions: this.#conditions(link, claim) });
    const granted = leaseOf(link.shell.state)?.id === id;
    if (granted) link.holding = { id, claim, holder };
    const refusals = refusalsIn(await step);
    return granted ? { id } : { refusals };
  }

  /** Renews a lease: ms to its end, or why not. */
  async renewLease(id: string): Promise<{ endsInMs: number } | { refusals: readonly Refusal[] } | null> {
    const link = this.#linkOfLease(id);
    if (link === undefined) return null;
    const now = this.parts.clock.now();
    const conditions = this.#conditions(link, link.holding?.claim ?? null);
    const work = link.shell.handle({ kind: 'lease-renewed', now, leaseId: id, conditions });
    const lease = leaseOf(link.shell.state);
    if (lease?.id === id) return { endsInMs: lease.endsAt - now };
    return { refusals: refusalsIn(await work) };
  }

  /** Gives a lease back. Unknown leases are over already. */
  async endLease(id: string, why: 'released' | 'holder-gone'): Promise<void> {
    const link = this.#linkOfLease(id);
    if (link === undefined) return;
    await link.shell.handle({ kind: 'lease-given-back', now: this.parts.clock.now(), leaseId: id, why });
  }

  /** Opens a window now, by hand. Null when it is open already. */
  openByHand(plan: WindowPlan, by: string, reason: string): { occurrence: string; endsInMs: number } | null {
    const { clock, windows } = this.parts;
    const now = clock.now();
    const occurrence = `by-hand-${calendarText(clock.calendarMs())}`;
    const opened = openByHand(windows.calendar, plan, now, occurrence, `${by}: ${reason}`);
    if (opened === null) return null;
    windows.calendar = opened.calendar;
    this.#windowEvents([{ kind: 'opened', opening: opened.opening }]);
    return { occurrence, endsInMs: opened.opening.endsAt - now };
  }

  /** Journals in the background; a journal that cannot be written shows in its own state. */
  note(entry: EntryInput): void {
    this.parts.journal.append(entry).catch(() => undefined);
  }

  /** What would refuse a lease of this link now. Outside of a lease, any window in progress entitles. */
  conditionsNow(link: LinkAtWork): Conditions {
    const opening = this.parts.windows.calendar.open.find((each) => each.link === link.name);
    return this.#conditions(link, link.holding?.claim ?? (opening === undefined ? null : { ...opening }));
  }

  moment(): Moment {
    const { bootId, clock } = this.parts;
    return { boot: bootId, now: clock.now(), calendarMs: clock.calendarMs() };
  }

  #tick(): void {
    const { clock, journal, windows } = this.parts;
    const now = clock.now();
    for (const link of this.links.values()) void link.shell.handle({ kind: 'tick', now });
    this.#windowEvents(windows.tick(now, clock.calendarMs(), this.parts.trust().synchronised));
    if (!journal.writable().ok && now - this.#journalTriedAt > JOURNAL_RETRY_MS) {
      this.#journalTriedAt = now;
      void journal.retry();
    }
    if (!this.#stopped) this.#cancelTick = clock.after(TICK_MS, () => this.#tick());
  }

  #windowEvents(events: ReturnType<WindowClock['tick']>): void {
    for (const event of events) {
      const told = this.parts.windows.tell(event, this.parts.clock.now());
      this.note(told.entry);
      if (told.line !== null) this.announcer.announce(told.line);
      if (event.kind !== 'opened') continue;
      // Not written: after a restart the same minute is over, so nothing begins twice; the journal shows the failure.
      this.parts.ledger.begun(this.parts.windows.calendar.lastBegun).catch(() => undefined);
    }
  }

  #linkOfLease(id: string): LinkAtWork | undefined {
    return [...this.links.values()].find((link) => link.holding?.id === id);
  }

  #conditions(link: LinkAtWork, claim: Pick<LeaseRequest, 'window' | 'occurrence'> | null): Conditions {
    const { journal, ledger, windows, trust } = this.parts;
    const open = windows.calendar.open.find((each) => each.occurrence === claim?.occurrence);
    return conditionsOf({
      journal: journal.writable(),
      clock: trust(),
      byHand: open !== undefined && open.byHand !== null,
      ledgerUnreadable: ledger.unreadable,
      settings: link.settings,
      entitledUntil:
        claim === null ? null : entitledUntil(windows.calendar, link.name, claim.window, claim.occurrence),
      exposedMs: ledger.exposedMs(link.name, this.moment()),
      budgetMs: link.parts.budgetMs,
    });
  }

  async #readSettings(link: LinkAtWork): Promise<void> {
    const asked = Promise.all(link.parts.contacts.map((contact) => contact.settingsProblems()));
    const late = this.parts.clock
      .pause(SETTINGS_WAIT_MS)
      .then(() => [['the boards do not tell their settings']]);
    link.settings = (await Promise.race([asked, late])).flat();
  }

  #linkAtWork(name: string, parts: LinkParts): LinkAtWork {
    const { clock, latches } = this.parts;
    const latch = latches[name] ?? null;
    const shell = new LinkShell(name, parts.contacts, parts.policy, latch, this.#handsOf(name));
    const conditions = (): Conditions => this.conditionsNow(link);
    const watch = new Watch(shell, parts.witnesses, parts.policy.evidenceMaxAgeMs, clock, conditions);
    const link: LinkAtWork = {
      name,
      parts,
      shell,
      watch,
      latch,
      since: clock.calendarMs(),
      holding: null,
      settings: [],
    };
    return link;
  }

  #handsOf(name: string): Hands {
    const { clock, cut, journal, ledger } = this.parts;
    const link = (): LinkAtWork | undefined => this.links?.get(name);
    let lastAt: string | null = null;
    return {
      now: () => clock.now(),
      pause: (ms) => clock.pause(ms),
      cut: (contacts) => cut(contacts),
      saveLatch: (trip) => this.#saveLatch(name, trip),
      exposureBegins: (plannedMs) => ledger.begin(name, plannedMs, this.moment()),
      exposureEnds: () => ledger.end(name, this.moment()),
      record: async (step) => void (await journal.append(entryOf(step))),
      act: (act) => this.#act(name, act),
      connectEnded: (contact, outcome) => this.#connectEnded(name, contact, outcome),
      changed: () => {
        const at = link()?.shell.state.at ?? null;
        link()?.watch.poke();
        if (at === lastAt) return;
        lastAt = at;
        const changed = link();
        if (changed === undefined) return;
        changed.since = clock.calendarMs();
        queueMicrotask(() => this.announcer.announce({ event: 'link', link: linkStatusOf(this, changed) }));
      },
    };
  }

  #saveLatch(name: string, trip: Trip | null): Promise<void> {
    const link = this.links.get(name);
    if (link === undefined) throw new TypeError(`broken invariant: no link ${name}`);
    const at = calendarText(this.parts.clock.calendarMs());
    link.latch = trip === null ? null : { by: trip.by, reason: trip.reason, at: link.latch?.at ?? at };
    const latched = [...this.links.values()].flatMap((each) =>
      each.latch === null ? [] : [[each.name, each.latch] as const],
    );
    return this.parts.latchFile.save(Object.fromEntries(latched));
  }

  #act(name: string, act: Exclude<Act, { kind: 'connect' }>): void {
    const link = this.links.get(name);
    if (link === undefined) return;
    const holder = link.holding?.holder;
    switch (act.kind) {
      case 'tell-granted': {
        const renewEveryMs = link.parts.policy.leaseTimeoutMs / RENEWALS_PER_TIMEOUT;
        const ends = act.lease.endsAt - this.parts.clock.now();
        holder?.tell({
          event: 'granted',
          lease: act.lease.id,
          ends_in_ms: ends,
          renew_every_ms: renewEveryMs,
        });
        return;
      }
      case 'tell-connected':
        holder?.tell({ event: 'connected' });
        return;
      case 'tell-over':
        if (link.holding?.id === act.leaseId) link.holding = null;
        holder?.tell({ event: 'over', why: act.why });
        return;
      case 'alarm':
        this.announcer.announce({ event: 'alarm', link: name, code: act.alarm, ...alarmTexts[act.alarm] });
        return;
      case 'tell-renewed':
      case 'refuse':
      case 'tell-reset':
        return;
    }
  }

  #connectEnded(name: string, contact: Contact, outcome: CommandOutcome): void {
    if (outcome.kind === 'done' || outcome.kind === 'fenced') return;
    const data = { link: name, contact: contact.name, outcome: outcome.kind, why: outcome.why };
    this.note({ type: 'contact.connect-failed', actor: 'interlock', data });
  }
}

const refusalsIn = (step: Step): readonly Refusal[] =>
  step.decision.acts.flatMap((act) => (act.kind === 'refuse' ? act.refusals : []));
