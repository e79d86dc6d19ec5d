/** A real cable that is really cut: a network namespace behind a veth pair. Needs root. */
import { spawnSync } from 'node:child_process';

/** A namespace with one cable to it. */
export interface Cable {
  /** Address of the far end. */
  readonly far: string;
  /** Our end of the cable. */
  readonly interface: string;
  /** Put before a command so that it runs at the far end. */
  readonly inside: readonly string[];
  /** Pulls the plug at the far end: our end loses its carrier. */
  readonly pull: () => void;
  readonly plug: () => void;
  /** Takes our end out of service by administration, and back. */
  readonly administer: (state: 'up' | 'down') => void;
  readonly remove: () => void;
}

function ip(...args: readonly string[]): void {
  const done = spawnSync('ip', args, { encoding: 'utf8' });
  if (done.status !== 0)
    throw new Error(`ip ${args.join(' ')}: ${done.stderr ?? done.error?.message ?? 'failed'}`);
}

/** Why no cable can be laid here, or `null`. */
export function cableMissing(): string | null {
  if (process.getuid?.() !== 0) return 'needs root for a network namespace';
  const name = `pc-try-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (made.status !== 0) return `ip netns add fails: ${made.stderr ?? 'no ip'}`;
  spawnSync('ip', ['netns', 'delete', name]);
  return null;
}

/** Lays a cable to a fresh namespace. */
export function layCable(): Cable {
  const tag = `${process.pid % 100_000}`;
  const space = `pc-vault-${tag}`;
  const near = `pcn${tag}`;
  const far = `pcf${tag}`;
  const net = `10.${200 + (process.pid % 50)}.${(process.pid >> 6) % 250}`;
  ip('netns', 'add', space);
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', space);
  ip('address', 'add', `${net}.1/30`, 'dev', near);
  ip('link', 'set', near, 'up');
  ip('-n', space, 'address', 'add', `${net}.2/30`, 'dev', far);
  ip('-n', space, 'link', 'set', 'lo', 'up');
  ip('-n', space, 'link', 'set', far, 'up');
  return {
    far: `${net}.2`,
    interface: near,
    inside: ['ip', 'netns', 'exec', space],
    pull: () => ip('-n', space, 'link', 'set', far, 'down'),
    plug: () => ip('-n', space, 'link', 'set', far, 'up'),
    administer: (state) => ip('link', 'set', near, state),
    remove: () => {
      spawnSync('ip', ['link', 'delete', near]);
      spawnSync('ip', ['netns', 'delete', space]);
    },
  };
}
