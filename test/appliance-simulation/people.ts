/** An operator who looks after the box, and an intruder who has taken over the controller's side of the socket. */
import { readAnomalies } from '../../src/controller/anomalies/book.ts';
import type { ClientOptions } from '../../src/protocol/exchange.ts';
import { interlockClient } from '../../src/protocol/client.ts';
import type { Appliance } from './appliance.ts';
import { STATE } from './layout.ts';
import { ProcessTime } from './process-time.ts';

const LEDGER = `${STATE}/ledger.json`;
const LOOKS_EVERY_MS = 45_000;

export class People {
  readonly #box: Appliance;
  /** Looks after everything, each time. */
  isDiligent = false;

  constructor(box: Appliance) {
    this.#box = box;
  }

  begin(): void {
    const { dice, time } = this.#box.world;
    const again = (): void => {
      void this.#look();
      time.after(this.isDiligent ? 10_000 : dice.between(0.5, 1.5) * LOOKS_EVERY_MS, again);
    };
    time.after(LOOKS_EVERY_MS, again);
  }

  async #look(): Promise<void> {
    const { world, lives, places } = this.#box;
    const { dice, story } = world;
    const { ledger, proofs } = world.life?.interlock?.parts ?? {};
    if (this.isDiligent && ((ledger?.unreadable ?? null) !== null || (proofs?.unreadable ?? null) !== null)) {
      // What the hint says: a disk that failed once may read now.
      story.meet('interlock restarted by a person');
      return this.#box.chaos.powerCycle();
    }
    if (lives.life === null || !(this.isDiligent || dice.chance(0.5))) return;
    for (const [name, { vault }] of places)
      if (vault.id !== null || !(this.isDiligent || dice.chance(0.3))) continue;
      else this.#beginAnew(name);
    await this.#release();
  }

  /** What the hint of `repository-gone` says: another vault, and the controller told so. */
  #beginAnew(name: string): void {
    const { world, lives, whole } = this.#box;
    const bytes = world.disk.cached.get(LEDGER);
    if (bytes === undefined) return;
    const ledger = JSON.parse(new TextDecoder().decode(bytes)) as {
      repositories: Record<string, { id: string | null }>;
    };
    if ((ledger.repositories[name]?.id ?? null) === null) return;
    world.story.tell(`an operator removes ${name} from the ledger`);
    world.story.meet('ledger mended');
    lives.kill('was stopped by an operator');
    delete ledger.repositories[name];
    whole.released(name);
    world.disk.write(LEDGER, new TextEncoder().encode(`${JSON.stringify(ledger)}\n`));
  }

  async #release(): Promise<void> {
    const { program, world, whole } = this.#box;
    const { dice, disk, story } = world;
    const directory = `${STATE}/anomalies`;
    const still = { pause: async () => undefined };
    const place = {
      disk: disk.usedBy(still),
      directory,
      write: async (path: string, text: string) => disk.write(path, new TextEncoder().encode(text)),
    };
    const open = (await readAnomalies(place.disk, directory).catch(() => [])).filter(
      ({ release }) => release === null,
    );
    for (const { id, rule, repository } of open) {
      if (!this.isDiligent && dice.chance(0.4)) continue;
      story.tell(`an operator releases ${id} (${rule})`);
      whole.released(repository);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await program
        .leaveRelease(place, id, {
          by: 'somebody',
          reason: 'simulated',
          expected: this.isDiligent || dice.chance(0.6),
        })
        .catch(() => undefined); // the disk fails: tried again
    }
  }

  /** Begun at the box. */
  runByHand(): void {
    const { dice, life } = this.#box.world;
    const interlock = life?.interlock ?? null;
    if (interlock === null) return;
    interlock.openByHand(dice.pick(interlock.parts.windows.plans), 'person:somebody', 'simulated');
  }

  /** Over the dashboard and without the codes of two people: it must be refused. */
  async sessionFromAfar(): Promise<void> {
    const { lives, whole, world } = this.#box;
    const face = lives.life?.face;
    if (face === null || face === undefined) return;
    const asked = { link: 'vault', by: 'somebody', reason: 'simulated', for_ms: 60_000 };
    const begun = await face.attended.begin(asked).catch(() => null);
    if (begun !== null) whole.breaks('a session was begun from afar without anybody approving');
    world.story.meet('session from afar refused');
  }

  /** Whoever has taken over the controller asks for what it must not have. */
  async maliciousRequests(): Promise<void> {
    const { world, network, build } = this.#box;
    const { dice, story } = world;
    const time = new ProcessTime(world);
    const options: ClientOptions = {
      socketPath: '/run/portcullis/interlock.sock',
      build,
      time,
      wire: network.wireOf(time),
    };
    const client = interlockClient(options);
    const asks: (() => Promise<unknown>)[] = [
      () => client.askLease({ link: 'vault', window: 'nightly', occurrence: 'never' }),
      () => client.askLease({ link: 'attic', session: 'never' }),
      () => client.reset({ link: 'vault', by: 'somebody', reason: 'simulated' }),
      () => client.runWindow('nightly', { by: 'somebody', reason: 'simulated' }),
      () => client.beginSession({ link: 'attic', by: 'somebody', reason: 'simulated', for_ms: 60_000 }),
      () => client.askLease({ link: 'x'.repeat(90), window: '', occurrence: '' }),
    ];
    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        dice
          .pick(asks)()
          .then(
            () => 'taken',
            () => 'refused',
          ),
      ),
    );
    time.alive = false;
    network.breakAll(time);
    if (answers.includes('taken'))
      this.#box.whole.breaks('somebody on the side of the controller got what nobody may give');
    story.meet('malicious requests refused');
  }
}
