/** What must outlive the interlock besides the latch: exposure of the last day, stretches in progress, last openings. */
import { z } from 'zod';
import { own } from '../../core/names.ts';
import { NO_PAST, type PastOpenings } from '../../core/catch-up.ts';
import { counts, exposedMs, type Exposure, type Moment } from '../../core/exposure.ts';
import { millis, type Millis } from '../../core/time.ts';
import type { Disk } from '../../journal/disk.ts';
import { StateFile } from './state-file.ts';

const FILE = 'ledger.json';
const monotonic = z.number().transform(millis);
const shape = z.strictObject({
  past: z.record(
    z.string(),
    z.array(
      z.strictObject({
        boot: z.string(),
        endedAt: monotonic,
        endedCalendarMs: z.number(),
        lastedMs: z.number(),
      }),
    ),
  ),
  /** Links that may be connected: written before the connect, removed after proven isolation. */
  since: z.record(
    z.string(),
    z.strictObject({ boot: z.string(), at: monotonic, calendarMs: z.number(), plannedMs: z.number() }),
  ),
  lastBegun: z.record(z.string(), z.number()),
  /** Of `core/catch-up.ts`; missing in files of earlier versions. */
  openings: z
    .strictObject({
      used: z.record(z.string(), z.number()),
      caughtUp: z.record(z.string(), z.number()),
      told: z.record(z.string(), z.number()),
    })
    .exactOptional(),
});
type Content = z.infer<typeof shape>;

/** Keeps exposure and openings. When the file cannot be read it says so in `unreadable`, and no lease is granted. */
export class Ledger {
  readonly #file: StateFile<Content>;
  #content: Content = { past: {}, since: {}, lastBegun: {} };

  constructor(disk: Disk, directory: string) {
    this.#file = new StateFile(disk, directory, { name: FILE, what: 'ledger', shape }, () => this.#content);
  }

  async load(): Promise<void> {
    this.#content = (await this.#file.load()) ?? this.#content;
  }

  /** Why exposure is not known, or null. */
  get unreadable(): string | null {
    return this.#file.unreadable;
  }

  /** Why the last write failed, or null. */
  get unwritable(): string | null {
    return this.#file.unwritable;
  }

  get lastBegun(): Readonly<Record<string, number>> {
    return this.#content.lastBegun;
  }

  /** What is remembered of openings that were used, missed and made up for. */
  get openings(): PastOpenings {
    return this.#content.openings ?? NO_PAST;
  }

  /** Tries again, now and then, to write what could not be written. */
  retry(now: Millis): void {
    this.#file.retry(now);
  }

  /** Exposure of a link that counts against its budget now, ms. */
  exposedMs(link: string, moment: Moment): number {
    return exposedMs(own(this.#content.past, link) ?? [], this.#sinceNow(link, moment), moment);
  }

  /** Begins a stretch; resolves once it is on disk, so that a crash while connected still counts. */
  begin(link: string, plannedMs: number, moment: Moment): Promise<void> {
    const { boot, now, calendarMs } = moment;
    if (!Object.hasOwn(this.#content.since, link))
      this.#content.since[link] = { boot, at: now, calendarMs, plannedMs };
    return this.#file.save();
  }

  /** Ends the stretch in progress, if any. */
  end(link: string, moment: Moment): Promise<void> {
    const since = this.#sinceNow(link, moment);
    if (since === null) return Promise.resolve();
    const { boot, now, calendarMs } = moment;
    const ended: Exposure = { boot, endedAt: now, endedCalendarMs: calendarMs, lastedMs: now - since };
    const past = (own(this.#content.past, link) ?? []).filter((each) => counts(each, moment));
    this.#content.past[link] = [...past, ended];
    delete this.#content.since[link];
    return this.#file.save();
  }

  /** Remembers the scheduled minute at which each window last began. */
  begun(lastBegun: Readonly<Record<string, number>>): Promise<void> {
    this.#content.lastBegun = { ...lastBegun };
    return this.#file.save();
  }

  /** Remembers openings that were used, missed and made up for. */
  remember({ used, caughtUp, told }: PastOpenings): Promise<void> {
    this.#content.openings = { used: { ...used }, caughtUp: { ...caughtUp }, told: { ...told } };
    return this.#file.save();
  }

  /**
   * The start of the stretch in progress on the monotonic clock of this boot. A stretch that an earlier boot left behind
   * counts as long as its lease could have lasted: how long the box was without power only the calendar could tell, and
   * after a loss of power a box without a battery clock wakes up in the past.
   */
  #sinceNow(link: string, moment: Moment): Millis | null {
    const since = own(this.#content.since, link);
    if (since === undefined) return null;
    return since.boot === moment.boot ? since.at : millis(moment.now - since.plannedMs);
  }
}
