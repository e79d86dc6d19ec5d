import type { Reading } from '../../core/evidence.ts';
import type { Contact, CommandOutcome, Fence, IsolateReceipt, Witness } from '../port.ts';
import type { Timers } from '../timers.ts';
import { quoted } from './printed.ts';
import type { ConsoleWorker } from './worker.ts';

/** A port of a switch, on its console. */
export interface ConsolePortParts {
  readonly name: string;
  readonly worker: ConsoleWorker;
  /** As the switch prints it. */
  readonly port: string;
  readonly timers: Timers;
}

/**
 * One port of a managed switch. It keeps its state without us, and what it reads is the switch's own word. Ports of one
 * console are cut one after the other, each in one write: consoles have no line that shuts several.
 */
export class ConsoleContact implements Contact {
  readonly name: string;
  readonly kind = 'holding';
  readonly hardwareLeaseMs = null;
  readonly #worker: ConsoleWorker;
  readonly #port: string;
  readonly #timers: Timers;

  constructor(parts: ConsolePortParts) {
    this.name = parts.name;
    this.#worker = parts.worker;
    this.#port = parts.port;
    this.#timers = parts.timers;
    parts.worker.attach(parts.port);
  }

  connect(fence: Fence): Promise<CommandOutcome> {
    return this.#worker.connect(this.#port, fence);
  }

  isolate(): IsolateReceipt {
    return this.#worker.isolate(this.#port);
  }

  read(): Promise<Reading> {
    return portReading(this.#worker, 'administrative', this.#port, this.#timers);
  }

  /** The privileges of the session show in the reading; the stored configuration must have the port shut. */
  async settingsProblems(): Promise<readonly string[]> {
    const port = `port ${this.#port}`;
    const stands = await this.#worker.ask('administrative', this.#port);
    if (stands.kind !== 'answer') return [`${port} could not be read: ${stands.why}`];
    const { answer } = stands;
    if (answer.kind === 'absent') return [`${port}: ${answer.why}; correct "port" of the contact`];
    if (answer.kind === 'unknown') return [`${port} could not be read: ${answer.why}`];
    if (this.#worker.device.stored === undefined) return [];
    const stored = await this.#worker.ask('stored', this.#port);
    if (stored.kind !== 'answer')
      return [`the stored configuration of ${port} could not be read: ${stored.why}`];
    switch (stored.answer.kind) {
      case 'isolated':
        return [];
      case 'unknown':
        return [`the stored configuration of ${port} could not be read: ${stored.answer.why}`];
      case 'connected':
      case 'absent': {
        const why = stored.answer.kind === 'absent' ? stored.answer.why : stored.answer.line;
        return [
          `after a restart of the switch ${port} would be connected (${why}); shut it by hand and store that, while nothing else is unsaved`,
        ];
      }
    }
  }

  async close(): Promise<void> {
    await this.#worker.detach(this.#port);
  }
}

/** Whether the port carries a link, as the switch says: independent of what we told it, though through the same console. */
export class ConsoleWitness implements Witness {
  readonly name: string;
  readonly type = 'console';
  readonly #worker: ConsoleWorker;
  readonly #port: string;
  readonly #timers: Timers;
  #closed = false;

  constructor(parts: ConsolePortParts) {
    this.name = parts.name;
    this.#worker = parts.worker;
    this.#port = parts.port;
    this.#timers = parts.timers;
    parts.worker.retain();
  }

  async read(): Promise<Reading> {
    const reading = await portReading(this.#worker, 'operational', this.#port, this.#timers);
    return { ...reading, detail: `${reading.detail}; the switch may show this late` };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#worker.release();
  }
}

async function portReading(
  worker: ConsoleWorker,
  asked: 'administrative' | 'operational',
  port: string,
  timers: Timers,
): Promise<Reading> {
  const answer = await worker.ask(asked, port);
  if (answer.kind !== 'answer') return { position: 'unknown', takenAt: timers.now(), detail: answer.why };
  const said = answer.answer;
  const takenAt = answer.askedAt;
  switch (said.kind) {
    case 'isolated':
    case 'connected':
      return { position: said.kind, takenAt, detail: `the switch says ${quoted(said.line)}` };
    case 'absent':
    case 'unknown':
      return { position: 'unknown', takenAt, detail: said.why };
  }
}
