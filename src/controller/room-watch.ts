/** Tells people when a disk of the appliance runs low: that of the interlock's state, as the interlock says, and the controller's own. */
import type { Config } from '../config/schema.ts';
import { isLow, type Room } from '../core/room.ts';
import type { InterlockClient } from '../protocol/client.ts';
import type { DiskStatus } from '../protocol/journal-status.ts';
import type { Draft } from './notify/notice.ts';

/** ms between looks. */
const LOOK_EVERY_MS = 60_000;

/** Remembers what was told. */
export class Rooms {
  /** By directory. */
  readonly #low = new Map<string, boolean>();

  /** What is news. `theirs`: the interlock's directory and what it says of it; `ours`: the controller's. What cannot be asked is no news. */
  look(theirs: Seen, ours: { readonly directory: string; readonly room: Room | null }): readonly Draft[] {
    const own: DiskStatus | undefined =
      ours.room === null
        ? undefined
        : {
            free_bytes: ours.room.freeBytes,
            size_bytes: ours.room.sizeBytes,
            low: isLow(ours.room, this.#low.get(ours.directory) ?? false),
          };
    // Mostly both lie on one disk: what the interlock tells is not told twice.
    const isSame = theirs.disk !== undefined && theirs.disk.size_bytes === own?.size_bytes;
    return [
      ...this.#news(theirs.directory, theirs.disk, true),
      ...(isSame ? [] : this.#news(ours.directory, own, false)),
    ];
  }

  #news(directory: string, disk: DiskStatus | undefined, isJournal: boolean): readonly Draft[] {
    if (disk === undefined) return [];
    const was = this.#low.get(directory) ?? false;
    this.#low.set(directory, disk.low);
    return disk.low && !was ? [draftOf(directory, disk, isJournal)] : [];
  }
}

interface Seen {
  readonly directory: string;
  readonly disk: DiskStatus | undefined;
}

const MIB = 1_048_576;

function draftOf(directory: string, disk: DiskStatus, isJournal: boolean): Draft {
  const [free, size] = [disk.free_bytes / MIB, disk.size_bytes / MIB].map((each) => Math.floor(each));
  const then = isJournal
    ? 'When nothing is left, the journal cannot be written and nothing is connected any more; cutting still works.'
    : 'When nothing is left, windows cannot be recorded and restic has no cache.';
  return {
    type: 'portcullis.disk.low',
    severity: 'warning',
    link: null,
    window: null,
    title: `the disk of ${directory} runs low: ${free} MiB of ${size} MiB are left`,
    text: then,
    hint: `see what fills it (\`du -xh --max-depth=2 ${directory}\`, the system's log, restic's cache); the page on storage says how much each file may take`,
    data: { directory, free_bytes: disk.free_bytes, size_bytes: disk.size_bytes },
    repeats: null,
  };
}

/** What of this machine is asked. */
export interface RoomMachine {
  readonly programs: {
    readonly time: { readonly every: (ms: number, what: () => void) => () => void };
  };
  /** What the disk of a directory has left; missing: nobody looks. */
  readonly roomOf?: (directory: string) => Promise<Room>;
}

/** Looks at once and each minute until the returned function is called. */
export function watchRooms(
  config: Pick<Config, 'state_directory' | 'controller'>,
  client: Pick<InterlockClient, 'status'>,
  notices: { readonly tell: (draft: Draft) => void },
  { programs, roomOf }: RoomMachine,
): () => void {
  if (roomOf === undefined) return () => undefined;
  const { state_directory: theirs } = config;
  const { state_directory: ours } = config.controller;
  const rooms = new Rooms();
  const look = async (): Promise<void> => {
    // Whatever cannot be asked now is asked in a minute.
    const [said, room] = await Promise.all([
      client.status().catch(() => null),
      roomOf(ours).catch(() => null),
    ]);
    const seen = { directory: theirs, disk: said?.journal.disk };
    for (const draft of rooms.look(seen, { directory: ours, room })) notices.tell(draft);
  };
  void look();
  return programs.time.every(LOOK_EVERY_MS, () => void look());
}

/** One end for several watches. */
export const together =
  (...ends: readonly (() => void)[]) =>
  (): void => {
    for (const end of ends) end();
  };
