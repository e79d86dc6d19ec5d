/**
 * Looks now and then how much room the disk of the state directory has left, and tells when it runs low: long before the journal cannot be
 * written and nothing is connected any more. It refuses nothing by itself; cutting needs no disk.
 */
import { isLow, type Room } from '../core/room.ts';
import type { EntryInput } from '../journal/entry.ts';
import { roomOf } from '../journal/room.ts';
import type { DiskStatus } from '../protocol/journal-status.ts';
import type { Clock } from './clock.ts';

/** ms between looks. */
const LOOK_EVERY_MS = 60_000;

/** Knows how much room is left. */
export class DiskRoom {
  readonly #clock: Clock;
  readonly #look: () => Promise<Room>;
  #room: Room | null = null;
  #isLow = false;
  #isStopped = false;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, directory: string, look: () => Promise<Room> = () => roomOf(directory)) {
    this.#clock = clock;
    this.#look = look;
  }

  /** What was seen last; missing before the first look, and where it cannot be asked. */
  status(): DiskStatus | undefined {
    if (this.#room === null) return undefined;
    const { freeBytes: free_bytes, sizeBytes: size_bytes } = this.#room;
    return { free_bytes, size_bytes, low: this.#isLow };
  }

  /** Looks at once, and again and again until `stop`. `note` journals. */
  start(note: (entry: EntryInput) => void): void {
    void this.#again(note);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  async #again(note: (entry: EntryInput) => void): Promise<void> {
    // A disk that cannot be asked is no news: what cannot be written says so itself.
    this.#room = await this.#look().catch(() => null);
    if (this.#isStopped) return;
    if (this.#room !== null) this.#judge(this.#room, note);
    this.#cancel = this.#clock.after(LOOK_EVERY_MS, () => void this.#again(note));
  }

  #judge(room: Room, note: (entry: EntryInput) => void): void {
    const wasLow = this.#isLow;
    this.#isLow = isLow(room, wasLow);
    if (this.#isLow === wasLow) return;
    const data = { free_bytes: room.freeBytes, size_bytes: room.sizeBytes, free_files: room.freeFiles };
    note({ type: this.#isLow ? 'disk.low' : 'disk.enough', actor: 'interlock', data });
  }
}
