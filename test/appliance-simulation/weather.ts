/** What goes wrong around the controller, and what people and intruders do to it. Each seed weighs it anew. */
import type { Appliance } from './appliance.ts';

const ACTS = [
  'controller-crash',
  'controller-stop',
  'controller-hangs',
  'connections-break',
  'connections-stall',
  'connections-slow',
  'vault-off',
  'vault-full',
  'vault-read-only',
  'vault-slow',
  'vault-damaged',
  'password-changed',
  'foreign-lock',
  'rogue-empties',
  'rogue-removes',
  'rogue-plants',
  'sources-encrypted',
  'sources-emptied',
  'sources-missing',
  'sources-unreadable',
  'canary-touched',
  'hooks-fail',
  'no-all-clear',
  'destination-away',
  'malicious-requests',
  'session-from-afar',
  'box-power-loss',
  'run-by-hand',
] as const;
export type WeatherName = (typeof ACTS)[number];

const STRESS = 3;
const FOR_LONG_MS = 240_000;

export class Weather {
  readonly #box: Appliance;
  readonly #weights: Partial<Record<WeatherName, number>> = {};
  readonly #meanMs: number;
  isCalm: boolean;

  constructor(box: Appliance, isCalm: boolean, stress: readonly WeatherName[]) {
    this.#box = box;
    this.isCalm = isCalm;
    const { dice } = box.world;
    for (const act of ACTS) if (dice.chance(0.5)) this.#weights[act] = dice.next() ** 2;
    for (const act of stress) this.#weights[act] = STRESS;
    this.#meanMs = dice.between(25_000, 150_000);
  }

  begin(): void {
    const { dice, time } = this.#box.world;
    const again = (): void => {
      if (!this.isCalm) this.strike();
      time.after(dice.waitMs(this.#meanMs), again);
    };
    time.after(dice.waitMs(this.#meanMs), again);
  }

  /** Something happens now. */
  strike(): void {
    if (this.isCalm) return;
    const act = this.#box.world.dice.weighted(this.#weights);
    if (act !== null) this.#perform(act);
  }

  /** Everything is as it should be from now on. */
  rest(): void {
    this.isCalm = true;
    const { lives, network, places } = this.#box;
    network.isSlow = false;
    network.stalledUntil = 0;
    lives.life?.time.thaw();
    lives.around.hookFails = false;
    lives.around.allClear = true;
    lives.around.destinationAnswers = true;
    lives.around.slowness = 1;
    for (const { vault, sources } of places.values()) {
      vault.hasPower = true;
      vault.isFull = false;
      vault.isReadOnly = false;
      vault.isDamaged = false;
      vault.passwordFits = true;
      vault.locks = vault.locks.filter(({ host }) => host === 'appliance');
      sources.missing = false;
      sources.unreadable = false;
      sources.mendCanary();
    }
  }

  #perform(act: WeatherName): void {
    const box = this.#box;
    const { dice, story, time } = box.world;
    const { lives, network } = box;
    const place = dice.pick([...box.places.values()]);
    const { vault, sources } = place;
    const forAWhile = (begin: () => void, end: () => void, mostMs = FOR_LONG_MS): void => {
      begin();
      time.after(dice.between(2_000, mostMs), end);
    };
    story.meet(`weather ${act}`);
    story.tell(`${act}${/vault|rogue|lock|password/.test(act) ? `: ${vault.name}` : ''}`);
    switch (act) {
      case 'controller-crash':
        return lives.kill('crashed');
      case 'controller-stop':
        return void lives.stop();
      case 'controller-hangs': {
        const process = lives.life?.time;
        process?.freeze();
        time.after(dice.between(500, 40_000), () => process?.thaw());
        return;
      }
      case 'connections-break':
        return network.breakAll();
      case 'connections-stall':
        network.stalledUntil = time.now + dice.between(200, 8_000);
        return;
      case 'connections-slow':
        return forAWhile(
          () => (network.isSlow = true),
          () => (network.isSlow = false),
        );
      case 'vault-off':
        return forAWhile(
          () => (vault.hasPower = false),
          () => (vault.hasPower = true),
        );
      case 'vault-full':
        return forAWhile(
          () => (vault.isFull = true),
          () => (vault.isFull = false),
        );
      case 'vault-read-only':
        return forAWhile(
          () => (vault.isReadOnly = true),
          () => (vault.isReadOnly = false),
        );
      case 'vault-slow':
        return forAWhile(
          () => (lives.around.slowness = dice.pick([3, 10, 40])),
          () => (lives.around.slowness = 1),
        );
      case 'vault-damaged':
        return forAWhile(
          () => (vault.isDamaged = true),
          () => (vault.isDamaged = false),
        );
      case 'password-changed':
        return forAWhile(
          () => (vault.passwordFits = false),
          () => (vault.passwordFits = true),
        );
      case 'foreign-lock': {
        const lock = { exclusive: dice.chance(0.5), host: 'elsewhere', isAlive: () => true, at: time.now };
        vault.locks = [...vault.locks, lock];
        time.after(dice.between(10_000, FOR_LONG_MS), () => {
          vault.locks = vault.locks.filter((each) => each !== lock);
        });
        return;
      }
      case 'rogue-empties':
        // Rarely: a person has to set everything up anew.
        return dice.chance(0.3) ? vault.empty() : undefined;
      case 'rogue-removes':
        return vault.removeNewest();
      case 'rogue-plants':
        return vault.plant(box.calendarText(dice.pick([0, 0, -86_400_000 * 30, 86_400_000 * 30])));
      case 'sources-encrypted':
        return sources.encrypt(dice.chance(0.5));
      case 'sources-emptied':
        return sources.empty(dice);
      case 'sources-missing':
        return forAWhile(
          () => (sources.missing = true),
          () => (sources.missing = false),
        );
      case 'sources-unreadable':
        return forAWhile(
          () => (sources.unreadable = true),
          () => (sources.unreadable = false),
        );
      case 'canary-touched':
        return sources.touchCanary();
      case 'hooks-fail':
        return forAWhile(
          () => (lives.around.hookFails = true),
          () => (lives.around.hookFails = false),
        );
      case 'no-all-clear':
        return forAWhile(
          () => (lives.around.allClear = false),
          () => (lives.around.allClear = true),
        );
      case 'destination-away':
        return forAWhile(
          () => (lives.around.destinationAnswers = false),
          () => (lives.around.destinationAnswers = true),
        );
      case 'malicious-requests':
        return void box.people.maliciousRequests();
      case 'session-from-afar':
        return void box.people.sessionFromAfar();
      case 'box-power-loss':
        return box.chaos.powerCycle();
      case 'run-by-hand':
        return box.people.runByHand();
    }
  }
}
