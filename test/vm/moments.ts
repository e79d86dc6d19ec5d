/** The moments at which the power of the machine is cut: how each is come to, and what must be found after it. */
import type { Lease } from '../../src/protocol/lease.ts';
import { eventually } from '../faults/child.ts';
import { type Box, LINK } from './box.ts';
import { SLOW_MS } from './machine.ts';

/** What the latch must be after the power has come back. */
export type LatchAfter = 'latched' | 'clear' | 'either';

/** One moment. `reach` ends in the middle of it. */
export interface Moment {
  readonly name: string;
  /** At most so many ms of this machine's clock go by before the cut, by chance. */
  readonly spreadMs: number;
  /** Brings the box there from rest; what its latch must be if the power goes now or a little later. */
  readonly reach: (box: Box) => Promise<() => LatchAfter>;
}

const clear = (): LatchAfter => 'clear';

const contactConnects = (box: Box): Promise<unknown> =>
  eventually(
    'the contact to be connected',
    () => box.board.moves(box.mark).find(({ position }) => position === 'connected'),
    SLOW_MS,
  );

/** A lease under which the contact is connected. */
const connected = async (box: Box): Promise<Lease> => {
  const lease = await box.lease('nightly');
  await contactConnects(box);
  return lease;
};

const cutBegins = (box: Box, mark: number): Promise<unknown> =>
  eventually('an isolate frame', () => box.board.frames('isolate', mark)[0], SLOW_MS);

/** Every state of a link, and the two answers that must be true for ever. */
export const MOMENTS: readonly Moment[] = [
  {
    name: 'tripped: 200 was just answered',
    spreadMs: 0,
    reach: async (box) => {
      await connected(box);
      if ((await box.trip()) !== 200) throw new Error('the trip was not answered with 200');
      return () => 'latched';
    },
  },
  {
    name: 'connected, a window at work',
    spreadMs: 3_000,
    reach: async (box) => {
      await connected(box);
      await box.until('the link to be connected', ({ state }) => state === 'connected');
      return clear;
    },
  },
  {
    name: 'proving: the proof test of a contact',
    spreadMs: 100,
    reach: async (box) => {
      const lease = await connected(box);
      await box.until('the link to be connected', ({ state }) => state === 'connected');
      const mark = box.board.mark();
      void lease.release();
      await cutBegins(box, mark);
      return clear;
    },
  },
  {
    name: 'connecting',
    spreadMs: 100,
    reach: async (box) => {
      await box.lease('nightly');
      await eventually('a connect frame', () => box.board.frames('connect', box.mark)[0], SLOW_MS);
      return clear;
    },
  },
  {
    name: 'isolating: tripped, and not answered yet',
    spreadMs: 60,
    reach: async (box) => {
      await connected(box);
      let answered: number | null = null;
      const mark = box.board.mark();
      void box.trip().then((status) => (answered = status));
      await cutBegins(box, mark);
      return () => (answered === 200 ? 'latched' : 'either');
    },
  },
  {
    name: 'resetting',
    spreadMs: 400,
    reach: async (box) => {
      if ((await box.trip()) !== 200) throw new Error('the trip was not answered with 200');
      const { latch } = await box.until(
        'a proven trip',
        ({ state, proof }) => state === 'tripped' && proof !== 'none',
      );
      let done = false;
      void box.resetLatch(latch?.cause ?? '').then(
        () => (done = true),
        () => undefined, // the power went before
      );
      return () => (done ? 'clear' : 'either');
    },
  },
  {
    name: 'commissioning',
    spreadMs: 4_000,
    reach: async (box) => {
      const program = `/opt/portcullis/bin/portcullis commission ${LINK} --yes`;
      await box.machine.shell(`systemd-run --quiet --collect --unit=commission ${program}`);
      await contactConnects(box);
      return clear;
    },
  },
  { name: 'isolated, at rest', spreadMs: 3_000, reach: () => Promise.resolve(clear) },
];
