/** The disks of an attended session: mounted read-only while its link is connected, for whoever restores from them. */
import { join } from 'node:path';
import type { MountSettings } from '../config/schema/mount.ts';
import type { Config } from '../config/schema.ts';
import { ownHand, readOnly, type Manner, type MountHand } from '../controller/attach/mount-hand.ts';
import { askedHand, MOUNT_SOCKET } from '../controller/attach/mount-request.ts';
import { ControllerFault } from '../controller/fault.ts';
import { repositoryOf, taskOf } from '../controller/steps/table.ts';

/** A disk behind a link, and a repository on it. */
export interface LinkDisk {
  readonly repository: string;
  readonly mount: MountSettings;
}

/** What became of one of them. */
export type DiskNews =
  | { readonly event: 'mounted' | 'unmounted'; readonly repository: string; readonly at: string }
  | {
      readonly event: 'not-mounted' | 'not-unmounted';
      readonly repository: string;
      readonly at: string;
      readonly why: string;
    };

/** The disks of the repositories in which the windows of this link work, each mount point once. */
export function disksBehind({ windows, repositories }: Config, link: string): readonly LinkDisk[] {
  const names = Object.values(windows)
    .filter((window) => window.link === link)
    .flatMap(({ steps }) => steps.map((step) => repositoryOf(taskOf(step))));
  const disks = new Map<string, LinkDisk>();
  for (const repository of names.filter((name) => name !== null)) {
    const mount = repositories[repository]?.mount;
    if (mount !== undefined && !disks.has(mount.at)) disks.set(mount.at, { repository, mount });
  }
  return [...disks.values()];
}

/** Whoever may mount here: this process when it is root, else the helper of the controller. */
export const handHere = (runtimeDirectory: string): MountHand =>
  process.getuid?.() === 0 ? ownHand : askedHand(join(runtimeDirectory, MOUNT_SOCKET));

/**
 * Mounts and unmounts them, one call after the other. A disk that cannot be mounted ends no session: the person who attends hears why
 * and can act. What this process leaves behind when it is killed goes before the next window mounts anything.
 */
export class AttendedDisks {
  readonly #disks: readonly LinkDisk[];
  readonly #hand: MountHand;
  readonly #tell: (news: DiskNews) => void;
  #held: LinkDisk[] = [];
  /** Somebody else may have mounted them just when they were not wanted any more. */
  #doubtful: LinkDisk[] = [];
  #work: Promise<void> = Promise.resolve();

  constructor(disks: readonly LinkDisk[], hand: MountHand, tell: (news: DiskNews) => void) {
    this.#disks = disks;
    this.#hand = hand;
    this.#tell = tell;
  }

  /** The link is connected. `stop`: it is no more. */
  mount(stop: AbortSignal): Promise<void> {
    return this.#next(async () => {
      for (const disk of this.#disks) {
        if (stop.aborted) return;
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await this.#mountOne(disk, stop);
      }
    });
  }

  /** `orderly` before the link is isolated, `lazy` after. */
  leave(manner: Manner): Promise<void> {
    return this.#next(async () => {
      for (const { repository, mount } of this.#held.splice(0).toReversed()) {
        const { at } = mount;
        // oxlint-disable-next-line no-await-in-loop
        const why = await this.#hand.unmount(repository, mount, manner).then(() => null, faultText);
        this.#tell(
          why === null
            ? { event: 'unmounted', repository, at }
            : { event: 'not-unmounted', repository, at, why },
        );
      }
      // After the link: whoever ends the session does not wait for what is probably not there.
      if (manner === 'orderly') return;
      for (const { repository, mount } of this.#doubtful.splice(0)) {
        // oxlint-disable-next-line no-await-in-loop
        const why = await this.#hand.unmount(repository, mount, manner).then(() => null, faultText);
        if (why !== null) this.#tell({ event: 'not-unmounted', repository, at: mount.at, why });
      }
    });
  }

  async #mountOne(disk: LinkDisk, stop: AbortSignal): Promise<void> {
    const { repository, mount } = disk;
    const { at } = mount;
    const why = await this.#hand.mount(repository, readOnly(mount), stop).then(() => null, faultText);
    if (why === null) this.#held.push(disk);
    else if (stop.aborted) this.#doubtful.push(disk);
    this.#tell(
      why === null ? { event: 'mounted', repository, at } : { event: 'not-mounted', repository, at, why },
    );
  }

  #next(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work);
    return this.#work;
  }
}

function faultText(error: unknown): string {
  if (error instanceof ControllerFault) return `${error.message}; ${error.hint}`;
  throw error;
}
