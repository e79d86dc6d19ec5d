/** Proofs of the journal, one at a time, in a thread of their own: a million entries must not delay anything. */
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { Verification } from '../documents/journal.ts';
import { ApiRefusal } from '../routes/refusal.ts';

/** A proof that says nothing for this long is given up, ms. */
const SILENCE_MS = 60_000;

const NOTE =
  'Shows that no entry was changed, removed or re-ordered in what the interlock gave. A cut-off end or a rewrite of the whole shows only against a signed head that was kept elsewhere; `portcullis journal verify` on the box reads the files themselves.';

/** What the thread is told. */
export interface VerificationTask {
  readonly socketPath: string;
  readonly build: string;
  /** A signed head to compare with, and the key it is checked by. */
  readonly head: string | null;
  /** Text of the verification key; null when it is not known. */
  readonly vkey: string | null;
}

/** What the thread says. */
export const verificationWord = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), entries: z.number(), of: z.number() }),
  z.object({
    kind: z.literal('over'),
    ok: z.boolean(),
    entries: z.number(),
    head: z.object({ size: z.number(), hash: z.string() }),
    problems: z.array(z.string()),
  }),
  z.object({ kind: z.literal('failed'), why: z.string() }),
]);
export type VerificationWord = z.infer<typeof verificationWord>;

/** The proofs of one controller. */
export class Verifications {
  readonly #task: () => Omit<VerificationTask, 'head'>;
  readonly #ended: (result: Verification) => void;
  #shown: Verification | null = null;
  #worker: Worker | null = null;
  #silence: NodeJS.Timeout | undefined;
  /** What the proof under way is compared with. */
  #head: string | null = null;

  constructor(task: () => Omit<VerificationTask, 'head'>, ended: (result: Verification) => void) {
    this.#task = task;
    this.#ended = ended;
  }

  show(): Verification | null {
    return this.#shown;
  }

  /** Begins a proof, or shows the one that is under way. Throws `ApiRefusal` when that one does not look at this head. */
  begin(by: string, head: string | null): Verification {
    if (this.#shown?.state === 'running') {
      if (head === null || head === this.#head) return this.#shown;
      throw new ApiRefusal(
        409,
        'verification-running',
        'a proof is under way that does not look at this head',
        'ask again when it is over',
        2_000,
      );
    }
    this.#head = head;
    const began: Verification = {
      state: 'running',
      by,
      began_at: new Date().toISOString(),
      ended_at: null,
      entries: 0,
      of: 0,
      head: null,
      problems: [],
      note: NOTE,
    };
    this.#shown = began;
    const file = import.meta.url.endsWith('.ts') ? './verification-thread.ts' : './verification-thread.js';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: { ...this.#task(), head } });
    this.#worker = worker;
    this.#silence = setTimeout(() => this.#fail('the interlock gave nothing more'), SILENCE_MS);
    // A thread that was ended says so later, when the next one may be at work.
    const isOurs = (): boolean => this.#worker === worker;
    worker.on('message', (said: unknown) => {
      if (isOurs()) this.#heard(verificationWord.parse(said));
    });
    worker.on('error', (error: unknown) => {
      if (isOurs()) this.#fail(String(error));
    });
    worker.on('exit', () => {
      if (isOurs()) this.#fail('the proof ended without a word');
    });
    return began;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#silence);
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  #heard(said: VerificationWord): void {
    this.#silence?.refresh();
    switch (said.kind) {
      case 'progress':
        if (this.#shown !== null) this.#shown = { ...this.#shown, entries: said.entries, of: said.of };
        return;
      case 'over': {
        const { entries, head, problems, ok } = said;
        this.#end({ state: ok ? 'verified' : 'broken', entries, of: head.size, head, problems });
        return;
      }
      case 'failed':
        this.#fail(said.why);
        return;
    }
  }

  #fail(why: string): void {
    this.#end({ state: 'failed', problems: [why.slice(0, 500)] });
  }

  #end(result: Partial<Verification> & Pick<Verification, 'state'>): void {
    if (this.#shown === null || this.#shown.state !== 'running') return;
    this.#shown = { ...this.#shown, ...result, ended_at: new Date().toISOString() };
    clearTimeout(this.#silence);
    const worker = this.#worker;
    this.#worker = null;
    void worker?.terminate();
    this.#ended(this.#shown);
  }
}
