import type { Reading } from '../../core/evidence.ts';
import type { Bus } from '../bus.ts';
import type { CutGroup, GroupedContact } from '../cut.ts';
import type { Channel, Exchange } from '../exchange.ts';
import type { CommandOutcome, Fence, IsolateReceipt } from '../port.ts';
import type { Timers } from '../timers.ts';
import type { Agent, Port, Switching } from './agent.ts';

/** The bus of one agent, and how often each of its channels was cut. */
export class AgentGroup implements CutGroup {
  readonly bus: Bus;
  readonly agent: Agent;
  readonly #cuts = new WeakMap<Channel, number>();

  constructor(bus: Bus, agent: Agent) {
    this.bus = bus;
    this.agent = agent;
  }

  isolate(channels: readonly Channel[]): readonly IsolateReceipt[] {
    for (const channel of channels) this.#cuts.set(channel, this.cuts(channel) + 1);
    return this.bus.isolate(channels);
  }

  /** Cuts of the channel so far. */
  cuts(channel: Channel): number {
    return this.#cuts.get(channel) ?? 0;
  }
}

/** What an SNMP contact is made of. */
export interface SnmpContactParts {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  readonly group: AgentGroup;
  readonly port: Port;
  readonly switching: Switching;
  readonly timers: Timers;
}

/** One port of a managed switch. It keeps its state without us, and what it reads is the switch's own word. */
export class SnmpContact implements GroupedContact {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  readonly hardwareLeaseMs = null;
  readonly group: AgentGroup;
  readonly channel: Channel;
  readonly #parts: SnmpContactParts;
  readonly #reading: Exchange<number>;

  constructor(parts: SnmpContactParts) {
    this.name = parts.name;
    this.kind = parts.kind;
    this.group = parts.group;
    this.#parts = parts;
    const { agent, bus } = parts.group;
    this.#reading = agent.reading(parts.port, parts.switching.object);
    this.channel = {
      name: parts.name,
      board: agent.board,
      connect: agent.connecting(parts.port, parts.switching),
      isolate: agent.isolating(parts.port, parts.switching),
      probe: this.#reading,
    };
    bus.attach(this.channel);
  }

  /** Reads first: the index must bear our name just now. */
  async connect(fence: Fence): Promise<CommandOutcome> {
    const { bus } = this.group;
    const cuts = this.group.cuts(this.channel);
    const answer = await bus.ask(this.#reading);
    if (!fence.isCurrent() || this.group.cuts(this.channel) !== cuts) return { kind: 'fenced' };
    if (answer.kind === 'unknown') return { kind: 'unknown', why: `not written: ${answer.why}` };
    if (answer.kind === 'refused') return answer;
    return bus.connect(this.channel, fence);
  }

  isolate(): IsolateReceipt {
    const [receipt] = this.group.isolate([this.channel]);
    if (receipt === undefined) throw new Error('a bus returned no receipt for an isolate');
    return receipt;
  }

  async read(): Promise<Reading> {
    const { switching, timers, port } = this.#parts;
    const answer = await this.group.bus.ask(this.#reading);
    if (answer.kind !== 'answer') return { position: 'unknown', takenAt: timers.now(), detail: answer.why };
    const value = answer.answer;
    const takenAt = answer.askedAt;
    const told = `${port.label} is set to ${value} (the switch's own word)`;
    if (value === switching.connect) return { position: 'connected', takenAt, detail: told };
    if (value === switching.isolate) return { position: 'isolated', takenAt, detail: told };
    return { position: 'unknown', takenAt, detail: `${told}, which is neither connected nor isolated` };
  }

  async settingsProblems(): Promise<readonly string[]> {
    const answer = await this.group.bus.ask(this.#reading);
    if (answer.kind === 'answer') return [];
    return [`${this.#parts.port.label} could not be read: ${answer.why}`];
  }

  async close(): Promise<void> {
    this.group.bus.detach(this.channel);
    this.group.agent.release(this.#parts.port);
  }
}
