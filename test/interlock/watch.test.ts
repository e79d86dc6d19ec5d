/** The loop that looks: what it asks, how often, and that nobody who hangs holds up the others. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { CommandOutcome, Contact, Fence, IsolateReceipt, Witness } from '../../src/contacts/port.ts';
import type { Reading } from '../../src/core/evidence.ts';
import type { Act, Conditions, Event, Policy } from '../../src/core/link.ts';
import { later, millis } from '../../src/core/time.ts';
import { type Hands, LinkShell } from '../../src/interlock/link-shell.ts';
import { ROUND_WAIT_MS, Watch } from '../../src/interlock/watch.ts';
import { settled, VirtualTime, ProcessClock } from '../simulation/virtual-time.ts';

const policy: Policy = {
  connectTimeoutMs: 10_000,
  isolateTimeoutMs: 2_000,
  leaseTimeoutMs: 3_000,
  commissioningMs: 60_000,
  evidenceMaxAgeMs: 6_000,
};
const ANSWER_MS = 5;

let time: VirtualTime;
let clock: ProcessClock;
let acts: Act['kind'][];
let entitled: Conditions;
let watch: Watch;

beforeEach(() => {
  time = new VirtualTime();
  clock = new ProcessClock(time, { offsetMs: 0 }, 0);
  acts = [];
  entitled = { failing: [], entitledUntil: millis(1e9), budgetLeftMs: 1e9 };
});

const pass = async (ms: number): Promise<void> => {
  await settled();
  const until = time.now + ms;
  while (await time.step(until));
};

/** Answers after `answerMs`, or never while it hangs. */
class Indicator implements Contact, Witness {
  readonly name: string;
  readonly type = 'test';
  readonly kind = 'fail-safe';
  readonly hardwareLeaseMs: number | null;
  position: Reading['position'] = 'isolated';
  answerMs = ANSWER_MS;
  asked: number[] = [];
  connects = 0;
  waiting = 0;
  mostWaiting = 0;
  #answer: Promise<void> | null = null;
  #release: () => void = () => undefined;

  constructor(name: string, hardwareLeaseMs: number | null = null) {
    this.name = name;
    this.hardwareLeaseMs = hardwareLeaseMs;
  }

  hang(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#answer = promise;
    this.#release = resolve;
  }

  answerAgain(): void {
    this.#answer = null;
    this.#release();
  }

  async read(): Promise<Reading> {
    const takenAt = clock.now();
    this.asked.push(takenAt);
    this.waiting += 1;
    this.mostWaiting = Math.max(this.mostWaiting, this.waiting);
    await (this.#answer ?? clock.pause(this.answerMs));
    this.waiting -= 1;
    return { position: this.position, takenAt, detail: '' };
  }

  async connect(fence: Fence): Promise<CommandOutcome> {
    if (!fence.isCurrent()) return { kind: 'fenced' };
    this.connects += 1;
    this.position = 'connected';
    return { kind: 'done', at: clock.now() };
  }

  isolate(): IsolateReceipt {
    this.position = 'isolated';
    const at = clock.now();
    return { written: Promise.resolve(at), acknowledged: Promise.resolve({ kind: 'done', at }) };
  }

  async settingsProblems(): Promise<readonly string[]> {
    return [];
  }

  async close(): Promise<void> {}
}

/** A link with its watch, running. */
function atWork(
  contacts: readonly Indicator[],
  witnesses: readonly Indicator[] = [],
  roundOver: () => void = () => undefined,
): LinkShell {
  let lastAt = '';
  const hands: Hands = {
    now: () => clock.now(),
    pause: (ms) => clock.pause(ms),
    cut: (all) => all.map((each) => each.isolate()),
    saveLatch: () => Promise.resolve(),
    exposureBegins: () => Promise.resolve(),
    exposureEnds: () => Promise.resolve(),
    record: () => Promise.resolve(),
    proofEnded: () => undefined,
    leaseOver: () => undefined,
    act: (act) => void acts.push(act.kind),
    connectEnded: () => undefined,
    changed: () => {
      if (shell.state.at !== lastAt) watch.poke();
      lastAt = shell.state.at;
    },
  };
  const shell = new LinkShell('vault', contacts, policy, null, false, hands);
  watch = new Watch(shell, witnesses, policy.evidenceMaxAgeMs, clock, () => entitled, {}, roundOver);
  watch.start();
  return shell;
}

const tell = (shell: LinkShell, event: { kind: Event['kind'] } & Record<string, unknown>): void =>
  void shell.handle({ now: clock.now(), ...event } as unknown as Event);

const connect = async (shell: LinkShell): Promise<void> => {
  tell(shell, { kind: 'lease-asked', leaseId: 'one', conditions: entitled, turn: 'relay' });
  await pass(200);
  expect(shell.state.at).toBe('connected');
};

describe('rounds', () => {
  test('come quickly while something is awaited, and rarely while isolation stands proven', async () => {
    const relay = new Indicator('relay');
    relay.position = 'unknown';
    const shell = atWork([relay]);
    await pass(1_000);
    expect(relay.asked.length).toBeGreaterThanOrEqual(8);
    expect(relay.asked.length).toBeLessThanOrEqual(12);
    relay.position = 'isolated';
    await pass(500);
    expect(shell.state.at).toBe('isolated');
    relay.asked = [];
    await pass(10_000);
    expect(relay.asked.length).toBeGreaterThanOrEqual(8);
    expect(relay.asked.length).toBeLessThanOrEqual(11);
  });

  test('come at once when the state changed', async () => {
    const relay = new Indicator('relay');
    const shell = atWork([relay]);
    await pass(2_500);
    relay.asked = [];
    const now = clock.now();
    tell(shell, { kind: 'lease-asked', leaseId: 'one', conditions: entitled, turn: 'relay' });
    await pass(ANSWER_MS);
    expect(relay.asked[0]).toBe(now);
  });

  test('end when they are told to', async () => {
    const relay = new Indicator('relay');
    atWork([relay]);
    await pass(1_000);
    clock.alive = false;
    relay.asked = [];
    await pass(60_000);
    expect(relay.asked).toEqual([]);
  });
});

describe('signs of life', () => {
  test('rest on whole rounds: none is reported before all have answered or were waited for', async () => {
    const relay = new Indicator('relay');
    relay.hang();
    let rounds = 0;
    const shell = atWork([relay], [], () => (rounds += 1));
    await pass(ROUND_WAIT_MS - 1);
    expect({ rounds, at: watch.checked.at }).toEqual({ rounds: 0, at: null });
    await pass(2);
    expect(rounds).toBeGreaterThan(0);
    // The loop turns on past the driver that hangs; since when it hangs is not forgotten.
    await pass(20_000);
    expect(rounds).toBeGreaterThan(5);
    expect(watch.checked).toMatchObject({ link: shell.link, askingSince: 0 });
    relay.answerAgain();
    await pass(2_000);
    expect(watch.checked.askingSince).toBeNull();
  });
});

describe('an indicator that hangs', () => {
  test('is asked once, and nobody else waits for it more than one round', async () => {
    const [relay, tcp] = [new Indicator('relay'), new Indicator('tcp')];
    const shell = atWork([relay], [tcp]);
    await pass(1_000);
    expect(shell.state.at).toBe('isolated');
    tcp.asked = [];
    tcp.hang();
    await pass(2 * ROUND_WAIT_MS);
    relay.asked = [];
    await pass(10_000);
    expect(tcp.asked).toHaveLength(1);
    expect(tcp.mostWaiting).toBe(1);
    expect(relay.asked.length).toBeGreaterThanOrEqual(8);
    expect(shell.state.at).toBe('isolated');
  });

  test('is not believed for what it said before', async () => {
    const relay = new Indicator('relay');
    const shell = atWork([relay]);
    await pass(1_000);
    expect(shell.state.at).toBe('isolated');
    relay.hang();
    await pass(policy.evidenceMaxAgeMs + 2_000);
    tell(shell, { kind: 'tick' });
    expect(shell.state.at).toBe('unproven');
  });

  test('counts with its answer when that comes late, and is asked again', async () => {
    const [relay, carrier] = [new Indicator('relay'), new Indicator('carrier')];
    relay.position = 'unknown';
    carrier.position = 'unknown';
    const shell = atWork([relay], [carrier]);
    await pass(1_000);
    carrier.position = 'isolated';
    carrier.asked = [];
    carrier.hang();
    await pass(2_000);
    expect(shell.state.at).toBe('unproven');
    carrier.answerAgain();
    await pass(ANSWER_MS + 1);
    expect(shell.state.at).toBe('isolated');
    await pass(2_000);
    expect(carrier.asked.length).toBeGreaterThan(1);
  });

  test('that always answers after the round is believed all the same', async () => {
    const [relay, carrier] = [new Indicator('relay'), new Indicator('carrier')];
    relay.position = 'unknown';
    carrier.answerMs = ROUND_WAIT_MS + 500;
    const shell = atWork([relay], [carrier]);
    await pass(10_000);
    for (let i = 0; i < 50; i += 1) {
      await pass(250);
      tell(shell, { kind: 'tick' });
      expect(shell.state.at).toBe('isolated');
    }
  });

  test('answers too late to be believed at all', async () => {
    const relay = new Indicator('relay');
    relay.hang();
    const shell = atWork([relay]);
    await pass(policy.evidenceMaxAgeMs + 1_000);
    relay.hang();
    relay.answerAgain();
    await pass(0);
    expect(shell.state.at).toBe('unproven');
  });
});

describe('while connected', () => {
  test('hardware leases are renewed in every round, and only where there are any', async () => {
    const [leased, plain] = [new Indicator('leased', 5_000), new Indicator('plain')];
    const shell = atWork([leased, plain]);
    await pass(1_000);
    await connect(shell);
    const before = leased.connects;
    for (let i = 0; i < 4; i += 1) {
      await pass(1_000);
      tell(shell, { kind: 'lease-renewed', leaseId: 'one', conditions: entitled, turn: 'relay' });
    }
    expect(leased.connects - before).toBeGreaterThanOrEqual(6);
    expect(plain.connects).toBe(1);
  });

  test('a condition that ceases to hold isolates in the next round, with nobody renewing', async () => {
    const relay = new Indicator('relay');
    const shell = atWork([relay]);
    await pass(1_000);
    await connect(shell);
    entitled = { ...entitled, entitledUntil: later(clock.now(), -1) };
    await pass(700);
    expect(shell.state.at).not.toBe('connected');
    expect(acts).toContain('tell-over');
  });

  test('a hardware lease whose board hangs holds up the round for a bounded time', async () => {
    const [leased, other] = [new Indicator('leased', 5_000), new Indicator('other')];
    const shell = atWork([leased, other]);
    await pass(1_000);
    await connect(shell);
    leased.connect = () => new Promise(() => undefined);
    other.asked = [];
    await pass(2 * (ROUND_WAIT_MS + 600));
    expect(other.asked.length).toBeGreaterThanOrEqual(2);
  });
});
