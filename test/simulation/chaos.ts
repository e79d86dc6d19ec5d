/** Everything that goes wrong around the box, and everybody who pulls at it. Each seed weighs them anew. */
import { leaseOf, type Refusal } from '../../src/core/link.ts';
import type { Interlock } from '../../src/interlock/interlock.ts';
import type { LinkStatus } from '../../src/protocol/messages.ts';
import { causeNow } from '../button/cause.ts';
import { attend } from './attendant.ts';
import { Commissioner } from './commissioner.ts';
import { LATCH_PATH, LEDGER_PATH, PROOFS_PATH, type DiskFault } from './disk.ts';
import { CONTACT_FAULTS, type PhysicalLink, WITNESS_FAULTS } from './hardware.ts';
import type { JournalFault } from './journal.ts';
import { type Manner, MANNERS, Tenant } from './tenant.ts';
import type { Promises } from './promises.ts';
import type { Life, World } from './world.ts';

const ACTS = [
  'contact-fault',
  'witness-fault',
  'cable',
  'hand',
  'board-restart',
  'board-settings',
  'disk-fault',
  'journal-fault',
  'clock-step',
  'clock-unsynchronised',
  'trip',
  'trip-all',
  'trip-storm',
  'reset-without-presence',
  'commission',
  'commission-without-presence',
  'crash',
  'power-loss',
  'stop',
  'window-by-hand',
  'stray-ask',
  'stray-renewal',
  'attend',
  'attend-without-presence',
] as const;
/** What can happen to the box. */
export type ActName = (typeof ACTS)[number];

const DISK_FAULTS: readonly DiskFault[] = ['full', 'read-only', 'flaky', 'slow', 'hanging'];
const JOURNAL_FAULTS: readonly JournalFault[] = ['unwritable', 'slow', 'hanging'];
/** Weight of what a seed is to suffer from above all; the others weigh at most 1. */
const STRESS = 3;
/** Somebody looks at what is latched about this often, ms: one of these for each seed. */
const PATROLS_MS = [6_000, 6_000, 40_000];

/** Who lives with the interlock, where it is not tenants of our own. */
export interface Company {
  /** Mean time between two things that happen to the box, ms. */
  readonly meanMs: number;
  /** Somebody looks at what is latched about this often, ms. */
  readonly patrolMs: number;
  /** How often the middle of something short is disturbed, compared with a box that lives for minutes. */
  readonly disturbs: number;
  readonly began: (life: Life, interlock: Interlock) => void;
}

export class Chaos {
  readonly #world: World;
  readonly #promises: Promises;
  readonly #weights: Partial<Record<ActName, number>> = {};
  readonly #manners: Partial<Record<Manner, number>> = {};
  #meanMs: number;
  readonly #asksAtOnce: number;
  #patrolMs: number;
  readonly #stateSeen = new Map<string, string>();
  #ledgerTorn = false;
  #proofsTorn = false;
  readonly #company: Company | null;
  /** Nothing goes wrong and nobody pulls: then nothing may be lost either. */
  calm: boolean;

  /** `stress`: what happens much more often than the seed would have it. */
  constructor(
    world: World,
    promises: Promises,
    calm: boolean,
    stress: readonly ActName[],
    company: Company | null = null,
  ) {
    this.#company = company;
    this.#world = world;
    this.#promises = promises;
    this.calm = calm;
    const { dice } = world;
    for (const act of ACTS) if (dice.chance(0.6)) this.#weights[act] = dice.next() ** 2;
    for (const act of stress) this.#weights[act] = STRESS;
    for (const manner of MANNERS) this.#manners[manner] = dice.next() ** 2;
    this.#meanMs = dice.between(800, 12_000);
    this.#patrolMs = dice.pick(PATROLS_MS);
    this.#asksAtOnce = dice.chance(0.5) ? 2 : 1;
    if (company === null) return;
    this.#meanMs = company.meanMs;
    this.#patrolMs = company.patrolMs;
  }

  /** Lets everybody loose. */
  begin(): void {
    void this.#serve();
    if (this.calm) return;
    const again = (): void => {
      const act = this.#world.dice.weighted(this.#weights);
      if (act !== null && !this.calm) this.#perform(act);
      this.#world.time.after(this.#world.dice.waitMs(this.#meanMs), again);
    };
    this.#world.time.after(this.#world.dice.waitMs(this.#meanMs), again);
    this.#world.time.after(this.#patrolMs, () => this.#patrol());
  }

  /** From now on nothing goes wrong any more, and whatever was wrong is mended; people still look after the box. */
  rest(): void {
    const { disk, links, medium } = this.#world;
    this.calm = true;
    disk.fault = null;
    medium.fault = null;
    this.#world.synchronised = true;
    for (const link of links) {
      link.cableIn = true;
      for (const each of [...link.contacts, ...link.witnesses]) each.faults.clear();
      for (const contact of link.contacts) contact.settingsWrong = false;
    }
    if (this.#ledgerTorn) this.#setLedgerAside();
    if (this.#proofsTorn) this.#setProofsAside();
  }

  /** The box was switched off, and is switched on again. */
  powerCycle(): void {
    this.#end('power-loss');
  }

  /** A process lives, and whoever listens to it learns of its windows. */
  async #serve(): Promise<void> {
    if (this.#ledgerTorn && this.#world.dice.chance(0.5)) this.#setLedgerAside();
    if (this.#proofsTorn && this.#world.dice.chance(0.8)) this.#setProofsAside();
    if (!this.calm && this.#world.dice.chance(0.25)) this.#wakeDiskSlowly();
    await this.#world.start();
    const { life } = this.#world;
    const interlock = life?.interlock ?? null;
    if (life === null || interlock === null) return;
    this.#company?.began(life, interlock);
    interlock.announcer.listen((line) => {
      if (line.event === 'link' && life.clock.alive) this.#disturb(line.link);
      if (line.event !== 'window-opened' || !life.clock.alive || this.#company !== null) return;
      const { link, window, occurrence } = line;
      for (let i = 0; i < this.#asksAtOnce; i++)
        void this.#come(life, interlock, { link, window, occurrence });
    });
  }

  /** A medium that is not quite there yet when the first file is read. */
  #wakeDiskSlowly(): void {
    const { dice, disk, time } = this.#world;
    disk.fault ??= 'flaky';
    time.after(dice.between(5, 60), () => (disk.fault = null));
  }

  /** Now and then something happens in the middle of what does not last long. */
  #disturb({ link: name, state }: LinkStatus): void {
    const { dice, time, links } = this.#world;
    if (this.#stateSeen.get(name) === state) return;
    this.#stateSeen.set(name, state);
    if (this.calm || (this.#company !== null && !dice.chance(this.#company.disturbs))) return;
    if (state === 'connected' && dice.chance(0.3)) {
      const contact = dice.pick(links.find((each) => each.name === name)?.contacts ?? []);
      this.#forAWhile(contact.faults, dice.pick(['welded', 'welded', 'unreadable']), contact.nature.name);
    }
    const passing = state === 'connecting' || state === 'proving' || state === 'commissioning';
    if (!passing || !dice.chance(state === 'connecting' ? 0.05 : 0.15)) return;
    const act = dice.pick(['trip', 'trip', 'crash', 'power-loss', 'stop'] as const);
    time.after(dice.between(0, 200), () => (act === 'trip' ? this.#trip([name]) : this.#perform(act)));
  }

  /** A controller that wants to work in this window, and asks again when it is refused. */
  async #come(
    life: Life,
    interlock: Interlock,
    claim: { link: string; window: string; occurrence: string },
  ): Promise<void> {
    const { dice, time } = this.#world;
    const manner = this.calm ? 'good' : (dice.weighted(this.#manners) ?? 'good');
    const until = time.now + 60_000;
    while (time.now < until) {
      await life.clock.pause(dice.between(0, 3_000));
      const tenant = new Tenant(this.#world, this.#promises, life, interlock, claim, manner);
      if (await tenant.ask()) return;
    }
  }

  #perform(act: ActName): void {
    const world = this.#world;
    this.#promises.check();
    world.story.meet(`act ${act}`);
    switch (act) {
      case 'contact-fault':
        this.#contactFault();
        return;
      case 'witness-fault': {
        const witness = world.dice.pick([...world.links.flatMap(({ witnesses }) => witnesses), null]);
        if (witness !== null)
          this.#forAWhile(witness.faults, world.dice.pick(WITNESS_FAULTS), witness.nature.name);
        return;
      }
      case 'cable':
        this.#cable();
        return;
      case 'hand': {
        const link = world.dice.pick(world.links);
        world.story.tell(`${link.name}: a hand on every relay`);
        for (const contact of link.contacts) contact.push();
        this.#promises.account(link.name).faultAt = world.time.now;
        this.#promises.account(link.name).misledAt = world.time.now;
        return;
      }
      case 'board-restart': {
        const link = world.dice.pick(world.links);
        for (const contact of link.contacts) contact.restart();
        this.#promises.account(link.name).misledAt = world.time.now;
        return;
      }
      case 'board-settings': {
        const contact = world.dice.pick(world.dice.pick(world.links).contacts);
        contact.settingsWrong = true;
        world.time.after(world.dice.between(1_000, 60_000), () => (contact.settingsWrong = false));
        return;
      }
      case 'disk-fault':
        world.disk.fault = world.dice.pick(DISK_FAULTS);
        world.story.tell(`disk: ${world.disk.fault}`);
        world.story.meet(`disk ${world.disk.fault}`);
        world.time.after(world.dice.between(50, 15_000), () => (world.disk.fault = null));
        return;
      case 'journal-fault':
        world.medium.fault = world.dice.pick(JOURNAL_FAULTS);
        world.medium.slowMs = world.dice.pick([200, 3_000, 8_000]);
        world.story.tell(`journal: ${world.medium.fault}`);
        world.story.meet(`journal ${world.medium.fault}`);
        world.time.after(world.dice.between(50, 15_000), () => (world.medium.fault = null));
        return;
      case 'clock-step':
        this.#clockStep();
        return;
      case 'clock-unsynchronised':
        world.synchronised = false;
        world.time.after(world.dice.between(100, 90_000), () => (world.synchronised = true));
        return;
      case 'trip':
        this.#trip([world.dice.pick(world.links).name]);
        return;
      case 'trip-all':
        this.#trip([]);
        return;
      case 'trip-storm':
        for (let i = 0; i < 5; i++)
          world.time.after(world.dice.between(0, 50), () => this.#trip([world.dice.pick(world.links).name]));
        return;
      case 'reset-without-presence':
        this.#reset(world.dice.pick(world.links), false);
        return;
      case 'commission':
        this.#commission(world.dice.pick(world.links).name, true);
        return;
      case 'commission-without-presence':
        this.#commission(world.dice.pick(world.links).name, false);
        return;
      case 'crash':
        this.#end('crash');
        return;
      case 'power-loss':
        this.#end('power-loss');
        return;
      case 'stop':
        void this.#stop();
        return;
      case 'window-by-hand':
        this.#windowByHand();
        return;
      case 'stray-ask':
        this.#strayAsk();
        return;
      case 'stray-renewal':
        void this.#strayRenewal();
        return;
      case 'attend':
        this.#attend(true);
        return;
      case 'attend-without-presence':
        this.#attend(false);
    }
  }

  #forAWhile<F extends string>(faults: Set<F>, fault: F, name: string): void {
    const forMs = this.#world.dice.between(100, 20_000);
    faults.add(fault);
    this.#world.story.tell(`${name}: ${fault} for ${forMs.toFixed(0)} ms`);
    this.#world.story.meet(`fault ${fault}`);
    this.#world.time.after(forMs, () => faults.delete(fault));
  }

  #contactFault(): void {
    const { dice, links } = this.#world;
    const contact = dice.pick(dice.pick(links).contacts);
    this.#forAWhile(contact.faults, dice.pick(CONTACT_FAULTS), contact.nature.name);
  }

  #cable(): void {
    const link = this.#world.dice.pick(this.#world.links);
    link.cableIn = false;
    this.#world.story.tell(`${link.name}: cable pulled`);
    this.#world.time.after(this.#world.dice.between(100, 10_000), () => (link.cableIn = true));
  }

  #clockStep(): void {
    const { calendar, dice, story } = this.#world;
    const byMs = dice.pick([-86_400_000, -120_000, -30_000, 1_500, 30_000, 120_000, 86_400_000]);
    calendar.offsetMs += byMs;
    story.tell(`calendar stepped by ${byMs} ms`);
    this.#promises.clockStepped(byMs);
  }

  #trip(names: readonly string[]): void {
    const interlock = this.#world.life?.interlock;
    if (interlock === null || interlock === undefined) return;
    this.#promises.check();
    const named = names.length === 0 ? this.#world.links.map(({ name }) => name) : names;
    for (const name of named) this.#world.story.meet(`trip in ${interlock.links.get(name)?.shell.state.at}`);
    this.#world.story.tell(`trip of ${named.join(', ')}`);
    const before = this.#promises.isolatesNow();
    const steps = interlock.trip(names, { by: 'source:alarm', reason: 'simulated' });
    const resets = this.#promises.tripped(named, before);
    void steps.then((answer) => this.#promises.tripAnswered(answer, resets));
  }

  #patrol(): void {
    const { dice, time, links } = this.#world;
    for (const link of links)
      if (dice.chance(this.#world.latched(link.name) ? 0.6 : 0.1)) this.#reset(link, true);
      else if (this.#unproven(link) && dice.chance(0.5)) this.#commission(link.name, true);
    time.after(dice.between(0.5, 2) * this.#patrolMs, () => this.#patrol());
  }

  /** A contact of this link failed its proof test, or had none for long. */
  #unproven({ name }: PhysicalLink): boolean {
    const interlock = this.#world.life?.interlock;
    const link = interlock?.links.get(name);
    if (interlock === null || interlock === undefined || link === undefined) return false;
    return interlock.conditionsNow(link).failing.some(({ code }) => code.startsWith('proof-'));
  }

  #commission(name: string, presence: boolean): void {
    const { life } = this.#world;
    const interlock = life?.interlock ?? null;
    if (life === null || interlock === null) return;
    void new Commissioner(this.#world, this.#promises, life, interlock, name).come(presence);
  }

  #attend(presence: boolean): void {
    const { dice, life, links } = this.#world;
    const interlock = life?.interlock ?? null;
    if (life === null || interlock === null) return;
    const manner = dice.weighted(this.#manners) ?? 'good';
    void attend(this.#world, this.#promises, life, interlock, dice.pick(links).name, presence, manner);
  }

  #reset(link: PhysicalLink, presence: boolean): void {
    const interlock = this.#world.life?.interlock;
    const latched = interlock?.links.get(link.name);
    if (interlock === null || interlock === undefined || latched === undefined) return;
    const account = this.#promises.account(link.name);
    const { trips } = account;
    if (presence) account.resetsAtWork.push(trips);
    const end = (): void => {
      const at = presence ? account.resetsAtWork.indexOf(trips) : -1;
      if (at >= 0) account.resetsAtWork.splice(at, 1);
    };
    void interlock
      .reset(latched, { by: 'person:somebody', reason: 'simulated', presence, cause: causeNow(latched) })
      .catch(() => null)
      .then((refusals) => {
        this.#promises.check();
        end();
        this.#resetAnswered(link, presence, refusals);
      });
  }

  /** `null`: the journal did not take it. */
  #resetAnswered(link: PhysicalLink, presence: boolean, refusals: readonly Refusal[] | null): void {
    const { story } = this.#world;
    if (refusals === null) {
      story.meet('reset not recorded');
      return;
    }
    this.#promises.refused(refusals);
    const how = presence ? '' : ' without presence';
    const codes = refusals.map(({ code }) => code).join(', ');
    story.tell(`${link.name}: reset${how} ${codes === '' ? 'done' : `refused (${codes})`}`);
    if (refusals.length > 0) return;
    story.meet('reset done');
    if (!presence) this.#promises.breaks('a reset without presence was obeyed');
  }

  #end(how: 'crash' | 'power-loss'): void {
    const { dice, disk, story, time } = this.#world;
    if (this.#world.life === null) return;
    for (const state of this.#world.states()) story.meet(`${how} in ${state}`);
    story.tell(how);
    if (how === 'crash') this.#world.kill();
    else this.#world.losePower(dice.chance(0.5));
    if (dice.chance(0.5)) this.#world.isolateAll();
    if (this.calm) {
      time.after(dice.between(2_500, 12_000), () => void this.#serve());
      return;
    }
    // Rarely, and never of what a trip was promised to survive: a garbled latch must read as tripped.
    if (dice.chance(0.1)) disk.garble(LATCH_PATH);
    if (dice.chance(0.1)) this.#ledgerTorn = disk.tear(LEDGER_PATH);
    if (dice.chance(0.03)) this.#proofsTorn = disk.tear(PROOFS_PATH);
    time.after(dice.between(2_500, 12_000), () => void this.#serve());
  }

  /** What the hint of `ledger-unreadable` tells a person to do. */
  #setLedgerAside(): void {
    this.#ledgerTorn = false;
    this.#world.disk.lose(LEDGER_PATH);
    for (const { name } of this.#world.links) this.#promises.account(name).forgetExposure();
  }

  /** What the hint of `proof-record-unreadable` tells a person to do. */
  #setProofsAside(): void {
    this.#proofsTorn = false;
    this.#world.disk.lose(PROOFS_PATH);
    for (const { name } of this.#world.links) this.#promises.account(name).results.clear();
  }

  async #stop(): Promise<void> {
    const { dice, story, time } = this.#world;
    const { life } = this.#world;
    const interlock = life?.interlock ?? null;
    if (life === null || interlock === null || life.stopping) return;
    life.stopping = true;
    for (const state of this.#world.states()) story.meet(`stop in ${state}`);
    story.tell('stop');
    const stopped = interlock.stop();
    for (let i = 0; i < 10; i++) time.after(dice.between(0, 1_000), () => this.#askFor(life, interlock));
    for (const { name } of this.#world.links)
      time.after(dice.between(0, 1_000), () => this.#commission(name, true));
    await stopped;
    this.#promises.check();
    for (const link of interlock.links.values())
      if (leaseOf(link.shell.state) !== null) this.#promises.breaks('a lease outlives an orderly end');
    if (this.#world.life !== life) return;
    story.tell('stopped');
    this.#world.kill();
    time.after(dice.between(100, 5_000), () => void this.#serve());
  }

  /** Somebody asks for whatever window is in progress. */
  #askFor(life: Life, interlock: Interlock): void {
    if (!life.clock.alive) return;
    for (const { link, window, occurrence } of interlock.parts.windows.calendar.open) {
      const claim = { link, window, occurrence };
      void new Tenant(this.#world, this.#promises, life, interlock, claim, 'forgetful').ask();
    }
  }

  #windowByHand(): void {
    const interlock = this.#world.life?.interlock;
    if (interlock === null || interlock === undefined) return;
    interlock.openByHand(
      this.#world.dice.pick(interlock.parts.windows.plans),
      'person:somebody',
      'simulated',
    );
  }

  /** Somebody without a window asks, or with the occurrence of one that is over. */
  #strayAsk(): void {
    const { life } = this.#world;
    const interlock = life?.interlock ?? null;
    if (life === null || interlock === null) return;
    const { name } = this.#world.dice.pick(this.#world.links);
    const occurrence = this.#promises.account(name).openings.at(0)?.occurrence ?? 'never';
    const window = name === 'vault' ? 'nightly' : 'weekly';
    const claim = this.#world.dice.chance(0.5)
      ? { link: name, window, occurrence }
      : { link: name, window: 'of another', occurrence };
    void new Tenant(this.#world, this.#promises, life, interlock, claim, 'hangs').ask();
  }

  async #strayRenewal(): Promise<void> {
    const answer = await this.#world.life?.interlock?.renewLease('no such lease');
    if (answer === null) this.#world.story.meet('renewal of nothing');
  }
}
