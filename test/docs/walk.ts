/** Follows a page: types its commands in order, and looks at what they say. */
import { expect } from 'vitest';
import type { Child } from '../faults/child.ts';
import { eventually } from '../faults/child.ts';
import type { Command } from './pages.ts';
import type { GoesOn, Meanwhile, Place, Row, Story, Typed } from './rows.ts';
import { here, type Said } from './terminal.ts';

/** What goes on may take so long to say what it has to: the demo commissions a link first, ms. */
const WITHIN_MS = 120_000;

/** A command that goes on, and how many steps are left beside it. */
interface Beside {
  readonly child: Child;
  readonly code: number | null;
  readonly shows: readonly string[];
  left: number;
}

/** Follows the story of a page at a place; how many commands were run. */
export async function follow<P extends Place>(
  story: Story<P>,
  commands: readonly Command[],
  place: P,
): Promise<number> {
  const left = commands.filter(({ page }) => page === story.page);
  let run = 0;
  let beside: Beside | null = null;
  for (const step of story.steps) {
    const command = step.kind === 'meanwhile' ? null : (left.shift() ?? null);
    if (command !== null && step.kind !== 'elsewhere' && step.kind !== 'not run') run += 1;
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as on the page
    const begun = await take(step, command, place);
    // oxlint-disable-next-line no-await-in-loop
    if (beside !== null && (beside.left -= 1) === 0) beside = await interrupted(beside);
    if (begun !== null) beside = begun.left === 0 ? await interrupted(begun) : begun; // oxlint-disable-line no-await-in-loop
  }
  return run;
}

/** Does one step; what goes on after it. */
async function take<P extends Place>(
  step: Row<P> | Meanwhile<P>,
  command: Command | null,
  place: P,
): Promise<Beside | null> {
  if (step.kind === 'meanwhile') await step.what(place);
  else if (command !== null && step.kind === 'typed') await type(step, command, place);
  else if (command !== null && step.kind === 'goes on') return goOn(step, command, place);
  return null;
}

async function type<P extends Place>(row: Typed<P>, { text, shows }: Command, place: P): Promise<void> {
  const lack = row.lacks?.() ?? null;
  if (lack !== null) return console.warn(`NOT TESTED: ${text}: ${lack}`);
  const attempt = async (): Promise<Said> => {
    const names = [...place.names(), ...((await row.names?.(place)) ?? [])];
    return place.terminal.run(here(row.as?.(text, place) ?? text, names));
  };
  const wanted = [...(row.says ?? []), ...shows].map((each) =>
    typeof each === 'string' ? new RegExp(plain(each)) : each,
  );
  let said = await attempt();
  if (row.again === true)
    await eventually(
      `${text} to be done; ${said.said}`,
      async () => fits(said, row, wanted) || fits((said = await attempt()), row, wanted),
    );
  expect(said, text).toMatchObject({ code: row.code ?? 0 });
  for (const each of wanted) expect(said.said, text).toMatch(each);
  if (row.look !== undefined)
    expect(await row.look(said, place), `what ${text} did; ${said.said}`).toBe(true);
}

const fits = <P extends Place>({ code, said }: Said, row: Typed<P>, wanted: readonly RegExp[]): boolean =>
  code === (row.code ?? 0) && wanted.every((each) => each.test(said));

async function goOn(row: GoesOn, { text, shows }: Command, place: Place): Promise<Beside> {
  const child = place.goesOn(here(text, place.names()));
  await eventually(
    () => `${text} to say ${row.until}; ${child.words()}`,
    () => {
      if (child.ended !== null) throw new Error(child.words());
      return child.stdout.includes(row.until);
    },
    WITHIN_MS,
  );
  return { child, shows, code: row.code === undefined ? 0 : row.code, left: row.beside ?? 0 };
}

async function interrupted({ child, code, shows }: Beside): Promise<null> {
  child.signal('SIGINT');
  const ended = await child.exited;
  expect(ended.code, child.words()).toBe(code);
  for (const line of shows) expect(child.stdout).toContain(line);
  return null;
}

const plain = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
