/** What proof tests and commissioning must keep, held against the truth. */
import { permissionOf, type State } from '../../src/core/link.ts';
import type { LinkAtWork } from '../../src/interlock/link-at-work.ts';
import type { Proofs } from '../../src/interlock/records/proof-record.ts';
import type { Account, SeenLease, SeenTest } from './account.ts';
import type { Life, World } from './world.ts';

/** Time passes for a link at least this often, ms, with some room. */
const TICK_MS = 300;
/** A result is on disk after this when the disk is well, ms. */
const KEPT_MS = 20_000;

export class ProofPromises {
  readonly #world: World;
  readonly #breaks: (promise: string) => void;
  #diskFaultAt = Number.NEGATIVE_INFINITY;

  constructor(world: World, breaks: (promise: string) => void) {
    this.#world = world;
    this.#breaks = breaks;
  }

  /** The truth of one link, whoever is alive. */
  lookAt(account: Account): void {
    const { now } = this.#world.time;
    const { link, test } = account;
    if (this.#world.disk.fault !== null) this.#diskFaultAt = now;
    if (!link.cableIn) account.misledAt = now;
    const tested = link.contacts.find(({ nature }) => nature.name === test?.contact);
    if (test !== null && tested?.position === 'isolated') test.letGo = true;
  }

  /** `unwritable`: the journal could not be written before this step, and cannot now. */
  judge(account: Account, link: LinkAtWork, life: Life, unwritable: boolean): void {
    const { state } = link.shell;
    this.#judgeTest(account, link, state, life);
    this.#judgeSession(account, state, life, unwritable);
  }

  #judgeTest(account: Account, link: LinkAtWork, state: State, life: Life): void {
    const { now } = this.#world.time;
    const { name, policy } = account.link;
    const { test } = account;
    if (state.at !== 'proving') {
      if (test !== null) this.#judgeEnd(account, test, link, state);
      account.test = null;
      return;
    }
    if (test === null) this.#judgeBeginning(account, state.contact);
    account.test ??= { contact: state.contact, since: life.clock.inWorld(state.cutAt), letGo: false };
    if (account.test.contact !== state.contact) this.#breaks(`the proof test of ${name} changed its contact`);
    if (now - account.test.since > policy.isolateTimeoutMs + TICK_MS)
      this.#breaks(`the proof test of ${name} goes on for ${(now - account.test.since).toFixed(0)} ms`);
    for (const { nature } of account.link.contacts) {
      const { last, isolatedAt } = account.callsOf(nature.name);
      if (nature.name === state.contact && last !== 'isolate')
        this.#breaks(`${name} tests ${nature.name}, which was not told to isolate`);
      // Of a link that a hand connected before its lease did, the others were not told to connect either.
      if (nature.name !== state.contact && last === 'isolate' && isolatedAt >= account.test.since)
        this.#breaks(`${name} tests ${state.contact}, and ${nature.name} was told to isolate, too`);
    }
  }

  #judgeBeginning(account: Account, contact: string): void {
    const { name, contacts } = account.link;
    if (contacts.length > 1 && account.provenLast === contact)
      this.#breaks(`${contact} of ${name} is tested twice running, and the others are not`);
  }

  #judgeEnd(account: Account, test: SeenTest, link: LinkAtWork, state: State): void {
    const { now } = this.#world.time;
    const { name, policy } = account.link;
    const outcome = this.#outcomeOf(link, test);
    this.#world.story.meet(`proof ${outcome}`);
    this.#world.story.tell(`${name}: proof test of ${test.contact} ${outcome}`);
    const misledAt = Math.max(account.liedAt, account.misledAt);
    const misled = misledAt >= test.since - policy.evidenceMaxAgeMs;
    if (outcome === 'passed') {
      account.provenLast = test.contact;
      if (!test.letGo && !misled)
        this.#breaks(`${test.contact} of ${name} is called proven, and it never let go`);
    }
    if (outcome !== 'not-done') account.results.set(test.contact, { outcome, at: now });
    // It had its turn, though it came to nothing: the one that was proven is next, or the other would keep it from its test.
    else if (account.provenLast !== test.contact) account.provenLast = null;
    const ranOut = state.at === 'isolating' && now - test.since >= policy.isolateTimeoutMs - 1;
    if (ranOut && !test.letGo && !misled && outcome !== 'failed')
      this.#breaks(`${test.contact} of ${name} did not let go, and nobody noticed`);
  }

  /** What the record says of a test that has just ended: its result must be there by now. */
  #outcomeOf(link: LinkAtWork, test: SeenTest): 'passed' | 'failed' | 'not-done' {
    const proof = this.#proofs(link)[test.contact];
    const ours = proof?.by === 'window' && proof.at === this.#world.life?.clock.calendarMs();
    return ours ? proof.outcome : 'not-done';
  }

  #proofs(link: LinkAtWork): Proofs {
    return this.#world.life?.interlock?.parts.proofs.of(link.name) ?? {};
  }

  /** A lease has just been granted. */
  granted(account: Account, link: LinkAtWork): void {
    const { name, proofMaxAgeMs } = account.link;
    for (const [contact, { outcome }] of account.results)
      if (outcome === 'failed') this.#breaks(`${name} was granted a lease although ${contact} failed`);
    const calendarMs = this.#world.life?.clock.calendarMs() ?? 0;
    for (const [contact, { at }] of Object.entries(this.#proofs(link)))
      if (Math.abs(calendarMs - at) > proofMaxAgeMs)
        this.#breaks(`${name} was granted a lease while the proof of ${contact} is overdue`);
  }

  #judgeSession(account: Account, state: State, life: Life, unwritable: boolean): void {
    const { now } = this.#world.time;
    const { name, policy } = account.link;
    const before = account.session;
    if (state.at !== 'commissioning') {
      if (before !== null) account.leaseOverAt = now;
      account.session = null;
      account.recordedDrives.clear();
      return;
    }
    const endsAt = life.clock.inWorld(state.lease.endsAt);
    const seen: SeenLease = before ?? { id: state.lease.id, endsAt };
    if (before === null) {
      if (account.mustBeLatched) this.#breaks(`${name} is commissioned while latched`);
      if (unwritable) this.#breaks(`${name} is commissioned while the journal cannot be written`);
      if (life.stopping) this.#breaks(`${name} is commissioned while stopping`);
      if (endsAt - now > policy.commissioningMs + 1e-6) this.#breaks(`a session of ${name} lasts too long`);
    }
    if (seen.id !== state.lease.id) this.#breaks(`a session of ${name} became another`);
    if (endsAt > seen.endsAt + 1e-6) this.#breaks(`the end of a session of ${name} moved away`);
    if (now > endsAt + TICK_MS) this.#breaks(`a session of ${name} goes on past its end`);
    if (now > life.clock.inWorld(state.lease.renewBy) + TICK_MS)
      this.#breaks(`a session of ${name} that nobody renewed lives on`);
    account.session = seen;
  }

  /** A contact was told to connect while a session is in force. */
  driven(account: Account, contact: string, state: State | undefined): void {
    if (state === undefined || state.at !== 'commissioning') return;
    if (!account.driving.has(contact))
      this.#breaks(`${contact} of ${account.link.name} was connected in a session that did not ask for it`);
    if (!account.recordedDrives.has(contact))
      this.#breaks(`${contact} of ${account.link.name} was connected before the journal had it`);
    if (permissionOf(state)?.id !== account.session?.id)
      this.#breaks(`${contact} of ${account.link.name} was connected for another session`);
  }

  /** The journal has the drive of a contact. */
  driveRecorded(account: Account, contact: string, lease: string): void {
    if (account.session?.id === lease) account.recordedDrives.add(contact);
  }

  /** Commissioning proved every contact of this link. */
  recorded(account: Account): void {
    const at = this.#world.time.now;
    for (const { nature } of account.link.contacts)
      account.results.set(nature.name, { outcome: 'passed', at });
    account.provenLast = null;
  }

  /** A life begins: what was known and kept is known. */
  began(account: Account): void {
    const { proofs } = this.#world.life?.interlock?.parts ?? {};
    if (proofs === undefined || proofs.unreadable !== null) return;
    for (const [contact, { outcome }] of account.results)
      if (proofs.of(account.link.name)[contact]?.outcome !== outcome)
        this.#breaks(`the proof of ${contact} of ${account.link.name} (${outcome}) was forgotten`);
  }

  /** A process died: of what it knew only what was kept is known. */
  died(accounts: Iterable<Account>): void {
    const { now } = this.#world.time;
    for (const { results } of accounts)
      for (const [contact, { at }] of results)
        if (now - at < KEPT_MS || this.#diskFaultAt > at - KEPT_MS) results.delete(contact);
  }
}
