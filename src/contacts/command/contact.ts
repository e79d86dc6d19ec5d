import type { Reading } from '../../core/evidence.ts';
import type { CommandOutcome, Contact, Fence, IsolateReceipt } from '../port.ts';
import { bears, endText, type Sign } from './meaning.ts';
import type { Call, CommandWorker, Report, Switch } from './worker.ts';

/** What a command contact is made of. */
export interface CommandContactParts {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  readonly worker: CommandWorker;
  readonly calls: Switch;
  readonly read: Call & { readonly connected: Sign; readonly isolated: Sign };
}

/** A contact moved by programs of this machine. What it reads is what a program says. */
export class CommandContact implements Contact {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  readonly hardwareLeaseMs = null;
  readonly #parts: CommandContactParts;

  constructor(parts: CommandContactParts) {
    this.name = parts.name;
    this.kind = parts.kind;
    this.#parts = parts;
    parts.worker.attach(parts.calls);
  }

  connect(fence: Fence): Promise<CommandOutcome> {
    return this.#parts.worker.connect(this.#parts.calls, fence);
  }

  isolate(): IsolateReceipt {
    return this.#parts.worker.isolate(this.#parts.calls);
  }

  async read(): Promise<Reading> {
    const { ended, startedAt: takenAt } = await this.#report();
    const { connected, isolated } = this.#parts.read;
    const detail = this.#said(endText(ended));
    const saysConnected = bears(ended, connected);
    const saysIsolated = bears(ended, isolated);
    if (saysConnected && saysIsolated)
      return { position: 'unknown', takenAt, detail: `${detail}, which means both` };
    if (saysConnected) return { position: 'connected', takenAt, detail };
    return { position: saysIsolated ? 'isolated' : 'unknown', takenAt, detail };
  }

  async settingsProblems(): Promise<readonly string[]> {
    const { position, detail } = await this.read();
    return position === 'unknown' ? [`the position could not be read: ${detail}`] : [];
  }

  async close(): Promise<void> {
    this.#parts.worker.detach(this.#parts.calls);
  }

  #report(): Promise<Report> {
    return this.#parts.worker.read(this.#parts.calls, this.#parts.read);
  }

  #said(text: string): string {
    return `${this.#parts.read.argv[0]?.slice(0, 60) ?? 'nothing'}: ${text}`;
  }
}
