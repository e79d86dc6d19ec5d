/** A link in a virtual world: relays, wires, witnesses and supplies that can be wrong in every way, in virtual time. */
import type { Position } from '../../src/core/evidence.ts';
import { combine } from '../../src/core/evidence.ts';
import { millis, type Millis } from '../../src/core/time.ts';
import type { CommissioningHands } from '../../src/interlock/commissioning/hands.ts';
import type { LinkFacts } from '../../src/interlock/commissioning/facts.ts';
import type { Answer, Person, Progress, Question } from '../../src/interlock/commissioning/person.ts';

/** A relay in the path of the link. */
export interface Relay {
  /** Wired to NC: connected without power. */
  readonly normallyClosed?: boolean;
  /** Conducts whatever its coil says; so does a bypassed one. */
  readonly welded?: boolean;
  /** Never conducts. */
  readonly broken?: boolean;
  /** Conducts by itself when others were connected for so long and it was not, since all were isolated. */
  readonly backfedAfterMs?: number;
  /** Keeps its position without power. */
  readonly latching?: boolean;
}

/** A contact as configured: what it drives and what it reads. */
export interface Wire {
  readonly kind?: 'fail-safe' | 'holding';
  readonly supply?: string;
  /** Name of the relay that its command reaches; its own unless said otherwise. */
  readonly drives?: string;
  /** Name of the relay that its read-back looks at. */
  readonly reads?: string;
  readonly saysAlways?: Position;
  /** A board that never answers. */
  readonly mute?: boolean;
  /** Answers connect with a refusal. */
  readonly refuses?: boolean;
  readonly leaseMs?: number;
  /** The timer of the device: what is wrong with it. */
  readonly leaseFault?: 'never-ends' | 'not-renewable' | 'isolate-ignored' | 'comes-back' | 'unnoticed';
}

export interface Eye {
  readonly sees?: readonly string[];
  readonly inverted?: boolean;
  readonly frozen?: Position;
  readonly showsIsolation?: boolean;
  /** ms until it notices a path. */
  readonly lagMs?: number;
}

export interface Scene {
  readonly relays: Readonly<Record<string, Relay>>;
  readonly contacts: Readonly<Record<string, Wire>>;
  readonly witnesses?: Readonly<Record<string, Eye>>;
  readonly unattended?: boolean;
  readonly settings?: readonly string[];
  /** What the person does; pulls and restores as asked unless said otherwise. */
  readonly person?: (question: Question, world: VirtualWorld) => Answer | null;
  /** ms that a round of questions takes. */
  readonly lookTakesMs?: number;
  /** ms that the person takes for each answer. */
  readonly personTakesMs?: number;
}

interface RelayState {
  coil: boolean;
  leaseEndsAt: number | null;
  comesBackAt: number | null;
  powered: boolean;
  owed: boolean;
  /** Its timer ran out since it was last told anything. */
  lapsed: boolean;
  /** Energised since all were isolated. */
  wasDriven: boolean;
}

const READ_TAKES_MS = 20;

export class VirtualWorld implements CommissioningHands, Person {
  readonly scene: Scene;
  readonly link = 'vault';
  readonly told: Progress[] = [];
  /** Relays that were energised when a failure was told. */
  readonly energisedAtFailure: string[] = [];
  readonly questions: Question[] = [];
  /** Every command that reached a relay, with when. */
  readonly commands: { readonly at: number; readonly what: string }[] = [];
  /** ms for which the path was there. */
  connectedMs = 0;
  /** The session was ended from outside at this time. */
  endsAt = Number.POSITIVE_INFINITY;
  /** Calls that were made of dead hands and would have connected. */
  readonly afterEnd: string[] = [];
  #now = 1_000;
  #cutDone = false;
  #pathSince: number | null = null;
  /** Since when some relay has been energised. */
  #drivenSince: number | null = null;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  readonly #relays: Map<string, RelayState>;

  constructor(scene: Scene) {
    this.scene = scene;
    this.#relays = new Map(
      Object.keys(scene.relays).map((name) => [
        name,
        {
          coil: false,
          leaseEndsAt: null,
          comesBackAt: null,
          powered: true,
          owed: false,
          lapsed: false,
          wasDriven: false,
        },
      ]),
    );
  }

  facts(): LinkFacts {
    return {
      link: this.link,
      contacts: this.contacts.map(({ name, kind, hardwareLeaseMs }) => ({
        name,
        kind,
        hardwareLeaseMs,
        profile: 'test/relay',
        answers: this.scene.contacts[name]?.mute !== true,
        supply: this.scene.contacts[name]?.supply ?? 'the board',
      })),
      witnesses: Object.entries(this.scene.witnesses ?? {}).map(([name, eye]) => ({
        name,
        type: 'carrier',
        sees: eye.sees ?? null,
        showsIsolation: eye.showsIsolation ?? true,
      })),
      connectTimeoutMs: 5_000,
      isolateTimeoutMs: 2_000,
      simulated: this.scene.unattended ?? false,
      unattended: this.scene.unattended ?? false,
    };
  }

  get contacts(): CommissioningHands['contacts'] {
    return Object.entries(this.scene.contacts).map(([name, wire]) => ({
      name,
      kind: wire.kind ?? 'fail-safe',
      hardwareLeaseMs: wire.leaseMs ?? null,
    }));
  }

  now(): Millis {
    return millis(this.#now);
  }

  pause(ms: number): Promise<void> {
    return new Promise((wake) => {
      this.#sleepers.push({ at: this.#now + ms, wake });
    });
  }

  /** Runs `work` to its end, letting time pass whenever nothing else can happen. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const watched = work.finally(() => {
      isOver = true;
    });
    watched.catch(() => undefined);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isOver) return watched;
      const [next] = this.#sleepers.toSorted((a, b) => a.at - b.at);
      if (next === undefined) throw new Error('nothing happens any more, and the procedure has not ended');
      this.#sleepers = this.#sleepers.filter((each) => each !== next);
      this.#pass(next.at);
      next.wake();
    }
  }

  /** True while the path is really there. */
  isPath(): boolean {
    return Object.keys(this.scene.relays).every((name) => this.#conducts(name));
  }

  drivesAll(): boolean {
    return [...this.#relays.values()].every(({ coil }) => coil);
  }

  live(): boolean {
    if (this.#now < this.endsAt) return true;
    if (!this.#cutDone) {
      this.#cutDone = true;
      for (const state of this.#relays.values()) Object.assign(state, { coil: false, leaseEndsAt: null });
    }
    return false;
  }

  async connect(contact: string): ReturnType<CommissioningHands['connect']> {
    const commandedAt = this.now();
    await this.pause(READ_TAKES_MS);
    if (!this.live()) return { commandedAt, writtenMs: null, outcome: { kind: 'fenced' } };
    return { commandedAt, writtenMs: READ_TAKES_MS, outcome: this.#drive(contact, 'connect') };
  }

  async isolate(contact: string): ReturnType<CommissioningHands['isolate']> {
    if (!this.live()) return null;
    const commandedAt = this.now();
    const wire = this.#wire(contact);
    const { name, relay } = this.#driven(contact);
    if (relay.powered && wire.leaseFault !== 'isolate-ignored') {
      if (wire.leaseFault === 'comes-back') relay.comesBackAt = relay.leaseEndsAt;
      Object.assign(relay, { coil: false, leaseEndsAt: null, lapsed: false });
    }
    // An isolate of a board without power is owed until it has some.
    if (!relay.powered) relay.owed = true;
    this.commands.push({ at: this.#now, what: `isolate ${name}` });
    return {
      commandedAt,
      writtenMs: 1,
      acknowledged: Promise.resolve({ kind: 'done', at: millis(commandedAt + 5) }),
    };
  }

  async renewHardware(contact: string): ReturnType<CommissioningHands['renewHardware']> {
    await this.pause(5);
    if (!this.live() || !this.#driven(contact).relay.powered) return { kind: 'fenced' };
    return this.#drive(contact, 'renew');
  }

  async look(): ReturnType<CommissioningHands['look']> {
    const takenAt = this.now();
    const contacts = this.contacts.map(({ name, kind }) => ({
      kind: 'contact' as const,
      name,
      type: kind as string,
      reading: { position: this.#says(name), takenAt, detail: 'virtual' },
    }));
    const witnesses = Object.entries(this.scene.witnesses ?? {}).map(([name, eye]) => ({
      kind: 'witness' as const,
      name,
      type: 'carrier',
      reading: { position: this.#seen(eye), takenAt, detail: 'virtual' },
    }));
    await this.pause(this.scene.lookTakesMs ?? READ_TAKES_MS);
    return { evidence: combine([]), indicators: [...contacts, ...witnesses] };
  }

  settingsProblems(): Promise<readonly string[]> {
    return Promise.resolve(this.scene.settings ?? []);
  }

  async ask(question: Question): Promise<Answer> {
    this.questions.push(question);
    await this.pause(this.scene.personTakesMs ?? 2_000);
    const said = this.scene.person?.(question, this) ?? null;
    if (said !== null) return said;
    if (question.kind === 'is-it-dark') return this.isPath() ? 'no' : 'yes';
    this.power(question.about, question.kind === 'restore-supply');
    return 'done';
  }

  tell(progress: Progress): void {
    if (progress.event === 'result' && progress.result.verdict === 'failed')
      for (const [name, { coil }] of this.#relays) if (coil) this.energisedAtFailure.push(name);
    this.told.push(progress);
  }

  /** Gives a supply its power, or takes it. */
  power(supply: string, on: boolean): void {
    for (const [name, { supply: own = 'the board', drives = name }] of Object.entries(this.scene.contacts)) {
      const relay = this.#relays.get(drives);
      if (own !== supply || relay === undefined) continue;
      relay.powered = on;
      if (this.scene.relays[drives]?.latching !== true) relay.coil = false;
      relay.leaseEndsAt = null;
      if (on && relay.owed) relay.coil = false;
      relay.owed = relay.owed && !on;
    }
  }

  #drive(contact: string, what: 'connect' | 'renew') {
    const wire = this.#wire(contact);
    if (wire.refuses === true) return { kind: 'refused', why: 'exception 4' } as const;
    const { name, relay } = this.#driven(contact);
    if (!relay.powered) return { kind: 'unknown', why: 'no answer' } as const;
    this.commands.push({ at: this.#now, what: `${what} ${name}` });
    if (this.#now >= this.endsAt) this.afterEnd.push(name);
    relay.coil = true;
    relay.lapsed = false;
    if (wire.mute === true) return { kind: 'unknown', why: 'this board never answers' } as const;
    const extendable = wire.leaseFault !== 'not-renewable' || relay.leaseEndsAt === null;
    if (wire.leaseMs !== undefined && wire.leaseFault !== 'never-ends' && extendable)
      relay.leaseEndsAt = this.#now + wire.leaseMs;
    return { kind: 'done', at: this.now() } as const;
  }

  /** Lets time pass, in which timers of the devices run out. */
  #pass(until: number): void {
    const moments = [...this.#relays.values()]
      .flatMap(({ leaseEndsAt, comesBackAt }) => [leaseEndsAt, comesBackAt])
      .filter((at) => at !== null && at > this.#now && at <= until) as number[];
    for (const at of [...moments.toSorted((a, b) => a - b), until]) {
      if (this.isPath()) this.connectedMs += at - this.#now;
      this.#now = at;
      for (const relay of this.#relays.values()) {
        if (relay.leaseEndsAt !== null && relay.leaseEndsAt <= at)
          Object.assign(relay, { coil: false, leaseEndsAt: null, lapsed: true });
        if (relay.comesBackAt !== null && relay.comesBackAt <= at)
          Object.assign(relay, { coil: true, comesBackAt: null });
      }
      const coils = [...this.#relays.values()].filter(({ coil }) => coil);
      this.#drivenSince = coils.length === 0 ? null : (this.#drivenSince ?? at);
      for (const relay of this.#relays.values())
        relay.wasDriven = coils.length > 0 && (relay.wasDriven || relay.coil);
      this.#pathSince = this.isPath() ? (this.#pathSince ?? at) : null;
    }
  }

  #conducts(name: string): boolean {
    const relay = this.#relays.get(name);
    const {
      normallyClosed = false,
      welded = false,
      broken = false,
      latching = false,
    } = this.scene.relays[name] ?? {};
    if (welded) return true;
    const { backfedAfterMs } = this.scene.relays[name] ?? {};
    if (backfedAfterMs !== undefined && relay?.wasDriven === false && this.#drivenSince !== null)
      return this.#now - this.#drivenSince >= backfedAfterMs;
    if (broken || relay === undefined) return false;
    const energised = relay.coil && (relay.powered || latching);
    return energised !== normallyClosed;
  }

  #says(contact: string): Position {
    const wire = this.#wire(contact);
    const relay = this.#relays.get(wire.reads ?? wire.drives ?? contact);
    if (relay === undefined || !relay.powered || wire.mute === true) return 'unknown';
    if (wire.leaseFault === 'unnoticed' && relay.lapsed) return 'connected';
    return wire.saysAlways ?? (relay.coil ? 'connected' : 'isolated');
  }

  #seen({ sees, inverted = false, frozen, showsIsolation = true, lagMs = 0 }: Eye): Position {
    if (frozen !== undefined) return frozen;
    const whole = sees === undefined;
    const since = this.#pathSince;
    const path = whole
      ? this.isPath() && (lagMs === 0 || (since !== null && this.#now - since >= lagMs))
      : sees.every((name) => this.#conducts(name));
    if (!path && !showsIsolation) return 'unknown';
    return path !== inverted ? 'connected' : 'isolated';
  }

  #wire(contact: string): Wire {
    const wire = this.scene.contacts[contact];
    if (wire === undefined) throw new TypeError(`no contact ${contact}`);
    return wire;
  }

  #driven(contact: string): { readonly name: string; readonly relay: RelayState } {
    const name = this.#wire(contact).drives ?? contact;
    const relay = this.#relays.get(name);
    if (relay === undefined) throw new TypeError(`no relay ${name}`);
    return { name, relay };
  }
}
