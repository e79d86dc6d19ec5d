/**
 * What the whole appliance promises, held against the truth after every event. This onlooker sees vaults, wires, processes and
 * files; of the program it uses what it says to people, its reports, and its files.
 */
import { z } from 'zod';
import type { StepReport, WindowReport } from '../../src/controller/report.ts';
import type { EventLine } from '../../src/protocol/messages.ts';
import type { Promises } from '../simulation/promises.ts';
import type { World } from '../simulation/world.ts';
import { FLOOR, STATE } from './layout.ts';
import type { Lives, Running } from './lives.ts';
import type { Network } from './network.ts';
import type { Vault, VaultWatch, Writer } from './vault.ts';

/** restic is dead this long after its lease, at most, ms: what a renewal waits for its answer, and the kill. */
const WRITE_BOUND_MS = 4_500;
/** restic is dead this long after its controller, ms. */
const DEATH_BOUND_MS = 50;
/** A report may be wrong by so much about exposure, ms: the way of the words, and a look at the contacts. */
const EXPOSURE_SLACK_MS = 1_500;
/** Beside the work a link may be connected this long under a lease: contacts that move, proof that is waited for, ms. */
const AROUND_MS = 45_000;
const LEDGER = `${STATE}/ledger.json`;

const ledgerShape = z.object({
  occurrences: z.array(z.object({ window: z.string(), occurrence: z.string() })),
  repositories: z.record(z.string(), z.looseObject({ frozen: z.object({ why: z.string() }).nullable() })),
});

/** An opening as it was announced, and what came of it. */
interface SeenOpening {
  readonly window: string;
  readonly occurrence: string;
  readonly link: string;
  readonly at: number;
  readonly byHand: boolean;
  /** The ledger of the controller has it. */
  isHeard: boolean;
  isOver: boolean;
  reports: number;
  /** What was told instead of a report. */
  missed: string | null;
  /** A disk or a journal failed meanwhile, or the power: then less is certain. */
  isExcused: boolean;
}

export class WholePromises implements VaultWatch {
  readonly #world: World;
  readonly #interlock: Promises;
  readonly #network: Network;
  readonly #openings = new Map<string, SeenOpening>();
  /** Physical exposure of each link so far, ms, and the stretches that make it. */
  readonly #connected = new Map<
    string,
    { since: number | null; readonly stretches: { from: number; to: number }[] }
  >();
  readonly #frozen = new Map<string, boolean>();
  /** Since when each link has no lease. */
  readonly #leaseless = new Map<string, number>();
  #ledgerSeen: Uint8Array | undefined;
  /** Repositories that were frozen when a person last released something of theirs. */
  readonly #pardoned = new Set<string>();
  /** When the newest lease of each link began. */
  readonly #leasedAt = new Map<string, number>();
  lives: Lives | null = null;
  /** When the controller or its way to the interlock last stood still. */
  #slowAt = Number.NEGATIVE_INFINITY;

  constructor(world: World, interlock: Promises, network: Network) {
    this.#world = world;
    this.#interlock = interlock;
    this.#network = network;
    for (const { name } of world.links) this.#connected.set(name, { since: null, stretches: [] });
  }

  breaks(promise: string): void {
    this.#interlock.breaks(promise);
  }

  get openings(): readonly SeenOpening[] {
    return [...this.#openings.values()];
  }

  /** Everything that can be judged by looking, at this moment. */
  check(): void {
    this.#look();
    const { time } = this.#world;
    for (const running of this.lives?.running ?? []) this.#judgeRunning(running, time.now);
    this.#judgeFreeze();
  }

  #look(): void {
    const { disk, links, medium, time } = this.#world;
    if (
      this.lives?.life?.time.isFrozen === true ||
      this.#network.stalledUntil > time.now ||
      this.#network.isSlow
    )
      this.#slowAt = time.now;
    for (const link of links) {
      const seen = this.#connected.get(link.name);
      if (seen === undefined) continue;
      if (link.connected) seen.since ??= time.now;
      else if (seen.since !== null) {
        seen.stretches.push({ from: seen.since, to: time.now });
        seen.since = null;
      }
      if (this.#interlock.account(link.name).lease === null)
        this.#leaseless.set(link.name, this.#leaseless.get(link.name) ?? time.now);
      else if (this.#leaseless.delete(link.name)) this.#leasedAt.set(link.name, time.now);
    }
    if (disk.fault !== null || medium.fault !== null)
      for (const each of this.#openings.values())
        if (!each.isOver || each.reports === 0) each.isExcused = true;
  }

  #judgeRunning({ restic, place: { vault }, life }: Running, now: number): void {
    if (restic.isGone) return;
    if (life.endedAt !== null && now - life.endedAt > DEATH_BOUND_MS)
      this.breaks(`restic ${restic.command} of ${vault.name} outlives its controller`);
    const since = this.#leaseless.get(vault.link.name);
    if (since !== undefined && now - Math.max(since, this.#slowAt) > 2 * WRITE_BOUND_MS)
      this.breaks(`restic ${restic.command} of ${vault.name} still runs without a lease`);
  }

  /** A freeze is lifted by a person and by nobody else. */
  #judgeFreeze(): void {
    const bytes = this.#world.disk.cached.get(LEDGER);
    if (bytes === this.#ledgerSeen || bytes === undefined) return;
    this.#ledgerSeen = bytes;
    const { occurrences, repositories } = ledgerShape.parse(JSON.parse(new TextDecoder().decode(bytes)));
    for (const { window, occurrence } of occurrences) {
      const opening = this.#openings.get(`${window} ${occurrence}`);
      if (opening !== undefined) opening.isHeard = true;
    }
    for (const [name, frozen] of this.#frozen) {
      const isFrozen = (repositories[name]?.frozen ?? null) !== null;
      if (frozen && !isFrozen && !this.#pardoned.has(name))
        this.breaks(`nobody released the freeze of ${name}, and it is gone`);
      if (frozen && !isFrozen) this.#world.story.meet('freeze released');
    }
    for (const [name, { frozen }] of Object.entries(repositories)) {
      if (frozen !== null && this.#frozen.get(name) !== true) {
        this.#world.story.meet('freeze');
        this.#world.story.tell(`${name} is frozen: ${frozen.why.slice(0, 120)}`);
        this.#pardoned.delete(name);
      }
      this.#frozen.set(name, frozen !== null);
    }
  }

  isFrozen(name: string): boolean {
    return this.#frozen.get(name) === true;
  }

  /** Somebody has released what was found there, or written it anew in the ledger; null: of no repository. */
  released(name: string | null): void {
    if (name !== null && this.isFrozen(name)) this.#pardoned.add(name);
  }

  /** After a loss of power the old file may stand. */
  powerLost(): void {
    this.#ledgerSeen = undefined;
    this.#frozen.clear();
    for (const each of this.#openings.values()) if (!each.isOver || each.reports === 0) each.isExcused = true;
  }

  // What vaults see.

  wrote(vault: Vault, by: Writer, what: string): void {
    const { story, time } = this.#world;
    story.meet(`wrote ${what}`);
    const whose = `restic ${by.command} of ${vault.name}`;
    if (!vault.answers) this.breaks(`${whose} wrote a ${what} while the link is isolated`);
    if (what === 'removal of every lock') this.breaks(`${whose} removes the locks of others`);
    const since = this.#leaseless.get(vault.link.name);
    if (since !== undefined && time.now - Math.max(since, this.#slowAt) > WRITE_BOUND_MS)
      this.breaks(`${whose} wrote a ${what} ${(time.now - since).toFixed(0)} ms after its lease`);
    const { interrupted } = vault;
    const writes = ['backup', 'forget', 'prune', 'tag'].includes(by.command) && what !== 'lock';
    const isBlocked = vault.locks.some(({ host, isAlive }) => host !== 'appliance' && isAlive());
    if (writes && interrupted !== null && interrupted.at < by.startedAt && !isBlocked)
      this.breaks(`${whose} wrote a ${what} after an interruption, and nobody has checked`);
  }

  forgot(vault: Vault, by: Writer, ids: readonly string[]): void {
    const { story } = this.#world;
    story.meet('forgot');
    if (this.isFrozen(vault.name)) this.breaks(`something was forgotten in ${vault.name}, which is frozen`);
    const first = vault.snapshots.find(({ id }) => id === ids[0]);
    const stays = vault.snapshots.filter(
      ({ id, hostname, paths }) =>
        !ids.includes(id) && hostname === first?.hostname && paths.join() === first.paths.join(),
    );
    if (stays.length < FLOOR)
      this.breaks(`${stays.length} snapshots stay in ${vault.name}, the floor is ${FLOOR}`);
    if (by.command !== 'forget') this.breaks(`${by.command} forgets`);
  }

  // What the program says.

  announced(line: EventLine): void {
    const { time } = this.#world;
    if (line.event === 'window-opened') {
      const { window, occurrence, link, by_hand: byHand } = line;
      const key = `${window} ${occurrence}`;
      const known = this.#openings.get(key);
      const opening = {
        window,
        occurrence,
        link,
        at: time.now,
        byHand: byHand !== null,
        isHeard: false,
        isOver: false,
        reports: 0,
        missed: null,
        isExcused: false,
      };
      if (known === undefined) this.#openings.set(key, opening);
      return;
    }
    if (line.event !== 'window-closed') return;
    const opening = this.#openings.get(`${line.window} ${line.occurrence}`);
    if (opening !== undefined) opening.isOver = true;
  }

  missed(window: string, occurrence: string, why: string): void {
    const opening = this.#openings.get(`${window} ${occurrence}`);
    if (opening === undefined) return;
    this.#world.story.meet('window missed');
    opening.missed = why;
  }

  reported(report: WindowReport, places: ReadonlyMap<string, { readonly vault: Vault }>): void {
    const { story } = this.#world;
    const { window, occurrence, outcome } = report;
    story.meet(`report ${outcome}`);
    story.meet(`report because ${report.why?.code ?? 'of nothing'}`);
    for (const step of report.steps) story.meet(`${step.step} ${step.outcome.kind}`);
    for (const { rule, action } of report.anomalies ?? []) story.meet(`anomaly ${rule} ${action}`);
    for (const guard of report.guards ?? []) story.meet(`guard ${guard.guard} ${guard.outcome}`);
    if (report.resumed) story.meet('report resumed');
    story.tell(
      `REPORT ${window} ${outcome}${report.why === null ? '' : ` (${report.why.code}: ${report.why.why.slice(0, 100)})`}; ${report.steps.map(({ step, outcome: { kind } }) => `${step} ${kind}`).join(', ')}; exposed ${report.exposure_seconds.toFixed(1)} s`,
    );
    const opening = this.#openings.get(`${window} ${occurrence}`);
    if (opening === undefined) this.breaks(`a report of ${window} ${occurrence}, which never opened`);
    else {
      opening.reports += 1;
      if (opening.reports > 1) this.breaks(`a second report of ${window} ${occurrence}`);
      // What could not be written down may be tried again, and then it is.
      if (opening.missed !== null && !opening.isExcused)
        this.breaks(`${window} ${occurrence} was told to be missed, and reported`);
    }
    for (const step of report.steps) this.#judgeStep(report, step, places);
    this.#judgeExposure(report);
  }

  /** A backup that is called done stands in the vault. */
  #judgeStep(
    report: WindowReport,
    step: StepReport,
    places: ReadonlyMap<string, { readonly vault: Vault }>,
  ): void {
    const vault = places.get(step.repository ?? '')?.vault;
    if (vault === undefined || step.step !== 'backup') return;
    const { kind } = step.outcome;
    if (kind !== 'done' && kind !== 'partly-done') return;
    const { snapshot = '' } = step;
    if (!vault.ever.has(snapshot))
      this.breaks(`${report.window}: backup ${kind}, and the vault never had ${snapshot.slice(0, 8)}`);
    if (report.actual.granted_at === null) this.breaks(`${report.window}: backup ${kind} without a lease`);
  }

  #judgeExposure(report: WindowReport): void {
    const { now } = this.#world.time;
    const { link, exposure_seconds: seconds } = report;
    const seen = this.#connected.get(link);
    const opening = this.#openings.get(`${report.window} ${report.occurrence}`);
    if (seen === undefined || opening === undefined || report.resumed) return;
    const account = this.#interlock.account(link);
    const isMisled =
      account.liedAt >= opening.at || account.misledAt >= opening.at || account.faultAt >= opening.at;
    const spans = [...seen.stretches, ...(seen.since === null ? [] : [{ from: seen.since, to: now }])];
    const since = (at: number): number =>
      spans.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, at)), 0);
    const physical = since(opening.at);
    // Before it somebody else may have been connected, at the box or in a session.
    const leased = since(this.#leasedAt.get(link) ?? opening.at);
    const ended = Math.max(0, now - opening.at);
    if (report.actual.granted_at === null) return;
    if (!report.isolation_proven || isMisled) return;
    const slowMs = this.#slowAt >= opening.at ? AROUND_MS * 2 : 0;
    if (seconds * 1_000 + EXPOSURE_SLACK_MS < leased && this.#slowAt < opening.at)
      this.breaks(
        `${report.window} says ${seconds.toFixed(1)} s of exposure, and it was ${(leased / 1_000).toFixed(1)} s`,
      );
    if (seconds * 1_000 > Math.min(ended, physical + AROUND_MS) + slowMs + EXPOSURE_SLACK_MS)
      this.breaks(
        `${report.window} says ${seconds.toFixed(1)} s of exposure, and it was only ${(physical / 1_000).toFixed(1)} s`,
      );
  }

  /** Everything that opened has come to a word, once the box had time to say it. */
  judgeOpenings(): void {
    for (const { window, occurrence, isHeard, reports, missed, isExcused } of this.openings) {
      if (reports > 0 || missed !== null || !isHeard || isExcused) continue;
      this.breaks(`${window} ${occurrence} was begun, and there is neither a report nor a word about it`);
    }
  }
}
