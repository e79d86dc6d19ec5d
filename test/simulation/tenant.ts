/** Controllers that come for a lease: some work, some forget, hang, die, or renew late. */
import type { LeaseLine, LeaseRequest } from '../../src/protocol/messages.ts';
import type { Interlock } from '../../src/interlock/interlock.ts';
import type { Promises } from './promises.ts';
import type { Life, World } from './world.ts';

export type Manner = 'good' | 'forgetful' | 'hangs' | 'dies' | 'late';
export const MANNERS: readonly Manner[] = ['good', 'forgetful', 'hangs', 'dies', 'late'];

/** How long a lease that is over may stay untold once storage is well: the slowest write that has begun, and what waits for it, ms. */
const TOLD_MS = 15_000;

export class Tenant {
  readonly #world: World;
  readonly #promises: Promises;
  readonly #life: Life;
  readonly #interlock: Interlock;
  readonly #claim: LeaseRequest;
  readonly #manner: Manner;
  #lease: string | null = null;
  #over = false;
  #gone = false;

  constructor(
    world: World,
    promises: Promises,
    life: Life,
    interlock: Interlock,
    claim: LeaseRequest,
    manner: Manner,
  ) {
    this.#world = world;
    this.#promises = promises;
    this.#life = life;
    this.#interlock = interlock;
    this.#claim = claim;
    this.#manner = manner;
  }

  /** Asks once. False when it was refused. */
  async ask(): Promise<boolean> {
    const holder = { tell: (line: LeaseLine) => this.#told(line), gone: () => this.#gone };
    if (this.#manner === 'dies' && this.#world.dice.chance(0.4)) {
      this.#world.time.after(this.#world.dice.between(0, 60), () => {
        this.#gone = true;
        if (this.#life.clock.alive) this.#interlock.holderGone(holder);
      });
    }
    const answer = await this.#interlock.askLease(this.#claim, holder);
    if (this.#gone && this.#holdsNow()) this.#promises.breaks('somebody who has gone holds a lease');
    if ('refusals' in answer) {
      this.#promises.refused(answer.refusals);
      this.#world.story.tell(
        `${this.#claim.link}: lease refused: ${answer.refusals.map(({ code }) => code).join(', ')}`,
      );
      if (this.#lease !== null) this.#promises.breaks('a lease was granted and refused at once');
      if (answer.refusals.length === 0) this.#promises.breaks('a lease was refused without a reason');
      return false;
    }
    if (this.#lease !== answer.id) this.#promises.breaks('a lease was granted and its holder not told');
    void this.#behave(answer.id);
    void this.#expectEnd(answer.id);
    return true;
  }

  #told(line: LeaseLine): void {
    const { story } = this.#world;
    story.meet(`told ${line.event}`);
    story.tell(
      `${this.#claim.link}: holder told ${line.event}${line.event === 'over' ? ` (${line.why})` : ''}`,
    );
    const account = this.#promises.account(this.#claim.link);
    if (this.#over) this.#promises.breaks(`a holder was told ${line.event} after the end`);
    switch (line.event) {
      case 'granted':
        if (this.#lease !== null) this.#promises.breaks('a holder was told of a lease that is not its own');
        this.#lease = line.lease;
        return;
      case 'connected':
        // Of a lease that has just ended the news may still come; of one that is live it must be true.
        if (this.#lease === null || (this.#holdsNow() && !account.provenLeases.has(this.#lease)))
          this.#promises.breaks('a holder was told connected without evidence');
        return;
      case 'over':
        this.#over = true;
        story.meet(`over ${line.why}`);
        if (this.#holdsNow()) this.#promises.breaks('a holder was told over while it holds the lease');
    }
  }

  #holdsNow(): boolean {
    const { state } = this.#interlock.links.get(this.#claim.link)?.shell ?? {};
    return state !== undefined && 'lease' in state && state.lease.id === this.#lease;
  }

  async #behave(id: string): Promise<void> {
    const { dice, time } = this.#world;
    const { clock } = this.#life;
    const until = time.now + dice.between(1_000, 60_000);
    const timeoutMs = this.#promises.account(this.#claim.link).link.policy.leaseTimeoutMs;
    const everyMs = this.#manner === 'late' ? timeoutMs * dice.between(0.8, 1.05) : timeoutMs / 6;
    while (!this.#over && (this.#manner === 'forgetful' || time.now < until)) {
      await clock.pause(everyMs);
      const answer = await this.#interlock.renewLease(id);
      if (answer !== null && 'refusals' in answer) this.#promises.refused(answer.refusals);
    }
    if (this.#manner === 'hangs') return;
    this.#gone = true;
    await this.#interlock.endLease(id, this.#manner === 'dies' ? 'holder-gone' : 'released');
  }

  /** Whoever was granted a lease is told its end, unless storage keeps the step waiting. */
  async #expectEnd(id: string): Promise<void> {
    const { clock } = this.#life;
    let overMs = 0;
    while (!this.#over) {
      await clock.pause(500);
      const { disk, medium } = this.#world;
      overMs = this.#holdsNow() || disk.fault !== null || medium.fault !== null ? 0 : overMs + 500;
      if (overMs > TOLD_MS) {
        this.#promises.breaks(`the holder of ${this.#claim.link} was not told the end of ${id}`);
        return;
      }
    }
  }
}
