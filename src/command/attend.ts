/**
 * `portcullis attend LINK`: keeps a link connected for a restore while somebody attends to it. This process is the holder of the lease: Ctrl-C,
 * the end of the terminal or its death isolates the link.
 */
import { userInfo } from 'node:os';
import { setTimeout as after } from 'node:timers/promises';
import { formatDuration, parseDuration } from '../config/schema/duration.ts';
import type { SessionBegun } from '../protocol/authority.ts';
import type { InterlockClient } from '../protocol/client.ts';
import { InterlockError } from '../protocol/interlock-error.ts';
import type { MountHand } from '../controller/attach/mount-hand.ts';
import type { Lease, LeaseEnd } from '../protocol/lease.ts';
import { endMayPass, refusalMayPass } from '../protocol/lost-lease.ts';
import { approvalIn } from './approval.ts';
import { type AskOptions, interlock } from './ask.ts';
import { AttendedDisks, type DiskNews, disksBehind, handHere, type LinkDisk } from './attend-disks.ts';
import { configured } from './configured.ts';
import { CommandError, readerGone, say, warn } from './exit.ts';

/** Options of the command. */
export interface AttendOptions extends AskOptions {
  /** A duration such as `30m`. */
  readonly for?: string;
  readonly reason?: string;
  /** The cause of a latch that is acknowledged: the link is reset first. */
  readonly cause?: string;
  /** `NAME:CODE`, once for each approver. */
  readonly approve?: readonly string[];
  /** Mounts the disks behind the link meanwhile, read-only. */
  readonly mount?: boolean;
  /** Ends the session in progress instead. */
  readonly end?: boolean;
}

/** Between two attempts to have a lease again that was lost for a reason that may pass, ms. */
const AGAIN_MS = 2_000;
/** How often the countdown on a terminal is written, ms. */
const COUNTDOWN_MS = 1_000;
/** Where there is no terminal, what is left is said at these moments, ms before the end. */
const SAID_AT_MS = [600_000, 300_000, 60_000];
/** How long to wait for isolation to be proven at the end, ms. */
const PROOF_WAIT_MS = 15_000;
const LOOK_EVERY_MS = 100;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Ends that whoever attends has asked for. */
const AS_ASKED: ReadonlySet<string> = new Set(['released', 'lease-ended']);

/** Attends until the time is over or the person ends it; throws `CommandError` 1 when it is cut short. */
export async function attendLink(link: string, options: AttendOptions): Promise<void> {
  if (options.end === true) return endAttended(link, options);
  const { cause, reason, approve = [] } = options;
  if (reason === undefined) throw new CommandError(2, 'say why: --reason TEXT');
  const forMs = parseDuration(options.for ?? '');
  if (forMs === null) throw new CommandError(2, 'say for how long: --for 30m, --for 1h30m');
  const approvals = approve.map(approvalIn);
  const asked = {
    link,
    reason,
    for_ms: forMs,
    by: userInfo().username,
    ...(cause === undefined ? {} : { cause }),
    ...(approvals.length === 0 ? {} : { approvals }),
  };
  const { config } = await configured(options.config, 'none');
  const disks = disksBehind(config, link);
  if (options.mount === true && disks.length === 0)
    throw new CommandError(
      2,
      `${link}: no window of it works in a repository with \`mount\`: there is nothing to mount`,
    );
  const { client, begun } = await begin(asked, options.config);
  const hand = handHere(config.runtime_directory);
  const behind = { disks, hand, isMounted: options.mount === true };
  const attendance = new Attendance(client, link, begun, options.json === true, behind);
  const end = await attendance.hold();
  await attendance.leave(end);
}

/** At the box where that can be; from afar with codes, or after a hold of the button. */
async function begin(
  asked: Parameters<InterlockClient['beginSession']>[0],
  config: string,
): Promise<{ client: InterlockClient; begun: SessionBegun }> {
  const over = async (presence: boolean): Promise<{ client: InterlockClient; begun: SessionBegun }> => {
    const client = await interlock(config, presence);
    return { client, begun: await client.beginSession(asked) };
  };
  if (asked.approvals !== undefined) return over(false);
  return over(true).catch((error: unknown) => {
    // Not root: the button may have been held, and the refusal says what else there is.
    if (!(error instanceof InterlockError) || error.code !== 'INTERLOCK_DENIED') throw error;
    return over(false);
  });
}

async function endAttended(link: string, { config, json }: AttendOptions): Promise<void> {
  const client = await interlock(config, false);
  const { links } = await client.status();
  const session = links.find((each) => each.link === link)?.session ?? null;
  if (session === null) throw new CommandError(1, `${link}: no attended session is in progress`);
  await client.endSession(session.session);
  say(
    json === true
      ? JSON.stringify({ link, ended: session.session })
      : `${link}: the session of ${session.by} is ended`,
  );
}

/** The disks behind the link, and whether they are wanted. */
interface Behind {
  readonly disks: readonly LinkDisk[];
  readonly hand: MountHand;
  readonly isMounted: boolean;
}

/** One session, held here. */
class Attendance {
  readonly #client: InterlockClient;
  readonly #link: string;
  readonly #begun: SessionBegun;
  readonly #json: boolean;
  /** Monotonic ms. */
  readonly #endsAt: number;
  readonly #stopped = new AbortController();
  readonly #disks: AttendedDisks;
  /** What is there to be mounted, for whoever did not ask for it. */
  readonly #offer: string;
  #saidUpTo: number;
  #hadLease = false;

  constructor(
    client: InterlockClient,
    link: string,
    begun: SessionBegun,
    json: boolean,
    { disks, hand, isMounted }: Behind,
  ) {
    this.#disks = new AttendedDisks(isMounted ? disks : [], hand, (news) => this.#tellDisk(news));
    this.#offer = isMounted
      ? ''
      : disks
          .map(
            ({ repository, mount }) =>
              ` (with --mount the disk of ${repository} is mounted read-only at ${mount.at})`,
          )
          .join('');
    this.#client = client;
    this.#link = link;
    this.#begun = begun;
    this.#json = json;
    this.#endsAt = performance.now() + begun.ends_in_ms;
    this.#saidUpTo = begun.ends_in_ms;
  }

  /** Holds the lease, and asks for it again when it was lost for a reason that may pass, until the session is over. */
  async hold(): Promise<LeaseEnd> {
    const stop = (): void => this.#stopped.abort();
    for (const signal of SIGNALS) process.once(signal, stop);
    readerGone.addEventListener('abort', stop);
    const { session, ends_in_ms, authority } = this.#begun;
    this.#tell(
      { event: 'begun', link: this.#link, session, ends_in_ms, authority },
      `${this.#link}: session for ${formatDuration(ends_in_ms)}; Ctrl-C ends it and isolates`,
    );
    try {
      for (;;) {
        const end = await this.#holdOnce();
        if (end !== null) return end;
        await after(AGAIN_MS, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
        if (this.#stopped.signal.aborted) return { code: 'released', why: 'ended by you' };
      }
    } finally {
      for (const signal of SIGNALS) process.off(signal, stop);
    }
  }

  /** Null: it was lost, and may be asked for again. */
  async #holdOnce(): Promise<LeaseEnd | null> {
    let lease: Lease;
    try {
      lease = await this.#client.askLease({ link: this.#link, session: this.#begun.session });
    } catch (error) {
      if (!(error instanceof InterlockError) || !this.#mayPass(error)) {
        await this.#client.endSession(this.#begun.session).catch(() => undefined);
        throw error;
      }
      return null;
    }
    this.#hadLease = true;
    const gone = new AbortController();
    void lease.connected.then(() => {
      this.#tell(
        { event: 'connected', link: this.#link },
        `${this.#link}: connected; do what you came for${this.#offer}`,
      );
      return this.#disks.mount(AbortSignal.any([gone.signal, this.#stopped.signal]));
    });
    const countdown = setInterval(() => this.#countDown(), COUNTDOWN_MS);
    const stopped = new Promise<void>((resolve) =>
      this.#stopped.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    if (this.#stopped.signal.aborted) await lease.release();
    const released = async (): Promise<LeaseEnd> => {
      await this.#disks.leave('orderly');
      await lease.release();
      return lease.lost;
    };
    const lost = await Promise.race([lease.lost, stopped.then(released)]);
    clearInterval(countdown);
    gone.abort();
    await this.#disks.leave('lazy');
    this.#clearLine();
    if (!endMayPass(lost.code)) return lost;
    this.#tell(
      { event: 'lost', link: this.#link, why: lost.code },
      `${this.#link}: ${lost.why}; asking again`,
    );
    return null;
  }

  /** What refuses for a moment is waited for: the proof of isolation, and, once work has begun, whatever does not end the session. */
  #mayPass(error: InterlockError): boolean {
    const codes = error.refusals.map(({ code }) => code);
    if (codes.length === 0) return false;
    if (codes.every((code) => code === 'isolating' || code === 'isolation-unproven')) return true;
    return this.#hadLease && refusalMayPass(error);
  }

  /** Says how it ended, and waits for the proof that the link is isolated. */
  async leave({ code, why }: LeaseEnd): Promise<void> {
    await this.#client.endSession(this.#begun.session).catch(() => undefined);
    const until = performance.now() + PROOF_WAIT_MS;
    let isolated = false;
    while (!isolated && performance.now() < until) {
      const link = await this.#linkNow();
      if (link === null) break;
      isolated = link.observed === 'isolated' && link.lease === null && link.proof !== 'none';
      if (!isolated) await after(LOOK_EVERY_MS);
    }
    const proven = isolated ? 'isolated, and proven to be' : 'NOT PROVEN ISOLATED: see `portcullis status`';
    this.#tell({ event: 'over', link: this.#link, why: code, isolated }, `${this.#link}: ${proven}`);
    if (!AS_ASKED.has(code)) throw new CommandError(1, `${this.#link}: the session was cut short: ${why}`);
    if (!isolated) throw new CommandError(1, `${this.#link}: isolation is not proven`);
  }

  async #linkNow() {
    const status = await this.#client.status().catch(() => null);
    return status?.links.find((each) => each.link === this.#link) ?? null;
  }

  #countDown(): void {
    const leftMs = Math.max(0, this.#endsAt - performance.now());
    if (this.#json) return;
    const left = `${this.#link}: isolated in ${clockOf(leftMs)}`;
    if (process.stderr.isTTY) return void process.stderr.write(`\r\u001b[K${left}; Ctrl-C ends it now`);
    const passed = SAID_AT_MS.find((at) => leftMs <= at && this.#saidUpTo > at);
    this.#saidUpTo = leftMs;
    if (passed !== undefined) warn(left);
  }

  #clearLine(): void {
    if (!this.#json && process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }

  #tellDisk(news: DiskNews): void {
    const { event, repository, at } = news;
    const what = `${this.#link}: the disk of ${repository} is`;
    const words = {
      mounted: `mounted read-only at ${at}`,
      unmounted: `unmounted from ${at}`,
      'not-mounted': `NOT mounted at ${at}`,
      'not-unmounted': `STILL mounted at ${at}`,
    }[event];
    this.#tell({ link: this.#link, ...news }, `${what} ${words}${'why' in news ? `: ${news.why}` : ''}`);
  }

  #tell(line: Record<string, unknown>, text: string): void {
    this.#clearLine();
    say(this.#json ? JSON.stringify(line) : text);
  }
}

/** `29:58`, or `1:29:58`. */
function clockOf(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours = 0, ...rest] = parts;
  const shown = rest.map((each) => String(each).padStart(2, '0')).join(':');
  return hours > 0 ? `${hours}:${shown}` : shown;
}
