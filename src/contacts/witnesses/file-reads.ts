/** ms that a look at the file system may take, waiting included; a healthy sysfs or device node answers in microseconds. */
export const FILE_TIMEOUT_MS = 1000;
/** Looks at a time. The process has four threads for files and names; hung disks must not take them all. */
const MAX_AT_ONCE = 2;

/** A look at the file system took too long, or those before it did. */
export class FileTimeout extends Error {
  override readonly name = 'FileTimeout';
}

/** Bounds looks at the file system, all together: a hung device costs at most two threads and never the event loop. */
export class FileReads {
  readonly #timeoutMs: number;
  #waiting: (() => void)[] = [];
  #free = MAX_AT_ONCE;

  constructor(timeoutMs: number = FILE_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
  }

  /** Runs `look` when its turn comes; rejects with FileTimeout when it has not ended within the time-out. */
  run<T>(look: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        this.#free -= 1;
        const looked = look();
        // A look that hangs keeps its place until it ends, however long that takes.
        void looked.then(resolve, reject).finally(() => {
          clearTimeout(limit);
          this.#free += 1;
          this.#waiting.shift()?.();
        });
      };
      const limit = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== begin);
        reject(new FileTimeout(`no answer from the file system within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      if (this.#free > 0) begin();
      else this.#waiting.push(begin);
    });
  }
}
