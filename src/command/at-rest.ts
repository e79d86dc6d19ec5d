/**
 * `portcullis at-rest`: may this box be taken down, for an upgrade or for its plug to be pulled? Only when every link is
 * shown isolated and nothing is in progress. The interlock is asked, of whatever build; where none answers, every contact
 * is isolated straight from the configuration, and that is the answer.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { INTERLOCK_SOCKET, position } from '../protocol/messages.ts';
import { printable } from '../sources/excerpt.ts';
import { type ExitCode, say } from './exit.ts';
import { ask } from './isolate-running.ts';
import { isolateConfigured, runtimeDirectoryIn, textOf } from './isolate.ts';

const MAX_DETAIL_LENGTH = 200;

/** As much of a status as is needed. What a newer or older interlock does not say this way counts as no answer. */
const seen = z.object({
  links: z.array(
    z.object({
      link: z.string(),
      state: z.string(),
      observed: position,
      lease: z.unknown().refine((one) => one !== undefined),
      session: z.unknown().refine((one) => one !== undefined),
    }),
  ),
  windows: z.array(z.object({ window: z.string(), open: z.unknown().refine((one) => one !== undefined) })),
});

/** States in which a link rests when it is also seen isolated. */
const RESTING: ReadonlySet<string> = new Set(['isolated', 'tripped']);

/** What stands against taking the box down; empty when nothing does. */
export interface Rest {
  readonly asked: 'interlock' | 'boards';
  readonly against: readonly string[];
}

/** Prints the answer. 0: at rest. 1: not, and why. */
export async function showRest(file: string, json: boolean): Promise<ExitCode> {
  const { asked, against } = await restOf(file);
  const rests = against.length === 0;
  if (json) say(JSON.stringify({ at_rest: rests, asked, against }));
  else if (rests) say(asked === 'interlock' ? AT_REST.interlock : AT_REST.boards);
  else for (const line of against) say(`not at rest: ${printable(line, MAX_DETAIL_LENGTH)}`);
  return rests ? 0 : 1;
}

const AT_REST = {
  interlock: 'at rest: the interlock shows every link isolated, no window is open, nobody holds a lease',
  boards: 'at rest: no interlock answers, and every contact is proven isolated',
} as const;

/** Throws `CommandError` when the configuration cannot be read. */
export async function restOf(file: string): Promise<Rest> {
  const found = await askedOfInterlock(join(runtimeDirectoryIn(await textOf(file)), INTERLOCK_SOCKET));
  if (found !== null) return { asked: 'interlock', against: found };
  const results = await isolateConfigured(file);
  return {
    asked: 'boards',
    against: results.flatMap(({ contact, isolated, detail }) =>
      isolated ? [] : [`contact ${contact} is not proven isolated: ${detail}`],
    ),
  };
}

/** `null` when nobody gave an answer that can be understood. */
async function askedOfInterlock(socketPath: string): Promise<readonly string[] | null> {
  const answer = await ask(socketPath, 'GET', '/v1/status', null).catch(() => null);
  if (answer?.status !== 200) return null;
  const status = seen.safeParse(parsed(answer.text));
  if (!status.success) return null;
  const { links, windows } = status.data;
  return [
    ...links.flatMap(({ link, state, observed, lease, session }) => [
      ...(RESTING.has(state) ? [] : [`link ${link} is ${state}`]),
      ...(observed === 'isolated' ? [] : [`link ${link} is seen as ${observed}, not as isolated`]),
      ...(lease === null ? [] : [`somebody holds a lease of link ${link}`]),
      ...(session === null ? [] : [`an attended session of link ${link} is in progress`]),
    ]),
    ...windows.flatMap(({ window, open }) =>
      open === null ? [] : [`window ${window} is open${untilWhen(open)}`],
    ),
  ];
}

/** When its time is over; also after a trip, for a reset gives it the rest of it. */
function untilWhen(open: unknown): string {
  const { success, data } = z.object({ ends_in_ms: z.number() }).safeParse(open);
  return success ? `, for another ${Math.ceil(data.ends_in_ms / 1_000)} s at most` : '';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
