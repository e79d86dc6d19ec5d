/**
 * The shell around `decide` for one link: performs cuts, then records, then acts.
 *
 * What it never does: await anything between a decision and its cut; perform a connect whose fence is stale or whose
 * record could not be written; report isolation that the core has not seen proven.
 *
 * Before it is created everything has been told to isolate, and its first tick tells it again. When its process dies, its
 * contacts are isolated by whoever runs `portcullis isolate --all`, by hardware leases, or by the next start.
 *
 * The bad case that remains: a contact that does not obey. It is commanded again on every tick, for ever.
 */
import type { CommandOutcome, Contact, Fence, IsolateReceipt } from '../contacts/port.ts';
import { begin, decide } from '../core/decide.ts';
import { EXPOSURE_SPAN_MS } from '../core/exposure.ts';
import {
  type Act,
  type Decision,
  type Event,
  isolationProvenAt,
  latchOf,
  leaseOf,
  permissionOf,
  type Policy,
  type ProofEnded,
  type State,
  type Trip,
  type Why,
} from '../core/link.ts';
import type { Millis } from '../core/time.ts';
import { chosen, type CutFigures, cutMsOf, figuresOf } from './trips/cut-figures.ts';

/** What one event came to. */
export interface Step {
  readonly link: string;
  readonly event: Event;
  readonly before: State;
  readonly decision: Decision;
  /** Null when nothing was cut. */
  readonly cut: CutFigures | null;
  /** True when the latch that this step left survives power loss. */
  readonly latchSaved: boolean;
  /** True when the journal has it, or it was not worth a line. */
  readonly recorded: boolean;
}

/** What the shell works with; everything that touches the world. */
export interface Hands {
  now(): Millis;
  /** Resolves after `ms`. */
  pause(ms: number): Promise<void>;
  /** Isolates these contacts at once, in this tick (`cut` of contacts). */
  cut(contacts: readonly Contact[]): readonly IsolateReceipt[];
  /** Makes the latch of this link survive power loss, or lifts it. Rejects when it could not. `cutMs`: how fast the cut before it was. */
  saveLatch(trip: Trip | null, cutMs: number | null): Promise<void>;
  /** Notes on disk that the link may be connected from now on for up to `plannedMs`. */
  exposureBegins(plannedMs: number): Promise<void>;
  exposureEnds(): Promise<void>;
  /** Journals a step. Rejects when the journal cannot be written. */
  record(step: Omit<Step, 'latchSaved' | 'recorded'>): Promise<void>;
  /** Told in the tick of the decision, after its cuts: what a proof test came to counts before anybody can ask for a lease. */
  proofEnded(ended: ProofEnded): void;
  /** Told in the same tick: a lease is over, and with it whatever rested on it. */
  leaseOver(leaseId: string, why: Why): void;
  /** Performs everything but `connect`, which the shell does itself. */
  act(act: Exclude<Act, { kind: 'connect' }>, step: Step): void;
  /** Told about every outcome of a connect command, for journal and alarms. */
  connectEnded(contact: Contact, outcome: CommandOutcome): void;
  /** Called in the tick of every change of state. */
  changed(): void;
}

/** One link: the state that `decide` moves, and the order in which its decisions are performed. */
export class LinkShell {
  readonly link: string;
  readonly contacts: readonly Contact[];
  readonly #policy: Policy;
  readonly #hands: Hands;
  #state: State;
  #epoch = 0;
  #latchSaved: boolean;
  /** The lease for which connect was commanded; hardware leases are renewed only for it. */
  #connectedFor: string | null = null;
  /** The last isolate of every contact. */
  readonly #receipts = new Map<string, IsolateReceipt>();
  /** The permission whose exposure is on disk; nothing is connected for another. */
  #notedFor: string | null = null;
  #tail: Promise<unknown> = Promise.resolve();
  #trips = 0;
  /** Steps whose record is not written yet. */
  #unfinished = 0;
  /** The link is, or may be, connected, and that is noted. */
  #exposed = false;

  /** `latchSaved`: the latch file says the same as `latch`. */
  constructor(
    link: string,
    contacts: readonly Contact[],
    policy: Policy,
    latch: Trip | null,
    latchSaved: boolean,
    hands: Hands,
  ) {
    this.link = link;
    this.contacts = contacts;
    this.#policy = policy;
    this.#hands = hands;
    const first = begin(hands.now(), latch, policy);
    this.#state = first.state;
    this.#latchSaved = latch !== null && latchSaved;
  }

  get state(): State {
    return this.#state;
  }

  /** Trips so far. A reset that was asked for before one of them must not lift it. */
  get trips(): number {
    return this.#trips;
  }

  /** True when the link is isolated and proven to be, and its latch survives power loss: another trip would change nothing. */
  get heldIsolated(): boolean {
    const latched = latchOf(this.#state) !== null && this.#latchSaved && this.#unfinished === 0;
    return latched && isolationProvenAt(this.#state) !== null;
  }

  /** A trip that says nothing new of a link held isolated: a reset that is being asked for must not lift the latch either. */
  countTrip(): void {
    this.#trips += 1;
  }

  /**
   * Decides about one event. Cuts are on their wires when this returns; the promise resolves when the step has been
   * recorded and acted upon. It never rejects.
   */
  handle(event: Event): Promise<Step> {
    const before = this.#state;
    const decision = decide(before, event, this.#policy);
    this.#state = decision.state;
    if (event.kind === 'tripped') this.#trips += 1;
    const cutting = decision.cuts.length === 0 ? null : this.#cut(event.now, decision.cuts);
    for (const act of decision.acts) if (act.kind === 'proof-ended') this.#hands.proofEnded(act);
    for (const act of decision.acts)
      if (act.kind === 'tell-over') this.#hands.leaseOver(act.leaseId, act.why);
    if (decision.state !== before) this.#hands.changed();
    const unasked = this.#seenUnasked(event, decision.state);
    if (!unasked && this.#isQuiet(event, before, decision))
      return Promise.resolve({
        link: this.link,
        event,
        before,
        decision,
        cut: null,
        latchSaved: this.#latchSaved,
        recorded: true,
      });
    const fence = this.fence();
    this.#unfinished += 1;
    const step = this.#tail.then(() => this.#finish(event, before, decision, cutting, fence, unasked));
    this.#tail = step;
    return step;
  }

  /** True when nothing of this step is to be written or told, so that steps do not pile up behind a disk that hangs. */
  #isQuiet(event: Event, before: State, decision: Decision): boolean {
    const { state, acts } = decision;
    const latch = latchOf(state);
    // A latch that is not saved yet: one attempt at a time.
    const latchKept =
      latchOf(before) === latch && (latch === null || this.#latchSaved || this.#unfinished > 0);
    const proofKept = (isolationProvenAt(before) === null) === (isolationProvenAt(state) === null);
    if (!latchKept || !proofKept || acts.length > 0 || isNoteworthy(event, before, decision)) return false;
    return event.kind !== 'stop-asked'; // its caller waits for all steps before it
  }

  /** True for the first evidence that the link is connected without a lease, until its isolation is proven. */
  #seenUnasked(event: Event, state: State): boolean {
    if (isolationProvenAt(state) !== null) this.#exposed = false;
    else if (permissionOf(state) !== null) this.#exposed = true;
    else if (!this.#exposed && event.kind === 'seen' && event.evidence.position === 'connected') {
      this.#exposed = true;
      return true;
    }
    return false;
  }

  /** Renews the leases that the hardware holds. Called only by the loop that has just checked the evidence. */
  async renewHardware(): Promise<void> {
    const lease = leaseOf(this.#state);
    if (lease === null || this.#connectedFor !== lease.id) return;
    const fence = this.fence();
    const leased = this.contacts.filter((each) => each.hardwareLeaseMs !== null);
    await Promise.all(leased.map((contact) => contact.connect(fence)));
  }

  /** The last isolate of a contact, whoever asked for it. */
  receiptOf(contact: string): IsolateReceipt | null {
    return this.#receipts.get(contact) ?? null;
  }

  /** True once the exposure of this permission is on disk. */
  isNoted(leaseId: string): boolean {
    return this.#notedFor === leaseId;
  }

  /** Valid until the next cut of whatever contact, and only for the permission that is live now. */
  fence(): Fence {
    const epoch = this.#epoch;
    const leaseId = permissionOf(this.#state)?.id;
    return {
      isCurrent: () =>
        this.#epoch === epoch && permissionOf(this.#state)?.id === leaseId && leaseId !== undefined,
    };
  }

  #cut(at: Millis, cuts: Decision['cuts']): Promise<CutFigures> {
    this.#epoch += 1;
    this.#connectedFor = null;
    const contacts = chosen(this.contacts, cuts);
    const receipts = this.#hands.cut(contacts);
    receipts.forEach((receipt, i) => this.#receipts.set(contacts[i]?.name ?? '', receipt));
    return figuresOf((ms) => this.#hands.pause(ms), at, cuts[0]?.why ?? 'again', contacts, receipts);
  }

  async #finish(
    event: Event,
    before: State,
    decision: Decision,
    cutting: Promise<CutFigures> | null,
    fence: Fence,
    unasked: boolean,
  ): Promise<Step> {
    const cut = await cutting;
    const noteworthy = isNoteworthy(event, before, decision);
    const [latched, recorded, noted] = await Promise.all([
      this.#keepLatch(before, decision.state, event, cut),
      noteworthy ? succeeded(this.#hands.record({ link: this.link, event, before, decision, cut })) : true,
      this.#noteExposure(before, decision, unasked),
    ]);
    this.#unfinished -= 1;
    const step: Step = { link: this.link, event, before, decision, cut, latchSaved: latched, recorded };
    for (const act of decision.acts) {
      if (act.kind !== 'connect') this.#hands.act(act, step);
      else if (recorded && noted) this.#connect(act.leaseId, fence);
      // Not recorded: the journal permissive fails now, and the next sampling of conditions isolates.
    }
    return step;
  }

  #connect(leaseId: string, fence: Fence): void {
    if (!fence.isCurrent()) return;
    this.#connectedFor = leaseId;
    for (const contact of this.contacts) {
      void contact.connect(fence).then((outcome) => this.#hands.connectEnded(contact, outcome));
    }
  }

  /** A latch that could not be saved is tried again with every step, at least on every tick; sources repeat what was not answered 200. */
  async #keepLatch(before: State, after: State, event: Event, cut: CutFigures | null): Promise<boolean> {
    const [was, is] = [latchOf(before), latchOf(after)];
    if (was === is && (is === null || this.#latchSaved)) return this.#latchSaved;
    const receivedAt = event.kind === 'tripped' ? event.receivedAt : undefined;
    const cutMs = cut === null ? null : cutMsOf(cut, receivedAt);
    this.#latchSaved = (await succeeded(this.#hands.saveLatch(is, cutMs))) && is !== null;
    return this.#latchSaved;
  }

  async #noteExposure(before: State, { state }: Decision, unasked: boolean): Promise<boolean> {
    // How long it may stay connected nobody knows; should the power fail meanwhile, it counts as a whole span.
    if (unasked) return succeeded(this.#hands.exposureBegins(EXPOSURE_SPAN_MS));
    const permission = permissionOf(state);
    if (permission !== null && permissionOf(before) === null) {
      const noted = await succeeded(this.#hands.exposureBegins(permission.endsAt - this.#hands.now()));
      if (noted) this.#notedFor = permission.id;
      return noted;
    }
    if (isolationProvenAt(state) === null || isolationProvenAt(before) !== null) return true;
    return succeeded(this.#hands.exposureEnds());
  }
}

/** Ticks and repeated evidence that change nothing are not worth a line. */
const isNoteworthy = (event: Event, before: State, { state, acts }: Decision): boolean =>
  state.at !== before.at ||
  event.kind === 'tripped' ||
  event.kind === 'drive-asked' ||
  acts.some((act) => act.kind === 'alarm' || act.kind === 'refuse' || act.kind === 'tell-reset');

const succeeded = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
