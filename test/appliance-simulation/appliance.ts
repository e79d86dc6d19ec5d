/** The simulated appliance: box, links, vaults, sources, both programs, and everybody around them. */
import type { ResticVersion } from '../../src/controller/restic/verdict.ts';
import { Chaos } from '../simulation/chaos.ts';
import { Promises } from '../simulation/promises.ts';
import { BEGINNING_MS, lapsedMs } from '../simulation/virtual-time.ts';
import { type Life, World } from '../simulation/world.ts';
import type { Interlock } from '../../src/interlock/interlock.ts';
import { configOf, layoutOf, STATE } from './layout.ts';
import { Lives, type Place } from './lives.ts';
import { Network } from './network.ts';
import { People } from './people.ts';
import type { WholeProgram } from './program.ts';
import { VERSIONS } from './restic.ts';
import { Sources, Vault } from './vault.ts';
import { Weather, type WeatherName } from './weather.ts';
import { WholePromises } from './whole-promises.ts';

const CANARIES = `${STATE}/canaries.json`;
const FILES = 60;

export class Appliance {
  readonly program: WholeProgram;
  readonly build: string;
  readonly world: World;
  readonly promises: Promises;
  readonly whole: WholePromises;
  readonly network: Network;
  readonly places: ReadonlyMap<string, Place>;
  readonly version: ResticVersion;
  readonly lives: Lives;
  readonly chaos: Chaos;
  readonly weather: Weather;
  readonly people: People;

  constructor(seed: number, program: WholeProgram, calm: boolean, stress: readonly WeatherName[]) {
    this.program = program;
    this.build = program.buildId();
    this.world = new World(seed, program.interlock, layoutOf(this.build));
    const { dice, links, time } = this.world;
    this.promises = new Promises(this.world);
    this.network = new Network(time, dice);
    this.whole = new WholePromises(this.world, this.promises, this.network);
    this.places = new Map(
      links.map((link) => {
        const root = `/srv/${link.name}`;
        const vault = new Vault(link.name, link, this.whole);
        return [link.name, { vault, sources: new Sources(root, `${root}/1-accounts.csv`, FILES) }];
      }),
    );
    this.version = dice.pick(VERSIONS);
    this.lives = new Lives({
      world: this.world,
      program,
      config: configOf(program, dice, this.world.windows),
      network: this.network,
      version: this.version,
      places: this.places,
      events: {
        reported: (report) => this.whole.reported(report, this.places),
        missed: (window, occurrence, why) => this.whole.missed(window, occurrence, why),
        crashed: (why) => this.whole.breaks(`the controller ended by itself: ${why}`),
        started: ({ restic, place }) => this.#resticStarted(restic.command, place.vault),
      },
    });
    this.whole.lives = this.lives;
    this.weather = new Weather(this, calm, stress);
    this.people = new People(this);
    this.chaos = new Chaos(this.world, this.promises, calm, [], {
      meanMs: dice.between(40_000, 300_000),
      patrolMs: dice.pick([15_000, 40_000]),
      disturbs: 0.15,
      began: (life, interlock) => void this.#serve(life, interlock),
    });
    this.world.watchedBy(this.promises);
    this.world.around = {
      ended: () => {
        this.network.serving = null;
        this.network.breakAll();
      },
      powerLost: () => {
        this.whole.powerLost();
        this.lives.losePower(dice.between(3_000, 15_000));
      },
    };
  }

  begin(): void {
    this.#plantCanaries();
    this.chaos.begin();
    this.weather.begin();
    this.people.begin();
    this.world.time.after(1_500, () => void this.lives.start());
  }

  check(): void {
    this.promises.check();
    this.whole.check();
  }

  /** Calendar time of the box with an offset, RFC 3339. */
  calendarText(offsetMs: number): string {
    return new Date(this.calendarMs() + offsetMs).toISOString();
  }

  calendarMs(): number {
    return this.trueMs() + this.world.calendar.offsetMs;
  }

  /** What a good clock shows, ms since 1970. */
  trueMs(): number {
    const { calendar, time } = this.world;
    return BEGINNING_MS + time.now + lapsedMs(calendar, time.now);
  }

  /** Nothing is connected, nobody may connect, and nothing is under way: the rest of the day may pass. */
  get isQuiet(): boolean {
    const { interlock } = this.world.life ?? {};
    if (interlock === null || interlock === undefined || this.lives.running.size > 0) return false;
    if ((this.lives.life?.face?.running.show().length ?? 0) > 0) return false;
    const { calendar } = interlock.parts.windows;
    return (
      calendar.open.length === 0 &&
      !this.world.links.some(({ name, connected }) => {
        const { state } = interlock.links.get(name)?.shell ?? {};
        return connected || !(state?.at === 'isolated' || state?.at === 'tripped');
      })
    );
  }

  async #serve(life: Life, interlock: Interlock): Promise<void> {
    const app = this.program.createSocketServer(interlock, false);
    await app.ready();
    if (!life.clock.alive) return;
    this.network.serving = { app, isAlive: () => life.clock.alive };
    interlock.announcer.listen((line) => {
      if (life.clock.alive) this.whole.announced(line);
    });
  }

  /** Now and then something happens in the middle of the work. */
  #resticStarted(command: string, vault: Vault): void {
    const { dice, story, time } = this.world;
    story.meet(`restic ${command}`);
    story.tell(`restic ${command} ${vault.name}`);
    if (dice.chance(0.06)) time.after(dice.between(0, 15_000), () => this.weather.strike());
  }

  #plantCanaries(): void {
    const canaries = [...this.places.values()].map(({ sources }) => ({
      path: sources.files[0]?.path ?? '',
      sha256: '0'.repeat(64),
      bytes: 1,
      planted_at: this.calendarText(0),
    }));
    this.world.disk.write(CANARIES, new TextEncoder().encode(JSON.stringify({ format: 1, canaries })));
  }
}
