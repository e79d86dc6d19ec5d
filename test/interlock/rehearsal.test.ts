/** The rehearsal of the kill path: it goes the whole way, and touches nothing outside of the process. */
import { createHook } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { machineClock } from '../../src/interlock/clock.ts';
import { rehearse, ROUNDS } from '../../src/interlock/trips/rehearsal.ts';
import { HandClock } from './review-box.ts';

/** What Node makes for work that leaves the process: files, sockets, pipes, names, processes, threads. */
const OUTSIDE =
  /^(FS|FILEHANDLE|TCP|TLS|PIPE|UDP|TTY|GETADDRINFO|QUERY|PROCESS|WORKER|MESSAGEPORT|STATWATCHER)/;

/** Everything that was begun outside of JavaScript while `work` ran. */
async function begunBy(work: () => Promise<unknown>): Promise<readonly string[]> {
  const types = new Set<string>();
  const hook = createHook({ init: (_id, type) => void types.add(type) }).enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return [...types];
}

/** Time stands still: no limit ends it. */
const timeless = new HandClock();

test('every rehearsed trip is cut, latched, journaled and answered', async () => {
  expect(await rehearse(timeless)).toBe(ROUNDS);
});

test('nothing of it reaches a file, a socket or another process', async () => {
  const begun = await begunBy(() => rehearse(timeless));
  expect(begun).toContain('HTTPINCOMINGMESSAGE');
  expect(begun.filter((type) => OUTSIDE.test(type))).toEqual([]);
});

test('whoever has something to do has a turn between any two of its trips', async () => {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await rehearse(timeless);
  isOver = true;
  expect(turns).toBeGreaterThanOrEqual(ROUNDS);
});

test('it ends when its time is over, whatever has been rehearsed by then', async () => {
  const hurried = { ...machineClock, calls: 0 };
  // The first look at the clock sets the end; by the second one it has passed.
  hurried.now = () => {
    hurried.calls += 1;
    return hurried.calls === 1
      ? machineClock.now()
      : ((machineClock.now() + 60_000) as ReturnType<typeof machineClock.now>);
  };
  expect(await rehearse(hurried)).toBe(0);
});
