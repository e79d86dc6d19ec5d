/** One link at work: its shell and its watch, and the hands with which the shell touches latch, ledger, journal and holder. */
import type { CommandOutcome, Contact, IsolateReceipt, Witness } from '../contacts/port.ts';
import type { Moment } from '../core/exposure.ts';
import type { Rating } from '../core/rating.ts';
import {
  type Act,
  type Conditions,
  latchOf,
  permissionOf,
  type Policy,
  type ProofEnded,
  type Trip,
  type Why,
} from '../core/link.ts';
import type { EntryInput } from '../journal/entry.ts';
import type { Journal } from '../journal/file.ts';
import type { EventLine, LeaseLine, LeaseRequest } from '../protocol/messages.ts';
import { Attended } from './rights/attended.ts';
import { BoardSettings } from './commissioning/board-settings.ts';
import { calendarText, type Clock } from './clock.ts';
import type { CommissioningHands } from './commissioning/hands.ts';
import type { HeartbeatPermissive } from './trips/heartbeats.ts';
import { entryOf } from './records/journal-lines.ts';
import type { Latch } from './records/latch-file.ts';
import type { Ledger } from './records/ledger.ts';
import { type Hands, LinkShell } from './link-shell.ts';
import { NewestTrip } from './trips/newest-trip.ts';
import { alarmTexts } from './permissives.ts';
import { type ProofRecord, triedNow, turnOf } from './records/proof-record.ts';
import { Watch } from './watch.ts';

/** A link as configured. */
export interface LinkParts {
  readonly contacts: readonly Contact[];
  readonly witnesses: readonly Witness[];
  /** Per witness the contacts whose isolation it shows; a witness that is not named sees the whole path. */
  readonly sees?: Readonly<Record<string, readonly string[]>>;
  readonly policy: Policy;
  readonly budgetMs: number;
  /** Longest attended session, ms; none is permitted where it is missing. */
  readonly longestSessionMs?: number;
  /** A proof older than this refuses leases, ms of calendar time. */
  readonly proofMaxAgeMs: number;
  /** Signs of life without which it is not connected. */
  readonly heartbeats?: readonly HeartbeatPermissive[];
  /** How far each contact may be trusted, by name; a contact that is not named is holding. */
  readonly ratings?: ReadonlyMap<string, Rating>;
  /** The weakest evidence behind its profiles; `simulated` when a board is emulated. */
  readonly grade: 'paper' | 'simulated' | 'bench' | 'field';
}

/** Whoever holds a lease: told what becomes of it, line by line; `over` is the last. */
export interface Holder {
  tell(line: LeaseLine): void;
  /** True once its stream has ended: nobody would notice what the lease connects. */
  gone?(): boolean;
}

/** The lease in force, and what it was claimed for. */
export interface Holding {
  readonly id: string;
  readonly claim: LeaseRequest;
  readonly holder: Holder;
  /** Those of a commissioning session. */
  readonly hands?: CommissioningHands;
}

/** What a link needs of the rest of the interlock. */
export interface Surroundings {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly proofs: ProofRecord;
  readonly cut: (contacts: readonly Contact[]) => readonly IsolateReceipt[];
  moment(): Moment;
  conditions(link: LinkAtWork): Conditions;
  /** Makes the latches of all links, as they stand, survive power loss. */
  saveLatches(): Promise<void>;
  /** A round of its watch is over: what signs of life rest on. */
  roundOver(): void;
  /** The state of this link changed. */
  changed(link: LinkAtWork): void;
  announce(line: EventLine): void;
  note(entry: EntryInput): void;
}

/** Part of the lease time-out after which a holder should renew: five renewals may be lost. */
const RENEWALS_PER_TIMEOUT = 6;

/** A link as configured, at work. */
export class LinkAtWork {
  readonly name: string;
  readonly parts: LinkParts;
  readonly shell: LinkShell;
  readonly watch: Watch;
  readonly newestTrip: NewestTrip;
  readonly attended: Attended;
  readonly settings: BoardSettings;
  readonly #around: Surroundings;
  latch: Latch | null;
  /** Calendar ms at which the present state was entered. */
  since: number;
  #holding: Holding | null = null;
  /** Holders that have not been told the end of their lease; steps are told of late, when the next lease may be in force. */
  readonly #untold = new Map<string, Holder>();
  /** Proof tests that came to nothing. */
  readonly #tries = new Map<string, number>();

  constructor(
    name: string,
    parts: LinkParts,
    latch: Latch | null,
    latchSaved: boolean,
    around: Surroundings,
  ) {
    this.name = name;
    this.parts = parts;
    this.latch = latch;
    this.#around = around;
    this.since = around.clock.calendarMs();
    this.newestTrip = new NewestTrip(latch !== null);
    this.attended = new Attended(name, parts.longestSessionMs ?? 0, around);
    this.shell = new LinkShell(name, parts.contacts, parts.policy, latch, latchSaved, this.#hands());
    const isLeased = (): boolean => permissionOf(this.shell.state) !== null;
    this.settings = new BoardSettings(parts.contacts, around.clock, isLeased);
    const conditions = (): Conditions => around.conditions(this);
    this.watch = new Watch(
      this.shell,
      parts.witnesses,
      parts.policy.evidenceMaxAgeMs,
      around.clock,
      conditions,
      parts.sees,
      () => around.roundOver(),
    );
  }

  /** The contact that isolates alone first at the end of a lease that begins now. */
  get turn(): string {
    const names = this.parts.contacts.map(({ name }) => name);
    return turnOf(this.#around.proofs.of(this.name), names, this.#tries) ?? '';
  }

  #hands(): Hands {
    const { clock, cut, journal, ledger } = this.#around;
    let lastAt: string | null = null;
    return {
      now: () => clock.now(),
      pause: (ms) => clock.pause(ms),
      cut,
      saveLatch: (trip, cutMs) => this.#saveLatch(trip, cutMs),
      exposureBegins: (plannedMs) => ledger.begin(this.name, plannedMs, this.#around.moment()),
      exposureEnds: () => ledger.end(this.name, this.#around.moment()),
      record: (step) => {
        const appended = journal.append(entryOf(step));
        this.newestTrip.recorded(step.decision.state);
        this.#noteProof();
        return appended.then(() => undefined);
      },
      proofEnded: (ended) => this.#proofEnded(ended),
      leaseOver: (leaseId, why) => this.#leaseOver(leaseId, why),
      act: (act) => this.#act(act),
      connectEnded: (contact, outcome) => this.#connectEnded(contact, outcome),
      changed: () => {
        const { state } = this.shell;
        if (this.newestTrip.changed(state, clock.now(), this.watch.evidence.basis)) {
          this.#noteProof();
          this.#around.changed(this);
        }
        if (latchOf(state) !== null) this.attended.handle({ kind: 'latched', now: clock.now() });
        // Proof that is merely fresher changes nothing; only a new state is looked at again at once.
        if (state.at === lastAt) return;
        lastAt = state.at;
        this.watch.poke();
        this.since = clock.calendarMs();
        this.#around.changed(this);
      },
    };
  }

  /** How the newest trip was proven goes into the journal once, after the trip itself. */
  #noteProof(): void {
    const entry = this.newestTrip.proofEntry(this.name);
    if (entry !== null) this.#around.note(entry);
  }

  #saveLatch(trip: Trip | null, cutMs: number | null): Promise<void> {
    const at = calendarText(this.#around.clock.calendarMs());
    const before = this.latch;
    this.latch = trip === null ? null : { by: trip.by, reason: trip.reason, at: before?.at ?? at };
    // Saving may take several attempts; the trip is news once.
    if (this.latch !== null && before === null) {
      this.newestTrip.saved(this.latch, cutMs);
      this.#around.announce({ event: 'tripped', link: this.name, trip: this.latch, cut_ms: cutMs });
      this.#noteProof();
    }
    return this.#around.saveLatches();
  }

  /** The lease in force and what it was claimed for; null until the first, and after its holder was told its end. */
  get holding(): Holding | null {
    return this.#holding;
  }

  /** A lease was granted: from now on its holder, and nobody else, is told what becomes of it. */
  hold(holding: Holding): void {
    this.#holding = holding;
    this.#untold.set(holding.id, holding.holder);
    if ('session' in holding.claim)
      this.attended.handle({ kind: 'lease-began', now: this.#around.clock.now() });
  }

  #leaseOver(leaseId: string, why: Why): void {
    if (this.#holding?.id !== leaseId || !('session' in this.#holding.claim)) return;
    const { session } = this.#holding.claim;
    if (this.attended.session?.id !== session) return;
    this.attended.handle({ kind: 'lease-over', now: this.#around.clock.now(), why });
  }

  #act(act: Exclude<Act, { kind: 'connect' }>): void {
    switch (act.kind) {
      case 'tell-granted':
        this.#untold.get(act.lease.id)?.tell({
          event: 'granted',
          lease: act.lease.id,
          ends_in_ms: Math.max(0, Math.floor(act.lease.endsAt - this.#around.clock.now())),
          renew_every_ms: this.parts.policy.leaseTimeoutMs / RENEWALS_PER_TIMEOUT,
        });
        return;
      case 'tell-connected':
        this.#untold.get(act.leaseId)?.tell({ event: 'connected' });
        return;
      case 'tell-over':
        if (this.#holding?.id === act.leaseId) this.#holding = null;
        this.#untold.get(act.leaseId)?.tell({ event: 'over', why: act.why });
        this.#untold.delete(act.leaseId);
        return;
      case 'alarm':
        this.#around.announce({ event: 'alarm', link: this.name, code: act.alarm, ...alarmTexts[act.alarm] });
        return;
      case 'proof-ended':
        // Counted when it was decided.
        return;
      case 'tell-renewed':
      case 'refuse':
      case 'tell-reset':
      case 'drive':
        // Answered by whoever asked: the step is in their hands.
        return;
    }
  }

  /** A test that was not done proves nothing and disproves nothing: the others have their turn, then this contact again. */
  #proofEnded({ contact, outcome, basis, tookMs }: ProofEnded): void {
    if (outcome === 'not-done') {
      this.#tries.set(contact, triedNow(this.#around.proofs.of(this.name), this.#tries));
      return;
    }
    const at = this.#around.clock.calendarMs();
    const proof = { outcome, basis, tookMs, at, by: 'window' } as const;
    // `unwritable` says why not, and is a failing permissive; it is tried again.
    this.#around.proofs.record(this.name, { [contact]: proof }).catch(() => undefined);
  }

  #connectEnded(contact: Contact, outcome: CommandOutcome): void {
    if (outcome.kind === 'done' || outcome.kind === 'fenced') return;
    const data = { link: this.name, contact: contact.name, outcome: outcome.kind, why: outcome.why };
    this.#around.note({ type: 'contact.connect-failed', actor: 'interlock', data });
  }
}

/** The latch as status pages show it; the cause of one that is not written yet comes from the state. */
export const latchShown = (link: LinkAtWork): Latch | null => {
  const trip = latchOf(link.shell.state);
  return trip === null ? null : (link.latch ?? { ...trip, at: calendarText(link.since) });
};
