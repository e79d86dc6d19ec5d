/**
 * What stands between a connected link and restic: the disk is mounted, the way leads there, and both stay so while anything works.
 *
 * Undone in reverse, whatever failed. After a cut restic is dead before anything is unmounted: a lazy unmount alone lets it write on. Every
 * call of restic is preceded by a look, and while one runs there is a look each second; when the vault is not what was attached, the
 * window is cut. The bad case that remains: within that second restic may send to whoever answers at the vault's address (an
 * unreachable route prevents it, see docs/attach.md); onto the system disk it cannot write at all.
 */
import type { RepositorySettings } from '../../config/schema/repositories.ts';
import type { MountSettings } from '../../config/schema/mount.ts';
import { vaultHost, vaultPath } from '../../config/meaning/vault-host.ts';
import { machineTime } from '../../protocol/time.ts';
import type { Time } from '../../protocol/time.ts';
import { ControllerFault } from '../fault.ts';
import type { Manner, Mounted, MountHand } from './mount-hand.ts';
import { refuseElsewhere } from './mount-point.ts';
import { untilWay, wayFault, wayProblem, ROUTE_TIMEOUT_MS } from './route.ts';
import type { Way } from './route.ts';

/** ms between looks while restic works. */
const LOOK_EVERY_MS = 1_000;

/** A repository that is worked in. */
export interface Target {
  readonly name: string;
  readonly settings: Pick<RepositorySettings, 'url' | 'mount' | 'interface'>;
}

interface Held {
  readonly name: string;
  readonly mount: MountSettings;
  readonly mounted: Mounted;
}

/** A vault at hand. */
export interface Attachment {
  /** UUID and device of every disk that was mounted, by repository. */
  readonly disks: ReadonlyMap<string, Mounted>;
  /** Rejects with `ControllerFault` when what was attached is not there any more. For a repository without mount and way it never does. */
  readonly look: (name: string) => Promise<void>;
  /** Looks again and again; tells once what is wrong. The returned function ends that. */
  readonly watch: (onLost: (why: string) => void) => () => void;
  /** Undoes everything, in reverse. Gives what did not go well, as sentences. `wasCut`: the disk is taken for gone. Never rejects for a fault. */
  readonly leave: (wasCut: boolean) => Promise<readonly string[]>;
}

/** Checks the ways and mounts the disks of some repositories. Rejects with `ControllerFault`; what was done by then is undone. */
export async function attach(
  targets: readonly Target[],
  hand: MountHand,
  stop: AbortSignal,
  time: Time = machineTime,
): Promise<Attachment> {
  const held: Held[] = [];
  const disks = new Map<string, Mounted>();
  try {
    for (const { name, settings } of targets) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that they can be undone in reverse
      await refuseOtherWay(settings, stop);
      const { mount } = settings;
      if (mount === undefined) continue;
      const known = held.find((each) => each.mount.at === mount.at);
      // oxlint-disable-next-line no-await-in-loop
      const mounted = known?.mounted ?? (await hand.mount(name, mount, stop));
      if (known === undefined) held.push({ name, mount, mounted });
      disks.set(name, mounted);
      // oxlint-disable-next-line no-await-in-loop
      await refuseOtherDisk(settings, mounted);
    }
  } catch (error) {
    const problems = await undo(held, hand, stop.aborted ? 'lazy' : 'orderly');
    if (error instanceof ControllerFault && problems.length > 0)
      throw new ControllerFault(error.code, `${error.message}; ${problems.join('; ')}`, error.hint, error);
    throw error;
  }
  const look = async (name: string): Promise<void> => {
    const target = targets.find((each) => each.name === name);
    if (target === undefined) return;
    const mounted = disks.get(name);
    if (mounted !== undefined) await refuseOtherDisk(target.settings, mounted);
    const way = wayTo(target.settings);
    const problem = way === null ? null : await wayProblem(way);
    if (problem !== null) throw wayFault(problem);
  };
  return {
    disks,
    look,
    watch: (onLost) =>
      watchAll(
        targets.map(({ name }) => name),
        look,
        onLost,
        time,
      ),
    leave: (wasCut) => undo(held, hand, wasCut ? 'lazy' : 'orderly'),
  };
}

/** The way to a repository that names its interface, else `null`. */
function wayTo({ url, interface: name }: Target['settings']): Way | null {
  const host = vaultHost(url);
  return name === undefined || host === null ? null : { host, interface: name };
}

async function refuseOtherWay(settings: Target['settings'], stop: AbortSignal): Promise<void> {
  const way = wayTo(settings);
  const problem = way === null ? null : await untilWay(way, ROUTE_TIMEOUT_MS, stop);
  if (problem !== null) throw wayFault(problem);
}

/** As this process sees it: what somebody else mounted in another view of the file system helps nobody. */
async function refuseOtherDisk({ url, mount }: Target['settings'], { device, uuid }: Mounted): Promise<void> {
  const path = vaultPath(url);
  if (mount === undefined || path === null) return;
  if (uuid.toLowerCase() !== mount.uuid.toLowerCase())
    throw new ControllerFault(
      'OTHER_DEVICE',
      `the disk ${uuid} was mounted instead of ${mount.uuid}`,
      'find out why',
    );
  await refuseElsewhere(path, mount.at, device);
}

function watchAll(
  names: readonly string[],
  look: (name: string) => Promise<void>,
  onLost: (why: string) => void,
  time: Time,
): () => void {
  let isOver = false;
  let isLooking = false;
  const end = time.every(LOOK_EVERY_MS, () => {
    if (isLooking) return;
    isLooking = true;
    Promise.all(names.map(look))
      .catch((error: unknown) => {
        if (!isOver) onLost(error instanceof Error ? error.message : String(error));
        isOver = true;
      })
      .finally(() => {
        isLooking = false;
      });
  });
  return () => {
    isOver = true;
    end();
  };
}

async function undo(held: readonly Held[], hand: MountHand, manner: Manner): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { name, mount } of held.toReversed()) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- in reverse, one after the other
      const went = await hand.unmount(name, mount, manner);
      if (went !== manner)
        problems.push(`${mount.at} was busy or its disk did not answer, and was unmounted lazily`);
    } catch (error) {
      if (!(error instanceof ControllerFault)) throw error;
      problems.push(`${mount.at} could not be unmounted: ${error.message}`);
    }
  }
  return problems;
}
