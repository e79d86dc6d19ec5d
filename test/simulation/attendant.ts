/** People who ask for an attended session, at the box or not, hold its lease in their manner, and may end it early. */
import type { Interlock } from '../../src/interlock/interlock.ts';
import type { Promises } from './promises.ts';
import { type Manner, Tenant } from './tenant.ts';
import { type Life, LONGEST_SESSION_MS, type World } from './world.ts';

/** Some ask for more than a link takes. */
const LONGEST_WISH_MS = 1.3 * LONGEST_SESSION_MS;

/** Asks once for this link, and does what people do with what they were given. */
export async function attend(
  world: World,
  promises: Promises,
  life: Life,
  interlock: Interlock,
  name: string,
  presence: boolean,
  manner: Manner,
): Promise<void> {
  const { dice, program, story, time } = world;
  const link = interlock.links.get(name);
  if (link === undefined) return;
  const account = promises.account(name);
  // Some never come for the lease: their wish outlasts the wait for them. Some come again.
  const comes = dice.chance(0.7);
  const asked = {
    by: 'person:somebody',
    reason: 'simulated',
    presence,
    forMs: comes ? dice.between(2_000, LONGEST_WISH_MS) : LONGEST_SESSION_MS,
  };
  const wish = {};
  if (presence) account.wishes.add(wish);
  const answer = await program.askSession(interlock, link, asked).catch(() => null);
  account.wishes.delete(wish);
  if (!life.clock.alive) return;
  if (answer === null) return story.meet('session not recorded');
  if ('refusals' in answer) {
    promises.refused(answer.refusals);
    if (answer.refusals.length === 0) promises.breaks('a session was refused without a reason');
    return;
  }
  if (!presence) promises.breaks('a session without presence was begun');
  const { session } = answer;
  if (!comes) return;
  const tenant = (): Tenant => new Tenant(world, promises, life, interlock, { link: name, session }, manner);
  await life.clock.pause(dice.between(0, 2_000));
  void tenant().ask();
  if (dice.chance(0.4))
    time.after(dice.between(1_000, 30_000), () => life.clock.alive && void tenant().ask());
  if (dice.chance(0.4))
    time.after(dice.between(500, 10_000), () => {
      if (life.clock.alive) void program.endSession(interlock, session, 'person:somebody');
    });
}
