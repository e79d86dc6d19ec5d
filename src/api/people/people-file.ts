/**
 * People and tokens in one small file of the controller's state directory, mode 0600, replaced as a whole. The running
 * controller and `portcullis user` on the box write the same file: each change is made upon what stands there at that moment,
 * under a lock, and a controller looks at the file again before it believes what it remembers.
 *
 * A file that cannot be read lets nobody in and is never written over.
 */
import { chown, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { lockDirectory, type DirectoryLock } from '../../journal/lock.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { passwordHash } from './password.ts';
import { role, scope } from '../documents/people.ts';
import { ApiRefusal } from '../routes/refusal.ts';

const FILE = 'people.json';
/** The lock is a directory's: it gets one of its own. */
const LOCK_DIRECTORY = 'people.lock';
const MODE = 0o600;
/** The file is looked at again when this has passed, ms. */
const LOOK_AGAIN_MS = 500;
/** For what is not found: it may just have been made on the box. */
export const LOOK_CLOSELY_MS = 20;
const LOCK_TRIES = 100;
const LOCK_PAUSE_MS = 50;
export const MOST_PEOPLE = 200;
export const MOST_TOKENS = 500;

const keptPerson = z.strictObject({
  name: z.string(),
  role,
  password: passwordHash,
  created_at: z.string(),
  /** Changes with the password and the role: sessions that began under another one are over. */
  generation: z.string(),
});
export type KeptPerson = z.infer<typeof keptPerson>;

const keptToken = z.strictObject({
  id: z.string(),
  label: z.string(),
  scopes: z.array(scope),
  /** SHA-256 of the secret, hexadecimal. The secret has 256 random bits: nothing slower is needed. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  created_at: z.string(),
  created_by: z.string(),
  expires_at: z.string(),
});
export type KeptToken = z.infer<typeof keptToken>;

const peopleFile = z.strictObject({
  format: z.literal(1),
  people: z.array(keptPerson),
  tokens: z.array(keptToken),
});
export type PeopleContent = z.infer<typeof peopleFile>;

const EMPTY: PeopleContent = { format: 1, people: [], tokens: [] };

/** The file cannot be read or written. */
const unusable = (
  why: string,
  hint = 'restore people.json of the controller from a copy, or move it away to begin anew',
): ApiRefusal => new ApiRefusal(503, 'people-unreadable', why, hint);

/** What is kept of people and tokens. */
export class PeopleFile {
  readonly #path: string;
  readonly #lock: string;
  readonly #turned: (problem: string | null) => void;
  #content: PeopleContent = EMPTY;
  #problem: string | null = null;
  #mark = '';
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | null = null;

  /** `turned`: told when the file becomes unreadable, and when it can be read again (null). */
  constructor(stateDirectory: string, turned: (problem: string | null) => void = () => undefined) {
    this.#turned = turned;
    this.#path = join(stateDirectory, FILE);
    this.#lock = join(stateDirectory, LOCK_DIRECTORY);
  }

  /** As it was at the last look. */
  get known(): PeopleContent {
    return this.#content;
  }

  /** False until it was read once (a file that is not there has nobody in it): then nobody is known, and nobody is known to be missing. */
  get wasRead(): boolean {
    return this.#lookedAtMs !== Number.NEGATIVE_INFINITY;
  }

  /** What stands in the file, at most `oldestMs` old (half a second). Rejects with `ApiRefusal`. */
  async content(oldestMs = LOOK_AGAIN_MS): Promise<PeopleContent> {
    if (performance.now() - this.#lookedAtMs > oldestMs) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = null;
      });
      await this.#looking;
    }
    return this.#content;
  }

  /** Changes it: `next` gets what stands there now. Resolves once it survives power loss. What `next` throws is thrown. */
  async change(next: (from: PeopleContent) => PeopleContent): Promise<PeopleContent> {
    const lock = await this.#locked().catch(unwritable);
    try {
      await this.#look();
      const changed = next(this.#content);
      await replaceFile(this.#path, `${JSON.stringify(changed, null, 1)}\n`).catch(unwritable);
      this.#content = changed;
      this.#mark = await markOf(this.#path);
      return changed;
    } finally {
      await lock.release();
    }
  }

  async #look(): Promise<void> {
    try {
      const mark = await markOf(this.#path);
      if (mark !== this.#mark || mark === '') {
        this.#content = await readPeople(this.#path);
        this.#mark = mark;
      }
    } catch (error) {
      this.#turn(error instanceof Error ? error.message : String(error));
      throw error;
    }
    this.#turn(null);
    this.#lookedAtMs = performance.now();
  }

  #turn(problem: string | null): void {
    const isNews = (problem === null) !== (this.#problem === null);
    this.#problem = problem;
    if (isNews) this.#turned(problem);
  }

  /** The lock lies in a directory of whoever owns the state, also when root makes it. */
  async #lockOnce(): Promise<DirectoryLock> {
    const directory = dirname(this.#path);
    const { uid, gid } = await stat(directory).catch(() => {
      throw unusable(`the directory ${directory} is not there`, 'start the controller once: it makes it');
    });
    await mkdir(this.#lock, { mode: 0o700 }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
    if (process.getuid?.() === 0) await chown(this.#lock, uid, gid);
    return lockDirectory(this.#lock);
  }

  async #locked(): Promise<DirectoryLock> {
    for (let tries = 1; ; tries += 1) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- waits for its turn
        return await this.#lockOnce();
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'LockHeldError' || tries >= LOCK_TRIES) throw error;
        // oxlint-disable-next-line no-await-in-loop
        await pause(LOCK_PAUSE_MS);
      }
    }
  }
}

/** What the disk says, with a way out. */
function unwritable(error: unknown): never {
  if (error instanceof ApiRefusal) throw error;
  const why = error instanceof Error ? error.message : String(error);
  throw unusable(
    `accounts cannot be written: ${why}`,
    'on the box: run it as root, and look at the disk and the rights of the state_directory of the controller',
  );
}

/** Changes whenever the file was replaced; empty when there is none. */
async function markOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw unusable(`${path} cannot be read: ${String(error)}`);
  }
}

async function readPeople(path: string): Promise<PeopleContent> {
  try {
    return peopleFile.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY;
    const why = error instanceof z.ZodError ? 'it is not a file of people' : String(error).slice(0, 200);
    throw unusable(`${path} cannot be read: ${why}`);
  }
}

/** Old or new content, after power loss too; only its owner reads it, and root leaves it to whom the directory belongs. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  const directory = dirname(path);
  const handle = await open(draft, 'w', MODE);
  try {
    await handle.chmod(MODE);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  const { uid, gid } = await stat(directory);
  if (process.getuid?.() === 0) await chown(draft, uid, gid);
  await rename(draft, path);
  const place = await open(directory, 'r');
  try {
    await place.sync();
  } finally {
    await place.close();
  }
}
