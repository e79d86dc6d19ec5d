/** The real interlock on one simulated link in virtual time: two relays in series behind a carrier, and nothing else at work. */
import { cut } from '../../src/contacts/cut.ts';
import type { Contact } from '../../src/contacts/port.ts';
import type { HeartbeatPermissive } from '../../src/interlock/trips/heartbeats.ts';
import { Interlock as RealInterlock } from '../../src/interlock/interlock.ts';
import { LatchFile } from '../../src/interlock/records/latch-file.ts';
import { Ledger } from '../../src/interlock/records/ledger.ts';
import type { LinkAtWork } from '../../src/interlock/link-at-work.ts';
import { ProofRecord } from '../../src/interlock/records/proof-record.ts';
import { WindowClock } from '../../src/interlock/windows/window-clock.ts';
import type { LeaseLine } from '../../src/protocol/messages.ts';
import { everyLinkCommissioned } from '../commissioning/commissioned.ts';
import { Dice } from '../simulation/dice.ts';
import { SimulatedDisk, STATE } from '../simulation/disk.ts';
import { PhysicalContact, PhysicalLink, PhysicalWitness } from '../simulation/hardware.ts';
import { Medium, SimulatedJournal } from '../simulation/journal.ts';
import { ProcessClock, settled, VirtualTime } from '../simulation/virtual-time.ts';
import { WireContact, type WireTap, WireWitness } from '../simulation/wire.ts';

const quiet: WireTap = {
  isolateAsked: () => undefined,
  connectAsked: () => undefined,
  connectWritten: () => undefined,
  lied: () => undefined,
  slandered: () => undefined,
  astray: () => undefined,
  asked: () => undefined,
};

export const POLICY = {
  connectTimeoutMs: 5_000,
  isolateTimeoutMs: 2_000,
  leaseTimeoutMs: 3_000,
  commissioningMs: 60_000,
  evidenceMaxAgeMs: 5_000,
};
const DAY_MS = 86_400_000;

export class WiredBox {
  readonly time = new VirtualTime();
  readonly calendar = { offsetMs: 0 };
  readonly clock = new ProcessClock(this.time, this.calendar, 0);
  readonly disk: SimulatedDisk;
  readonly medium = new Medium();
  readonly relay: PhysicalContact;
  readonly port: PhysicalContact;
  readonly link: PhysicalLink;
  readonly proofs: ProofRecord;
  readonly interlock: RealInterlock;
  /** What the holder of the last lease was told. */
  told: string[] = [];

  /** `wrapped`: what stands in for a contact of the wire. `witnessed`: there is a carrier. */
  constructor({
    witnessed = true,
    hardwareLeaseMs = null,
    wrapped = (contact: Contact) => contact,
    heartbeats = [],
    Interlock = RealInterlock,
  }: {
    readonly witnessed?: boolean;
    readonly hardwareLeaseMs?: number | null;
    readonly wrapped?: (contact: Contact) => Contact;
    readonly heartbeats?: readonly HeartbeatPermissive[];
    /** A copy with a fault in it. */
    readonly Interlock?: typeof RealInterlock;
  } = {}) {
    const dice = new Dice(1);
    const contact = (name: string, kind: 'fail-safe' | 'holding', leaseMs: number | null): PhysicalContact =>
      new PhysicalContact({ name, kind, reads: 'measured', hardwareLeaseMs: leaseMs }, this.time);
    this.relay = contact('relay', 'fail-safe', hardwareLeaseMs);
    this.port = contact('port', 'holding', null);
    this.disk = new SimulatedDisk(dice);
    const carrier = new PhysicalWitness({ name: 'carrier', sees: 'both', of: null });
    const witnesses = witnessed ? [carrier] : [];
    this.link = new PhysicalLink('vault', [this.relay, this.port], witnesses, POLICY, DAY_MS, 40 * DAY_MS);
    const wire = { time: this.time, clock: this.clock, dice, tap: quiet };
    const disk = this.disk.usedBy(this.clock);
    this.proofs = new ProofRecord(disk, STATE);
    const { policy, budgetMs, proofMaxAgeMs } = this.link;
    this.interlock = new Interlock({
      clock: this.clock,
      bootId: 'boot',
      build: 'build',
      trust: () => ({ synchronised: true, quality: 'assumed', detail: '' }),
      journal: new SimulatedJournal(this.medium, this.clock, dice, () => undefined),
      latchFile: new LatchFile(disk, STATE),
      latches: {},
      latchesSaved: true,
      ledger: new Ledger(disk, STATE),
      proofs: this.proofs,
      commissionings: everyLinkCommissioned,
      windows: new WindowClock(
        { nightly: { link: 'vault', opens: '0 0 1 1 *', timezone: 'UTC', jitter: 0, lasts: 3_600_000 } },
        {},
      ),
      signedHead: () => null,
      links: {
        vault: {
          contacts: this.link.contacts.map((each) => wrapped(new WireContact(this.link, each, wire))),
          witnesses: witnesses.map((each) => new WireWitness(this.link, each, wire)),
          policy,
          budgetMs,
          proofMaxAgeMs,
          heartbeats,
          grade: 'simulated',
        },
      },
      cut,
    });
    this.interlock.start();
  }

  get at(): string {
    return this.vault.shell.state.at;
  }

  get vault(): LinkAtWork {
    const vault = this.interlock.links.get('vault');
    if (vault === undefined) throw new TypeError('there is a vault');
    return vault;
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    await settled();
    const until = this.time.now + ms;
    while (await this.time.step(until));
  }

  /** Lets time pass until `done`; says what it waited for when that does not come about. */
  async until(what: string, done: () => boolean, withinMs = 20_000): Promise<void> {
    const end = this.time.now + withinMs;
    for (;;) {
      await settled();
      if (done()) return;
      if (!(await this.time.step(end))) throw new Error(`not within ${withinMs} ms: ${what}`);
    }
  }

  /** What a promise comes to, with as much time as it needs. */
  async come<T>(promise: Promise<T>): Promise<T> {
    const came: T[] = [];
    void promise.then((what) => came.push(what));
    await this.until('an answer', () => came.length > 0);
    return promise;
  }

  /** Opens the window by hand and holds a lease until it is connected; returns its id, or the codes of the refusals. */
  async lease(): Promise<string | readonly string[]> {
    await this.until('isolation is proven', () => this.at === 'isolated');
    const [plan] = this.interlock.parts.windows.plans;
    const opened = plan && this.interlock.openByHand(plan, 'person:test', 'test');
    const [open] = this.interlock.parts.windows.calendar.open;
    const occurrence = opened?.occurrence ?? open?.occurrence ?? '';
    this.told = [];
    const tell = (line: LeaseLine): void =>
      void this.told.push(line.event === 'over' ? line.why : line.event);
    const claim = { link: 'vault', window: 'nightly', occurrence };
    const answer = await this.come(this.interlock.askLease(claim, { tell }));
    if ('refusals' in answer) return answer.refusals.map(({ code }) => code);
    await this.until('connected', () => this.at === 'connected');
    return answer.id;
  }

  /** What the last entries of this type say. */
  entries(type: string): readonly Record<string, unknown>[] {
    return this.medium.entries.filter((each) => each.type === type).map(({ data }) => data);
  }
}
