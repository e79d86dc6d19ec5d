/** ms that a look at the file system may take; a healthy sysfs or device node answers in microseconds. */
export const FILE_TIMEOUT_MS = 1000;
/** Looks that may hang at once. The process has four threads for files; a hung disk must not take them all. */
const MAX_HANGING = 2;

/** A look at the file system took too long, or too many already hang. */
export class FileTimeout extends Error {
  override readonly name = 'FileTimeout';
}

/** Bounds looks at the file system, all together: a hung device costs at most two threads and never the event loop. */
export class FileReads {
  readonly #timeoutMs: number;
  #hanging = 0;

  constructor(timeoutMs: number = FILE_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
  }

  /** Runs `look`; rejects with FileTimeout after the time-out, or at once when too many earlier looks still hang. */
  async run<T>(look: () => Promise<T>): Promise<T> {
    if (this.#hanging >= MAX_HANGING) throw new FileTimeout('earlier looks at the file system still hang');
    let late = false;
    const { promise: limit, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late = true;
      this.#hanging += 1;
      reject(new FileTimeout(`no answer from the file system within ${this.#timeoutMs} ms`));
    }, this.#timeoutMs);
    const looked = look().finally(() => {
      clearTimeout(timer);
      if (late) this.#hanging -= 1;
    });
    return await Promise.race([looked, limit]);
  }
}
