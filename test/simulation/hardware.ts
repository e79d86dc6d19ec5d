/** What hangs on the box: contacts that move or do not, cables, witnesses that see or do not. It outlives every process. */
import type { Position } from '../../src/core/evidence.ts';
import type { Policy } from '../../src/core/link.ts';
import type { VirtualTime } from './virtual-time.ts';

export type ContactFault =
  /** Frames do not arrive. */
  | 'deaf'
  /** Frames are obeyed, answers do not come back. */
  | 'mute'
  /** Frames and answers are lost now and then. */
  | 'lossy'
  /** Frames arrive seconds later: a connect may come after the isolate that followed it. */
  | 'late'
  /** Nothing can be written. */
  | 'no-wire'
  /** Does not let go any more. */
  | 'welded'
  /** Does not pull any more. */
  | 'dead-coil'
  /** Reads isolated whatever it is. */
  | 'lying-isolated'
  /** Reads connected whatever it is. */
  | 'lying-connected'
  | 'unreadable'
  /** A question gets no answer until this is over. */
  | 'hanging';

export const CONTACT_FAULTS: readonly ContactFault[] = [
  'deaf',
  'mute',
  'lossy',
  'late',
  'no-wire',
  'welded',
  'dead-coil',
  'lying-isolated',
  'lying-connected',
  'unreadable',
  'hanging',
];

export type WitnessFault = 'lying-isolated' | 'lying-connected' | 'unreadable' | 'hanging';
export const WITNESS_FAULTS: readonly WitnessFault[] = [
  'lying-isolated',
  'lying-connected',
  'unreadable',
  'hanging',
];

export interface ContactNature {
  readonly name: string;
  readonly kind: 'fail-safe' | 'holding';
  /** Whether it reports where it is, or only what it was told. */
  readonly reads: 'measured' | 'told';
  readonly hardwareLeaseMs: number | null;
}

/** A contact as it is, whoever believes what. */
export class PhysicalContact {
  readonly nature: ContactNature;
  position: 'connected' | 'isolated' = 'isolated';
  readonly faults = new Set<ContactFault>();
  settingsWrong = false;
  #told: 'connected' | 'isolated' = 'isolated';
  #forgetLease: () => void = () => undefined;
  readonly #time: VirtualTime;

  constructor(nature: ContactNature, time: VirtualTime) {
    this.nature = nature;
    this.#time = time;
  }

  /** A command arrived. */
  obey(command: 'connected' | 'isolated'): void {
    this.#told = command;
    this.#forgetLease();
    this.#move(command);
    if (command !== 'connected' || this.nature.hardwareLeaseMs === null) return;
    this.#forgetLease = this.#time.after(this.nature.hardwareLeaseMs, () => this.obey('isolated'));
  }

  /** A hand on the relay, a ghost in the coil: it moves and nobody told it to. */
  push(): void {
    this.#move('connected');
  }

  /** The board starts anew, or is without power for a moment. */
  restart(): void {
    if (this.nature.kind === 'fail-safe') this.obey('isolated');
  }

  /** What it answers when asked. */
  answer(): Position {
    if (this.faults.has('lying-isolated')) return 'isolated';
    if (this.faults.has('lying-connected')) return 'connected';
    if (this.faults.has('unreadable')) return 'unknown';
    return this.nature.reads === 'measured' ? this.position : this.#told;
  }

  #move(to: 'connected' | 'isolated'): void {
    if (!this.faults.has(to === 'connected' ? 'dead-coil' : 'welded')) this.position = to;
  }
}

export interface WitnessNature {
  readonly name: string;
  /** `both`: carrier. The others answer only when they see, or only when they see nothing. */
  readonly sees: 'both' | 'connected' | 'isolated';
  /** The contact it is wired to; null: it looks at the whole path. */
  readonly of: string | null;
}

/** Something beside the contacts that looks at the path. */
export class PhysicalWitness {
  readonly nature: WitnessNature;
  readonly faults = new Set<WitnessFault>();

  constructor(nature: WitnessNature) {
    this.nature = nature;
  }

  answer(link: PhysicalLink): Position {
    if (this.faults.has('lying-isolated')) return 'isolated';
    if (this.faults.has('lying-connected')) return 'connected';
    if (this.faults.has('unreadable')) return 'unknown';
    const truth = this.truth(link);
    return this.nature.sees === 'both' || this.nature.sees === truth ? truth : 'unknown';
  }

  /** Where what it looks at really is. */
  truth(link: PhysicalLink): 'connected' | 'isolated' {
    const contact = link.contacts.find(({ nature }) => nature.name === this.nature.of);
    return contact?.position ?? (link.connected ? 'connected' : 'isolated');
  }
}

/** One link of the world: contacts in series, a cable, witnesses. */
export class PhysicalLink {
  readonly name: string;
  readonly contacts: readonly PhysicalContact[];
  readonly witnesses: readonly PhysicalWitness[];
  readonly policy: Policy;
  readonly budgetMs: number;
  readonly proofMaxAgeMs: number;
  cableIn = true;

  constructor(
    name: string,
    contacts: readonly PhysicalContact[],
    witnesses: readonly PhysicalWitness[],
    policy: Policy,
    budgetMs: number,
    proofMaxAgeMs: number,
  ) {
    this.name = name;
    this.contacts = contacts;
    this.witnesses = witnesses;
    this.policy = policy;
    this.budgetMs = budgetMs;
    this.proofMaxAgeMs = proofMaxAgeMs;
  }

  /** The truth. */
  get connected(): boolean {
    return this.cableIn && this.contacts.every((each) => each.position === 'connected');
  }

  /** True while anything between a command and the path is not as it should be. */
  get faulty(): boolean {
    return this.contacts.some((each) => each.faults.size > 0) || !this.cableIn;
  }
}
