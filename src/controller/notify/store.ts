/**
 * The queues and what was told, in one small file that is replaced as a whole: after a power cut either the old or the new
 * one stands, never a notice without the memory of it. A disk that cannot be written stops no delivery; what then dies with
 * this program is told again or not at all, and that the disk fails is said.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { own } from '../../core/names.ts';
import type { Disk } from '../../journal/disk.ts';
import { told, type Told } from './news.ts';
import { EMPTY_QUEUE, queue, type Queue } from './queue.ts';

const FILE = 'notices.json';
const KEPT_ASIDE = 'notices.json.unreadable';

const fileShape = z.strictObject({
  format: z.literal(1),
  told,
  queues: z.record(z.string(), queue),
});

/** What is kept. Changes show at once and are written in the background, the newest state only. */
export interface Store {
  readonly told: Told;
  queueOf(name: string): Queue;
  /** Changes one queue. */
  put(name: string, next: Queue): void;
  tell(next: Told): void;
  /** Resolves when everything changed so far is on disk, or writing it failed. */
  settled(): Promise<void>;
  /** Why the disk does not take it; null while it does. */
  problem(): string | null;
}

/** Reads the file in `directory`. One that cannot be understood is kept aside, and `complain` hears of it. */
export async function openStore(
  disk: Disk,
  directory: string,
  names: readonly string[],
  complain: (text: string) => void,
): Promise<Store> {
  const path = join(directory, FILE);
  const found = await readFile(disk, path, join(directory, KEPT_ASIDE), complain);
  const queues = new Map(names.map((name) => [name, own(found.queues, name) ?? EMPTY_QUEUE]));
  for (const [name, { waiting }] of Object.entries(found.queues))
    if (!queues.has(name) && waiting.length > 0) complain(unnamed(name, waiting.length));

  let memory = found.told;
  let isDirty = false;
  let problem: string | null = null;
  let writing: Promise<void> | null = null;
  const write = async (): Promise<void> => {
    while (isDirty) {
      isDirty = false;
      const file = { format: 1, told: memory, queues: Object.fromEntries(queues) };
      try {
        // oxlint-disable-next-line no-await-in-loop -- the newest state after the one before
        await disk.replace(path, new TextEncoder().encode(`${JSON.stringify(file)}\n`));
        problem = null;
      } catch (error) {
        const why = codeOf(error);
        if (problem === null)
          complain(`waiting notices cannot be written to ${path} (${why}) and would not survive a restart`);
        problem = why;
      }
    }
    writing = null;
  };
  const change = (): void => {
    isDirty = true;
    writing ??= write();
  };
  return {
    get told() {
      return memory;
    },
    queueOf: (name) => queues.get(name) ?? EMPTY_QUEUE,
    put(name, next) {
      queues.set(name, next);
      change();
    },
    tell(next) {
      if (JSON.stringify(next) === JSON.stringify(memory)) return;
      memory = next;
      change();
    },
    settled: async () => {
      if (problem !== null) change();
      await writing;
    },
    problem: () => problem,
  };
}

const unnamed = (name: string, count: number): string =>
  `${count} notices for ${name} are dropped: the configuration does not name it any more`;

type File = Pick<z.output<typeof fileShape>, 'told' | 'queues'>;

async function readFile(
  disk: Disk,
  path: string,
  aside: string,
  complain: (text: string) => void,
): Promise<File> {
  try {
    const bytes = await disk.read(path);
    if (bytes === null) return { told: {}, queues: {} };
    const file = understood(bytes);
    if (file !== null) return file;
    complain(`${path} cannot be understood: notices that waited in it are not sent; it is kept as ${aside}`);
    await disk.replace(aside, bytes);
  } catch (error) {
    complain(
      `${path} cannot be read or put aside (${codeOf(error)}): notices that waited in it are not sent`,
    );
  }
  return { told: {}, queues: {} };
}

function understood(bytes: Uint8Array): File | null {
  try {
    const parsed = fileShape.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return parsed.success ? parsed.data : null;
  } catch {
    return null; // not JSON: the caller puts it aside
  }
}

/** The code of a failed file operation. Anything without one is a broken invariant and travels on. */
function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') throw error;
  return code;
}
