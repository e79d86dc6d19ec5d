/**
 * The promises, held against the truth after every single event. This onlooker knows where every contact really is and
 * what was asked of every wire; it uses nothing of the program but its states and what it says.
 */
import { EXPOSURE_SPAN_MS } from '../../src/core/exposure.ts';
import {
  isolationProvenAt,
  latchOf,
  leaseOf,
  permissionOf,
  type Refusal,
  type State,
} from '../../src/core/link.ts';
import type { LinkAtWork } from '../../src/interlock/link-at-work.ts';
import type { Step } from '../../src/interlock/link-shell.ts';
import type { Entry } from '../../src/journal/entry.ts';
import type { SessionStatus } from '../../src/protocol/authority.ts';
import type { EventLine } from '../../src/protocol/messages.ts';
import { Account, type SeenLease } from './account.ts';
import { LEDGER_PATH } from './disk.ts';
import type { PhysicalContact, PhysicalLink } from './hardware.ts';
import { ProofPromises } from './proof-promises.ts';
import { type Life, LONGEST_SESSION_MS, type Onlooker, type World } from './world.ts';

/** Time passes for a link at least this often, ms, with some room. */
const TICK_MS = 300;
/** Commands to isolate come at least this often while isolation is not proven, ms. */
const ISOLATE_EVERY_MS = 600;
/** A condition that fails ends a lease within this: two waits of a round, its pause, and what a round takes, ms. */
const CONDITION_MS = 4_500;
/** A healthy wire isolates within this: one exchange in flight, one frame, ms. */
const WIRE_MS = 700;
/** After a fault it takes until the evidence shows it, or is too old to show anything, ms. */
const DETECTED_MS = 10_000;
/** No window begins this long after a clock step, ms. */
const STEP_HOLD_MS = 5 * 60_000;
/** Steps smaller than this need not be noticed, ms. */
const STEP_MS = 2_100;
const JITTER_MS = 5_000;
/** Stands where an opening names its window. */
const ATTENDED = 'attended';

type Sampled = 'journal' | 'clock';

export class Promises implements Onlooker {
  readonly #world: World;
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly proofs: ProofPromises;
  readonly #failing: Record<Sampled, number | null> = { journal: null, clock: null };
  #failedBefore: Record<Sampled, boolean> = { journal: false, clock: false };
  #checkedAt = 0;
  #synchronisedAt = 0;
  #steppedAt = Number.NEGATIVE_INFINITY;
  #calendarSeen = { at: 0, offsetMs: 0 };
  /** When the present life had read what it found. */
  #beganAt = 0;
  /** The first promise that was broken; null while none is. */
  broken: string | null = null;

  constructor(world: World) {
    this.#world = world;
    this.proofs = new ProofPromises(world, (promise) => this.breaks(promise));
    this.#accounts = new Map(world.links.map((link) => [link.name, new Account(link)]));
  }

  account(name: string): Account {
    const account = this.#accounts.get(name);
    if (account === undefined) throw new RangeError(`no link ${name}`);
    return account;
  }

  breaks(promise: string): void {
    this.broken ??= promise;
  }

  /** Everything that can be judged by looking, at this moment. */
  check(): void {
    const { life, time, synchronised } = this.#world;
    if (synchronised) this.#synchronisedAt = time.now;
    this.#lookAtCalendar();
    const interlock = life?.interlock ?? null;
    const writable = interlock?.parts.journal.writable().ok ?? true;
    this.#sample('journal', !writable);
    this.#sample('clock', !synchronised);
    for (const account of this.#accounts.values()) {
      this.#lookAt(account);
      const link = interlock?.links.get(account.link.name);
      if (life !== null && link !== undefined) this.#judge(account, link, life);
    }
    this.#failedBefore = { journal: !writable, clock: !synchronised };
    this.#checkedAt = time.now;
  }

  /** Looks as rarely as the program may: a step that is taken back between two looks was none. */
  #lookAtCalendar(): void {
    const { now } = this.#world.time;
    const { offsetMs } = this.#world.calendar;
    if (now - this.#calendarSeen.at < TICK_MS) return;
    if (Math.abs(offsetMs - this.#calendarSeen.offsetMs) > STEP_MS) this.#steppedAt = now;
    this.#calendarSeen = { at: now, offsetMs };
  }

  #sample(what: Sampled, fails: boolean): void {
    if (!fails) this.#failing[what] = null;
    else this.#failing[what] ??= this.#world.time.now;
  }

  /** The truth of one link, whoever is alive. */
  #lookAt(account: Account): void {
    const { now } = this.#world.time;
    const { link } = account;
    if (account.exposedUntil !== null)
      account.exposedMs += Math.max(0, Math.min(now, account.exposedUntil) - this.#checkedAt);
    if (link.faulty) account.faultAt = now;
    this.proofs.lookAt(account);
    if (link.connected) account.connectedSince ??= now;
    else account.connectedSince = null;
    // From a lie on nobody can know how long the stretch lasts.
    if (!link.connected || account.liedAt === now) account.exposedUntil = null;
  }

  #judge(account: Account, link: LinkAtWork, life: Life): void {
    const { now } = this.#world.time;
    const { state } = link.shell;
    this.#world.story.meet(`state ${state.at}`);
    this.#judgeLatch(account, state);
    this.#judgeProof(account, state, life);
    this.#judgeLease(account, link, life);
    this.proofs.judge(account, link, life, this.#failing.journal !== null && this.#failedBefore.journal);
    this.#judgeCommands(account, state);
    const permission = account.lease ?? account.session;
    const driven = permission !== null && account.drivenLease === permission.id;
    if (driven && account.link.connected && account.liedAt < now) account.exposedUntil = permission.endsAt;
    this.#judgeExposure(account, life);
  }

  /** Exposure is never accounted short, except where it is unknown, and then it must grant nothing. */
  #judgeExposure(account: Account, life: Life): void {
    const { interlock } = life;
    const { link } = account;
    if (interlock === null || interlock.parts.ledger.unreadable !== null) return;
    const accounted = interlock.parts.ledger.exposedMs(link.name, interlock.moment());
    if (accounted < account.exposedMs - 1)
      this.breaks(
        `exposure of ${link.name}: ${accounted.toFixed(0)} ms accounted, ${account.exposedMs.toFixed(0)} ms connected`,
      );
  }

  #judgeLatch(account: Account, state: State): void {
    const latched = latchOf(state) !== null;
    if (!account.mustBeLatched || latched) return;
    const { name } = account.link;
    if (account.resetsAtWork.length === 0) this.breaks(`the latch of ${name} went away without a reset`);
    else if (!account.resetsAtWork.includes(account.trips))
      this.breaks(`a reset of ${name} lifted a trip that came after it was asked for`);
    account.mustBeLatched = false;
    account.acknowledged = false;
    account.resets += 1;
  }

  /** Proven means: it was so at some time since. Unless somebody lied, and then no program can know. */
  #judgeProof(account: Account, state: State, life: Life): void {
    const { now } = this.#world.time;
    const provenAt = isolationProvenAt(state);
    if (provenAt === null) return;
    const since = life.clock.inWorld(provenAt);
    const { connectedSince, link } = account;
    if (now - since > link.policy.evidenceMaxAgeMs + TICK_MS)
      this.breaks(`${link.name} is called proven on evidence ${(now - since).toFixed(0)} ms old`);
    if (since > now) this.breaks(`${link.name} is proven from the future`);
    if (connectedSince !== null && connectedSince < since && account.liedAt < since)
      this.breaks(`${link.name} is called proven isolated while it is connected and nobody lies`);
  }

  /** Without a lease the last word to every contact is isolate, and it is said again and again until it is proven. */
  #judgeCommands(account: Account, state: State): void {
    const { now } = this.#world.time;
    const { name, contacts } = account.link;
    const leased = permissionOf(state) !== null;
    const unproven = !leased && isolationProvenAt(state) === null;
    account.unprovenSince = unproven ? (account.unprovenSince ?? now) : null;
    const alone = state.at === 'proving' ? state.contact : null;
    for (const { nature } of contacts.filter((each) => alone === null || each.nature.name === alone)) {
      const calls = account.callsOf(nature.name);
      if (!leased && calls.last !== 'isolate')
        this.breaks(`${name} has no lease and ${nature.name} was not cut`);
      const silentMs = now - Math.max(calls.isolatedAt, account.unprovenSince ?? now);
      if (silentMs > ISOLATE_EVERY_MS)
        this.breaks(`${name} is unproven and ${nature.name} was not told for ${silentMs.toFixed(0)} ms`);
    }
    const cutBy = Math.max(account.leaseOverAt, this.#world.life?.startedAt ?? now) + WIRE_MS;
    const misledAt = Math.max(account.faultAt, account.liedAt);
    if (!leased && account.connectedSince !== null && now > Math.max(cutBy, misledAt + DETECTED_MS))
      this.breaks(`${name} has no lease and a healthy wire, and is still connected`);
  }

  #judgeLease(account: Account, link: LinkAtWork, life: Life): void {
    const { now } = this.#world.time;
    const { name } = account.link;
    const lease = leaseOf(link.shell.state);
    const before = account.lease;
    if (before !== null && lease?.id !== before.id) account.leaseOverAt = now;
    if (lease === null) {
      account.lease = null;
      return;
    }
    const endsAt = life.clock.inWorld(lease.endsAt);
    if (lease.id !== before?.id) account.lease = { id: lease.id, endsAt };
    const seen: SeenLease = account.lease ?? { id: lease.id, endsAt };
    if (endsAt > seen.endsAt + 1e-6) this.breaks(`the end of a lease of ${name} moved away`);
    seen.endsAt = endsAt;
    if (link.shell.state.at === 'connected') account.provenLeases.add(lease.id);
    if (now > endsAt + TICK_MS) this.breaks(`${name} is connected past the end of its lease`);
    if (now > life.clock.inWorld(lease.renewBy) + TICK_MS) this.breaks(`a lapsed lease of ${name} lives on`);
    this.#judgeEntitlement(account, link, lease.id !== before?.id, endsAt);
  }

  /** What must hold for a lease to be granted, and ends it when it ceases. */
  #judgeEntitlement(account: Account, link: LinkAtWork, isNew: boolean, endsAt: number): void {
    const { now } = this.#world.time;
    const { name } = account.link;
    const claim = link.holding?.claim;
    const occurrence = claim === undefined ? null : 'session' in claim ? claim.session : claim.occurrence;
    const opening = account.openings.find((each) => each.occurrence === occurrence);
    if (opening === undefined) {
      this.breaks(`${name} holds a lease for a window that was never announced`);
      return;
    }
    if (endsAt > opening.endsBy + 1) this.breaks(`a lease of ${name} ends after its window`);
    const failing: readonly [string, number | null][] = [
      ['the journal cannot be written', this.#failing.journal],
      ['the clock is not synchronised', opening.byHand ? null : this.#failing.clock],
      ['its window is over', opening.closedAt],
    ];
    for (const [why, since] of failing) {
      if (since !== null && now - since > CONDITION_MS)
        this.breaks(`${name} keeps its lease although ${why}`);
    }
    if (!isNew) return;
    this.proofs.granted(account, link);
    this.#world.story.tell(`${name}: lease, ${(endsAt - now).toFixed(0)} ms at most`);
    if (account.mustBeLatched) this.breaks(`${name} was granted a lease while latched`);
    if (this.#failing.journal !== null && this.#failedBefore.journal)
      this.breaks(`${name} was granted a lease while the journal cannot be written`);
    if (this.#failing.clock !== null && this.#failedBefore.clock && !opening.byHand)
      this.breaks(`${name} was granted a lease while the clock is not synchronised`);
    if (opening.closedAt !== null && opening.closedAt < now)
      this.breaks(`${name} was granted a lease after its window`);
    if (endsAt - now > account.link.budgetMs - account.exposedMs + 1)
      this.breaks(`${name} was granted a lease beyond its budget`);
    if (this.#world.life?.stopping === true) this.breaks(`${name} was granted a lease while stopping`);
  }

  // What the wires see.

  isolateAsked(link: PhysicalLink, contact: PhysicalContact): void {
    const calls = this.account(link.name).callsOf(contact.nature.name);
    calls.last = 'isolate';
    calls.isolates += 1;
    calls.isolatedAt = this.#world.time.now;
  }

  connectAsked(link: PhysicalLink, contact: PhysicalContact): void {
    this.account(link.name).callsOf(contact.nature.name).last = 'connect';
    this.#judgeConnect(link, contact, 'asked');
  }

  connectWritten(link: PhysicalLink, contact: PhysicalContact): void {
    this.#world.story.meet('connect frame');
    const shell = this.#world.life?.interlock?.links.get(link.name)?.shell;
    this.account(link.name).drivenLease =
      (shell === undefined ? null : permissionOf(shell.state))?.id ?? null;
    this.#judgeConnect(link, contact, 'written');
  }

  #judgeConnect(link: PhysicalLink, contact: PhysicalContact, what: 'asked' | 'written'): void {
    const account = this.account(link.name);
    const shell = this.#world.life?.interlock?.links.get(link.name)?.shell;
    const lease = shell === undefined ? null : permissionOf(shell.state);
    if (what === 'asked') this.proofs.driven(account, contact.nature.name, shell?.state);
    const where = `${contact.nature.name} of ${link.name}`;
    if (account.mustBeLatched) this.breaks(`a connect was ${what} to ${where} after a trip`);
    if (lease === null) this.breaks(`a connect was ${what} to ${where} without a live lease`);
    else if (!account.recordedLeases.has(lease.id))
      this.breaks(`a connect was ${what} to ${where} before its grant was recorded`);
    if (what === 'asked' && !this.#exposureKept(link.name))
      this.breaks(`a connect was asked to ${where} before its exposure was on disk`);
    // A cut after the connect was asked for makes it stale, whoever holds a lease by now.
    if (what === 'written' && account.callsOf(contact.nature.name).last === 'isolate')
      this.breaks(`a connect to ${where} was written after a cut`);
  }

  /** The disk would know after a loss of power that this link may be connected. */
  #exposureKept(name: string): boolean {
    const bytes = this.#world.disk.survives(LEDGER_PATH);
    return bytes !== null && Buffer.from(bytes).toString('utf8').includes(`"${name}":{"boot"`);
  }

  lied(link: PhysicalLink): void {
    this.#world.story.meet('a lie');
    this.account(link.name).liedAt = this.#world.time.now;
  }

  slandered(link: PhysicalLink): void {
    this.account(link.name).misledAt = this.#world.time.now;
  }

  astray(link: PhysicalLink): void {
    this.#world.story.meet('a frame that came late');
    this.account(link.name).faultAt = this.#world.time.now;
  }

  asked(link: PhysicalLink, indicator: string, waiting: number): void {
    if (waiting > 1) this.breaks(`${waiting} questions wait for ${indicator} of ${link.name}`);
  }

  // What the program says.

  recorded(entry: Entry): void {
    const { link, lease, to, cut } = entry.data;
    this.#world.story.tell(`journal: ${entry.type} ${JSON.stringify(entry.data).slice(0, 150)}`);
    if (typeof link !== 'string' || !this.#accounts.has(link)) return;
    const account = this.account(link);
    const grant = entry.type === 'link.connecting' || entry.type === 'link.commissioning';
    if (grant && typeof lease === 'string') account.recordedLeases.add(lease);
    const { contact } = entry.data;
    if (entry.type === 'contact.connect-asked' && typeof contact === 'string' && typeof lease === 'string')
      this.proofs.driveRecorded(account, contact, lease);
    if (cut !== undefined) this.#world.story.meet(`cut ${(cut as { why: string }).why}`);
    const alarms = entry.data['alarms'];
    if (Array.isArray(alarms)) for (const alarm of alarms) this.#world.story.meet(`alarm ${String(alarm)}`);
    if (to === 'tripped' || to === 'stuck') this.#world.story.meet(`latched by ${entry.actor.split(':')[0]}`);
  }

  announced(line: EventLine): void {
    const { story, time } = this.#world;
    if (line.event === 'window-opened') {
      const lasts = this.#world.windows[line.window]?.lasts ?? 0;
      if (line.ends_in_ms > lasts) this.breaks(`${line.window} lasts longer than it may`);
      const byHand = line.by_hand !== null;
      story.meet(byHand ? 'window by hand' : 'window by schedule');
      story.tell(`${line.window} opens${byHand ? ' by hand' : ''}`);
      if (!byHand) this.#judgeOpening(line.window);
      const { occurrence, window } = line;
      const endsBy = time.now + lasts;
      this.account(line.link).openings.push({ occurrence, window, endsBy, byHand, closedAt: null });
    } else if (line.event === 'window-closed') {
      for (const account of this.#accounts.values()) {
        for (const each of account.openings)
          if (each.occurrence === line.occurrence && each.window === line.window) each.closedAt ??= time.now;
      }
    } else if (line.event === 'session-began') {
      this.#sessionBegan(this.account(line.link), line.session);
    } else if (line.event === 'session-ended') {
      story.meet(`attended over ${line.why}`);
      const opening = this.account(line.link).openings.find((each) => each.occurrence === line.session);
      if (opening === undefined || opening.closedAt !== null)
        this.breaks('a session ended that had not begun');
      else opening.closedAt = time.now;
    } else if (line.event === 'alarm') {
      story.tell(`${line.link}: alarm ${line.code}`);
    }
  }

  /** Somebody at the box has asked, for no longer than the link takes, while nothing is latched and nobody else attends. */
  #sessionBegan(account: Account, { session, ends_in_ms }: SessionStatus): void {
    const { story, time } = this.#world;
    story.meet('attended');
    story.tell(`${account.link.name}: session for ${ends_in_ms} ms`);
    if (account.wishes.size === 0) this.breaks('a session began that nobody at the box had asked for');
    if (account.mustBeLatched) this.breaks('a session began on a latched link');
    if (ends_in_ms > LONGEST_SESSION_MS) this.breaks('a session lasts longer than it may');
    if (attendedNow(account)) this.breaks('two sessions on one link');
    const endsBy = time.now + ends_in_ms;
    account.openings.push({ occurrence: session, window: ATTENDED, endsBy, byHand: true, closedAt: null });
  }

  #judgeOpening(window: string): void {
    const { now } = this.#world.time;
    if (now - this.#synchronisedAt > JITTER_MS)
      this.breaks(`${window} began although the clock was not synchronised`);
    const held = now - this.#steppedAt < STEP_HOLD_MS && now - this.#steppedAt > JITTER_MS;
    if (held && this.#beganAt < this.#steppedAt - 2 * TICK_MS)
      this.breaks(`${window} began soon after a clock step`);
  }

  /** The box stood still for hours: what was held because of a step is held no more, and what was exposed is long ago. */
  lapsed(): void {
    this.#steppedAt = Number.NEGATIVE_INFINITY;
    for (const account of this.#accounts.values()) account.forgetExposure();
  }

  clockStepped(byMs: number): void {
    // Only the calendar can tell the age of what an earlier boot accounted: a day forward and a restart, and it is forgotten.
    if (byMs >= EXPOSURE_SPAN_MS) for (const account of this.#accounts.values()) account.exposedMs = 0;
  }

  began(life: Life, note: string): void {
    this.#beganAt = this.#world.time.now;
    this.#world.story.meet(`start: ${note.split(':')[0]}`);
    this.#world.story.tell(`interlock started (${note})`);
    for (const account of this.#accounts.values()) {
      const link = life.interlock?.links.get(account.link.name);
      if (account.mustBeLatched && link !== undefined && latchOf(link.shell.state) === null)
        this.breaks(`the acknowledged trip of ${account.link.name} did not survive`);
      this.proofs.began(account);
    }
  }

  // What people did.

  /** A trip was handed over; nothing has been awaited yet. Returns what belongs to its answer. */
  tripped(
    names: readonly string[],
    isolatesBefore: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, number> {
    for (const name of names) {
      const account = this.account(name);
      account.mustBeLatched = true;
      account.trips += 1;
      if (attendedNow(account)) this.breaks(`a session of ${name} survived a trip`);
      for (const { nature } of account.link.contacts) {
        if (account.callsOf(nature.name).isolates <= (isolatesBefore.get(`${name}/${nature.name}`) ?? 0))
          this.breaks(`a trip of ${name} returned before ${nature.name} was cut`);
      }
    }
    return new Map(names.map((name) => [name, this.account(name).resets]));
  }

  isolatesNow(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { link, calls } of this.#accounts.values())
      for (const [contact, { isolates }] of calls) counts.set(`${link.name}/${contact}`, isolates);
    return counts;
  }

  tripAnswered(steps: readonly Step[], resets: ReadonlyMap<string, number>): void {
    for (const step of steps) {
      this.#world.story.meet(step.latchSaved ? 'trip acknowledged' : 'trip not acknowledged');
      this.#world.story.tell(`${step.link}: trip ${step.latchSaved ? '' : 'not '}acknowledged`);
      const account = this.account(step.link);
      // A reset in between has lifted this trip already.
      if (step.latchSaved && resets.get(step.link) === account.resets) account.acknowledged = true;
    }
  }

  refused(refusals: readonly Refusal[]): void {
    for (const { code } of refusals) this.#world.story.meet(`refusal ${code}`);
  }

  died(): void {
    this.proofs.died(this.#accounts.values());
    for (const account of this.#accounts.values()) account.forget();
  }
}

/** A session of this link is in progress. */
const attendedNow = ({ openings }: Account): boolean =>
  openings.some(({ window, closedAt }) => window === ATTENDED && closedAt === null);
