/** People at the box who commission a link: some finish, some walk away, die or fall asleep in the middle. */
import type { CommissioningHands } from '../../src/interlock/commissioning/hands.ts';
import type { Interlock } from '../../src/interlock/interlock.ts';
import type { LeaseLine } from '../../src/protocol/messages.ts';
import type { Account } from './account.ts';
import type { Promises } from './promises.ts';
import type { Life, World } from './world.ts';

const MANNERS = ['good', 'good', 'dies', 'hangs', 'hangs', 'stays'] as const;
/** How long a session that is over may stay untold once storage is well, ms. */
const TOLD_MS = 15_000;

export class Commissioner {
  readonly #world: World;
  readonly #promises: Promises;
  readonly #life: Life;
  readonly #interlock: Interlock;
  readonly #account: Account;
  readonly #manner: (typeof MANNERS)[number];
  #over = false;
  #renewEveryMs = 500;

  constructor(world: World, promises: Promises, life: Life, interlock: Interlock, link: string) {
    this.#world = world;
    this.#promises = promises;
    this.#life = life;
    this.#interlock = interlock;
    this.#account = promises.account(link);
    this.#manner = world.dice.pick(MANNERS);
  }

  /** Asks for a session, and works in it. */
  async come(presence: boolean): Promise<void> {
    const { name } = this.#account.link;
    const { story } = this.#world;
    const link = this.#interlock.links.get(name);
    if (link === undefined) return;
    const holder = { tell: (line: LeaseLine) => this.#told(line), gone: () => false };
    const asked = { presence, by: 'person:somebody', reason: 'simulated' };
    const answer = await this.#world.program.commission(this.#interlock, link, asked, holder);
    if ('refusals' in answer) {
      this.#promises.refused(answer.refusals);
      for (const { code } of answer.refusals) story.meet(`commissioning refused ${code}`);
      if (answer.refusals.length === 0) this.#promises.breaks('a session was refused without a reason');
      return;
    }
    story.meet('commissioning granted');
    story.tell(`${name}: commissioning (${this.#manner})`);
    if (!presence) this.#promises.breaks('a session was granted without presence');
    void this.#live(answer.id);
    void this.#expectEnd(answer.hands);
    await this.#work(answer.id, answer.hands, holder);
  }

  #told(line: LeaseLine): void {
    if (line.event === 'granted') this.#renewEveryMs = line.renew_every_ms;
    if (line.event !== 'over') return;
    this.#over = true;
    this.#world.story.meet(`session over ${line.why}`);
  }

  /** Signs of life; who hangs gives a few. */
  async #live(id: string): Promise<void> {
    const { dice } = this.#world;
    let signs = this.#manner === 'hangs' ? dice.between(0, 20) : Infinity;
    while (!this.#over && signs-- > 0) {
      await this.#life.clock.pause(this.#renewEveryMs);
      const answer = await this.#interlock.renewLease(id);
      if (answer !== null && 'refusals' in answer) this.#promises.refused(answer.refusals);
    }
  }

  async #work(id: string, hands: CommissioningHands, holder: { tell(line: LeaseLine): void }): Promise<void> {
    const { dice, time } = this.#world;
    if (this.#manner === 'dies')
      time.after(dice.between(0, 4_000), () => {
        if (this.#life.clock.alive) this.#interlock.holderGone(holder);
      });
    const good = await this.#tryAll(hands);
    while (this.#manner === 'stays' && hands.live()) await this.#tryAll(hands);
    if (!this.#life.clock.alive) return;
    await this.#interlock.endLease(id, 'released');
    await this.#tryDead(hands);
    if (!good || this.#manner !== 'good') return;
    const proven = this.#account.link.contacts.map(({ nature }) => ({
      contact: nature.name,
      basis: 'witness' as const,
      tookMs: 10,
    }));
    const { proofs } = this.#interlock.parts;
    this.#promises.proofs.recorded(this.#account);
    void this.#world.program
      .recordProof(proofs, this.#account.link.name, proven, this.#life.clock.calendarMs())
      .catch(() => undefined);
    this.#world.story.meet('commissioning done');
  }

  /** Every contact alone, then all together. True when everything was as it should be. */
  async #tryAll(hands: CommissioningHands): Promise<boolean> {
    const { dice } = this.#world;
    let good = true;
    const names = hands.contacts.map(({ name }) => name);
    for (const name of names) {
      await this.#connect(hands, name);
      await hands.pause(dice.between(0, 800));
      if (dice.chance(0.5)) await this.#renew(hands, name);
      await hands.look();
      good &&= await this.#isolates(hands, name);
    }
    for (const name of names) await this.#connect(hands, name);
    if (hands.drivesAll()) this.#world.story.meet('commissioning connected');
    await hands.look();
    for (const name of names) good &&= await this.#isolates(hands, name);
    return good && hands.live();
  }

  async #isolates(hands: CommissioningHands, name: string): Promise<boolean> {
    const { isolates } = this.#account.callsOf(name);
    const isolated = hands.isolate(name);
    if (hands.live() && this.#account.callsOf(name).isolates <= isolates)
      this.#promises.breaks(`an isolate of ${name} in a session was not commanded at once`);
    await isolated;
    const { indicators } = await hands.look();
    return indicators.some((each) => each.name === name && each.reading?.position === 'isolated');
  }

  async #connect(hands: CommissioningHands, name: string): Promise<void> {
    this.#account.driving.add(name);
    await hands.connect(name);
    this.#account.driving.delete(name);
  }

  async #renew(hands: CommissioningHands, name: string): Promise<void> {
    this.#account.driving.add(name);
    await hands.renewHardware(name);
    this.#account.driving.delete(name);
  }

  /** The hands of a session that is over do nothing. */
  async #tryDead(hands: CommissioningHands): Promise<void> {
    const [first] = hands.contacts;
    if (first === undefined || hands.live()) return;
    const [{ outcome }, renewed, isolated] = await Promise.all([
      hands.connect(first.name),
      hands.renewHardware(first.name),
      hands.isolate(first.name),
    ]);
    if (outcome.kind !== 'fenced' || renewed.kind !== 'fenced' || isolated !== null)
      this.#promises.breaks('the hands of a session that is over still work');
  }

  /** Whoever was granted a session is told its end, unless storage keeps the step waiting. */
  async #expectEnd(hands: CommissioningHands): Promise<void> {
    let overMs = 0;
    while (!this.#over) {
      await this.#life.clock.pause(500);
      const { disk, medium } = this.#world;
      overMs = hands.live() || disk.fault !== null || medium.fault !== null ? 0 : overMs + 500;
      if (overMs > TOLD_MS) {
        this.#promises.breaks(`the end of a session of ${hands.link} was not told`);
        return;
      }
    }
  }
}
