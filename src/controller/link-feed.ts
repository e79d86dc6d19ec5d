/** What the interlock last said about its links, and a bounded wait for something it may say next. */
import type { LinkStatus } from '../protocol/messages.ts';
import { machineTime } from '../protocol/time.ts';
import type { Time } from '../protocol/time.ts';

export interface LinkFeed {
  /** `null` before the first word about it. */
  latest(link: string): LinkStatus | null;
  tell(status: LinkStatus): void;
  /** Resolves true as soon as what is told about `link` fits, false after `timeoutMs` or when `stop` aborts. */
  until(
    link: string,
    fits: (status: LinkStatus) => boolean,
    timeoutMs: number,
    stop?: AbortSignal,
  ): Promise<boolean>;
}

/** True when isolation is proven, not merely commanded. */
export const isProvenIsolated = (status: LinkStatus): boolean =>
  status.observed === 'isolated' &&
  status.lease === null &&
  (status.state === 'isolated' || status.state === 'tripped');

/** A feed that knows nothing yet. */
export function linkFeed(time: Pick<Time, 'after'> = machineTime): LinkFeed {
  const known = new Map<string, LinkStatus>();
  const waiters = new Set<() => void>();
  return {
    latest: (link) => known.get(link) ?? null,
    tell(status) {
      known.set(status.link, status);
      for (const look of waiters) look();
    },
    until(link, fits, timeoutMs, stop) {
      return new Promise((resolve) => {
        const end = (found: boolean): void => {
          inTime();
          waiters.delete(look);
          stop?.removeEventListener('abort', onStop);
          resolve(found);
        };
        const look = (): void => {
          const status = known.get(link);
          if (status !== undefined && fits(status)) end(true);
        };
        const onStop = (): void => end(false);
        const inTime = time.after(timeoutMs, () => end(false));
        stop?.addEventListener('abort', onStop, { once: true });
        waiters.add(look);
        if (stop?.aborted === true) end(false);
        else look();
      });
    },
  };
}
