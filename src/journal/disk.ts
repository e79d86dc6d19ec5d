/** The few file operations that the journal and the latch are allowed; small, so that a test can make the n-th one fail. */
import { mkdir, open, readFile, readdir, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** An open file to which bytes are appended. */
export interface AppendFile {
  /** Appends all of `bytes` or throws; after a throw an unknown part may have been written. */
  append(bytes: Uint8Array): Promise<void>;
  /** Returns once everything appended so far survives power loss. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  /** Whole content, or `null` when there is no such file. Other failures throw. */
  read(path: string): Promise<Uint8Array | null>;
  list(directory: string): Promise<readonly string[]>;
  openAppend(path: string): Promise<AppendFile>;
  /** Writes a file so that after power loss either the old or the new content stands (write, sync, rename, sync directory). */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in a directory survive power loss. */
  syncDirectory(directory: string): Promise<void>;
  /** Makes a directory and its parents where they are missing, with mode 0750. */
  makeDirectory(directory: string): Promise<void>;
}

const missing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The real disk. Files are created with mode 0640. */
export const nodeDisk: Disk = {
  async read(path) {
    try {
      return await readFile(path);
    } catch (error) {
      if (missing(error)) return null;
      throw error;
    }
  },
  list: (directory) => readdir(directory),
  async openAppend(path) {
    const handle = await open(path, 'a', 0o640);
    return {
      append: (bytes) => handle.appendFile(bytes),
      sync: () => handle.datasync(),
      truncate: (size) => handle.truncate(size),
      close: () => handle.close(),
    };
  },
  async replace(path, bytes) {
    const draft = `${path}.new`;
    const handle = await open(draft, 'w', 0o640);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
    await syncDirectory(dirname(path));
  },
  async remove(path) {
    await unlink(path);
    await syncDirectory(dirname(path));
  },
  syncDirectory,
  async makeDirectory(directory) {
    await mkdir(directory, { recursive: true, mode: 0o750 });
  },
};
