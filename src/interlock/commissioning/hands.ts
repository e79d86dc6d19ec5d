/**
 * What a commissioning procedure may do to one link, and nothing else: connect and isolate single contacts, keep or not keep
 * a hardware lease alive, look.
 *
 * How a session runs. `interlock.commission(link, presence, by, reason, holder)` asks for one; it is refused unless presence is
 * proven, isolation is proven, and the link is neither latched nor leased. Granted, it answers `{ id, hands }`, and its holder is
 * told `granted` (with `ends_in_ms` and `renew_every_ms`). From then on the session must be renewed like a lease
 * (`interlock.renewLease(id)`), by whoever is alive because the person is: a hung procedure then ends it. It ends by
 * `interlock.endLease(id, 'released')`, `interlock.holderGone(holder)`, a missed renewal, 30 minutes, a trip, a stop, or a journal or
 * ledger that fails. Whatever ends it, every contact is cut in that tick, the holder is told `over`, and these hands are
 * dead: `live()` is false, `connect` and `renewHardware` answer `fenced`, `isolate` says `null`, `look` goes on looking.
 *
 * What is different from a lease: nothing is connected by the grant itself; no evidence trips or ends the session (an
 * unplugged supply is part of the procedure); no hardware lease is renewed unless `renewHardware` is called; the link counts
 * as exposed from the grant until isolation is proven after the end.
 *
 * A procedure that is content calls `recordProof` (proof-record.ts) for every contact of the link, after the session.
 */
import { own } from '../../core/names.ts';
import type { CommandOutcome, Contact } from '../../contacts/port.ts';
import type { Evidence, Reading } from '../../core/evidence.ts';
import { permissionOf } from '../../core/link.ts';
import type { Millis } from '../../core/time.ts';
import type { Clock } from '../clock.ts';
import type { LinkShell } from '../link-shell.ts';

/** One contact or witness and what it said; `reading` is null when it did not answer in time. */
export interface Looked {
  readonly kind: 'contact' | 'witness';
  readonly name: string;
  readonly type: string;
  readonly reading: Reading | null;
}

/** What every indicator said in one round, and what they say together. */
export interface Look {
  readonly evidence: Evidence;
  readonly indicators: readonly Looked[];
}

/** How an isolate of one contact went. Its `acknowledged` is the device's word for the first attempt. */
export interface IsolatedAlone {
  /** Monotonic ms of the command. */
  readonly commandedAt: Millis;
  /** ms until its frame was with the kernel; null when it was not within the wait (it stays pending). */
  readonly writtenMs: number | null;
  readonly acknowledged: Promise<CommandOutcome>;
}

/** How a connect of one contact went. */
export interface ConnectedAlone {
  /** Monotonic ms at which the driver was told, after the journal had it. */
  readonly commandedAt: Millis;
  /** ms until its frame was written; null when it was not. */
  readonly writtenMs: number | null;
  readonly outcome: CommandOutcome;
}

/** The hands of one session. No method ever rejects; every wait is bounded by the drivers' own bounds. Names are of `contacts`. */
export interface CommissioningHands {
  readonly link: string;
  /** Name, kind and hardware lease of every contact, in the order of the configuration. Not to be driven directly. */
  readonly contacts: readonly Pick<Contact, 'name' | 'kind' | 'hardwareLeaseMs'>[];
  now(): Millis;
  /** Resolves after `ms`. */
  pause(ms: number): Promise<void>;
  /** True when every contact was connected by these hands and nothing has isolated it since. */
  drivesAll(): boolean;
  /** False once the session is over: nothing can be connected any more, and everything has been cut. */
  live(): boolean;
  /** Connects one contact, fenced by this session and by every cut after this call. Journaled before it is commanded. */
  connect(contact: string): Promise<ConnectedAlone>;
  /** Isolates one contact in this tick; the others stay. Null: the session is over and everything was cut. */
  isolate(contact: string): Promise<IsolatedAlone | null>;
  /** Renews the hardware lease of a contact that `connect` connected and nothing has cut since; otherwise `fenced`. */
  renewHardware(contact: string): Promise<CommandOutcome>;
  /** Asks every indicator once: a round that begins after this call. */
  look(): Promise<Look>;
  /** Settings of all boards that are not as their profiles demand. */
  settingsProblems(): Promise<readonly string[]>;
}

/** What the hands are made of. */
export interface Workbench {
  readonly shell: LinkShell;
  readonly clock: Clock;
  /** The session these hands belong to. */
  readonly session: string;
  look(): Promise<Look>;
  settingsProblems(): Promise<readonly string[]>;
}

/** The hands of a session that was granted. */
export function commissioningHands({ shell, clock, session, ...bench }: Workbench): CommissioningHands {
  const driven = new Set<string>();
  const live = (): boolean => permissionOf(shell.state)?.id === session;
  const ask = (contact: string, position: 'connected' | 'isolated'): ReturnType<LinkShell['handle']> =>
    shell.handle({ kind: 'drive-asked', now: clock.now(), leaseId: session, contact, position });
  const connect = async (name: string): Promise<ConnectedAlone> => {
    const asked = ask(name, 'connected');
    // In the tick of the decision: a cut that comes while the journal writes makes it stale.
    const fence = shell.fence();
    const { decision, recorded } = await asked;
    const contact = shell.contacts.find((each) => each.name === name);
    const allowed = decision.acts.some((act) => act.kind === 'drive') && recorded && shell.isNoted(session);
    const commandedAt = clock.now();
    if (!allowed || contact === undefined || !fence.isCurrent())
      return { commandedAt, writtenMs: null, outcome: { kind: 'fenced' } };
    driven.add(name);
    let writtenMs: number | null = null;
    // A driver asks its fence in the tick of the write; the last time that it may is when it writes.
    const isCurrent = (): boolean => {
      const may = fence.isCurrent();
      if (may) writtenMs = clock.now() - commandedAt;
      return may;
    };
    const outcome = await contact.connect({ isCurrent });
    return { commandedAt, writtenMs, outcome };
  };
  const isolate = async (name: string): Promise<IsolatedAlone | null> => {
    driven.delete(name);
    const asked = ask(name, 'isolated');
    const receipt = shell.receiptOf(name);
    const { cut, decision } = await asked;
    if (cut === null || receipt === null || decision.acts.some((act) => act.kind === 'refuse')) return null;
    return {
      commandedAt: cut.at,
      writtenMs: own(cut.writtenMs, name) ?? null,
      acknowledged: receipt.acknowledged,
    };
  };
  const renewHardware = async (name: string): Promise<CommandOutcome> => {
    const contact = shell.contacts.find((each) => each.name === name);
    if (contact === undefined || !driven.has(name) || !live()) return { kind: 'fenced' };
    return contact.connect(shell.fence());
  };
  return {
    link: shell.link,
    contacts: shell.contacts,
    now: () => clock.now(),
    pause: (ms) => clock.pause(ms),
    drivesAll: () => live() && shell.contacts.every(({ name }) => driven.has(name)),
    live,
    connect,
    isolate,
    renewHardware,
    look: () => bench.look(),
    settingsProblems: () => bench.settingsProblems(),
  };
}
