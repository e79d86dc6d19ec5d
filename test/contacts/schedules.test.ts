/** The bus worker under random schedules of commands and faults, in virtual time. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bus } from '../../src/contacts/bus.ts';
import { HEARD_MS } from '../../src/contacts/tempo.ts';
import { cut } from '../../src/contacts/cut.ts';
import { ModbusBoard } from '../../src/contacts/modbus/board.ts';
import { BoardContact } from '../../src/contacts/board-contact.ts';
import { ModbusWire } from '../../src/contacts/modbus/exchange.ts';
import type { Framing } from '../../src/contacts/modbus/frame.ts';
import type { CommandOutcome } from '../../src/contacts/port.ts';
import { ALL, CHANNELS, FakeCable, type Manner, VirtualTimers, type Written } from './fake-world.ts';
import { testProfile } from './profiles.ts';

const GAP_MS = 5;
const REPLY_TIMEOUT_MS = 300;
const WORST_REPLY_DELAY_MS = 500;
const UNITS = [1, 2];

type Action =
  | { readonly kind: 'connect'; readonly contact: number }
  | { readonly kind: 'cut'; readonly contacts: readonly number[] }
  | { readonly kind: 'read'; readonly contact: number }
  /** Permission ends for a reason that cuts nothing. */
  | { readonly kind: 'forbid'; readonly contact: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'unplug' }
  | { readonly kind: 'plug' }
  | { readonly kind: 'hang up' };

/** One contact and what the test knows about it. */
interface Known {
  readonly contact: BoardContact;
  readonly unit: number;
  readonly coil: number;
  epoch: number;
  /** Epochs of connect calls that have not ended. */
  readonly asked: number[];
  /** A cut came and no isolate for it has been written yet; `fresh` when it was not already commanded isolated. */
  cutAt: { readonly at: number; readonly fresh: boolean } | null;
  wanted: 'connected' | 'isolated' | null;
  lastCut: number | null;
  /** A connect has been written, is under way, was confirmed: each since the last cut. */
  moved: boolean;
  underWay: boolean;
  confirmed: boolean;
  /** The last wire on which an isolate for it was written. */
  isolatedOn: number;
}

class World {
  readonly timers = new VirtualTimers();
  readonly cable: FakeCable;
  readonly known: Known[] = [];
  readonly visited = new Set<string>();
  readonly problems: string[] = [];
  /** Calls that have not ended. */
  open = 0;

  constructor(framing: Framing, manners: readonly Manner[]) {
    this.cable = new FakeCable(framing, this.timers);
    let turn = 0;
    this.cable.manner = () => {
      const manner = manners[turn++] ?? { kind: 'answers', delayMs: 1 };
      this.visited.add(manner.kind);
      return manner;
    };
    this.cable.onWritten = (written) => this.check(written);
    this.cable.onExecuted = (executed) => {
      const known = this.known.find((each) => each.unit === executed.unit && each.coil === executed.coil);
      if (known === undefined || executed.value === 0 || known.asked.length > 0) return;
      this.problems.push(
        `${known.contact.name}: ghost: a connect was carried out after it had been reported on`,
      );
    };
    const wire = new ModbusWire(framing);
    const bus = new Bus({
      transport: this.cable,
      timers: this.timers,
      framesHaveIds: framing === 'modbus-tcp',
    });
    for (const unit of UNITS) {
      const board = new ModbusBoard(
        testProfile({
          channels: CHANNELS,
          isolate_all: { function: 5, address: ALL, value: 0 },
          read: { function: 1, address: 0, quantity: CHANNELS, connected_when: 1, reports: 'commanded' },
          timings: {
            reply_timeout_ms: REPLY_TIMEOUT_MS,
            gap_ms: GAP_MS,
            settle_ms: 0,
            worst_reply_delay_ms: WORST_REPLY_DELAY_MS,
          },
        }),
        { wire, unit },
      );
      for (const channel of [1, 2, 3]) {
        const name = `unit ${unit} channel ${channel}`;
        const contact = new BoardContact({
          name,
          bus,
          board,
          channel,
          hardwareLeaseMs: null,
          timers: this.timers,
        });
        const fresh = {
          epoch: 0,
          asked: [] as number[],
          cutAt: null,
          wanted: null,
          lastCut: null,
          moved: false,
          underWay: false,
          confirmed: false,
          isolatedOn: 0,
        };
        this.known.push({ contact, unit, coil: channel - 1, ...fresh });
      }
    }
  }

  /** Every frame, in the tick in which it is handed to the wire. */
  check(written: Written): void {
    const isolates = written.function === 5 && written.value === 0;
    const connects = written.function === 5 && !isolates;
    for (const known of this.known) {
      const mine = written.unit === known.unit && (written.address === known.coil || written.address === ALL);
      if (connects && mine && !known.asked.includes(known.epoch)) {
        this.problems.push(`${known.contact.name}: a connect was written that no current fence allows`);
      }
      if (!isolates && known.cutAt?.fresh === true) {
        this.problems.push(`${known.contact.name}: another frame was written before the isolate of a cut`);
      }
      if (connects && mine && known.lastCut !== null && !this.executedSince(known, known.lastCut, 0)) {
        this.problems.push(`${known.contact.name}: a connect was written while an isolate was owed`);
      }
      if (
        !isolates &&
        written.unit === known.unit &&
        known.wanted === 'isolated' &&
        known.isolatedOn !== written.wire
      ) {
        this.problems.push(`${known.contact.name}: a fresh wire did not begin with its isolate`);
      }
      if (written.address === ALL && mine && known.confirmed) {
        this.problems.push(`${known.contact.name}: isolated together with its board though nobody cut it`);
      }
      if (connects && mine) {
        known.moved = true;
        known.underWay = true;
        const heard = this.cable.saidAt.get(`${written.wire}/${written.unit}`) ?? -Infinity;
        if (written.at - heard > HEARD_MS + GAP_MS) {
          this.problems.push(
            `${known.contact.name}: a connect was written to a board that was not heard just now`,
          );
        }
      }
      if (isolates && mine) {
        known.isolatedOn = written.wire;
        known.cutAt = null;
        if (written.address === ALL) this.visited.add('isolate-all');
      }
    }
  }

  async run(action: Action): Promise<void> {
    switch (action.kind) {
      case 'connect':
        this.connect(action.contact);
        return;
      case 'cut':
        this.cut(action.contacts);
        return;
      case 'read':
        this.read(action.contact);
        return;
      case 'forbid':
        this.at(action.contact).epoch += 1;
        return;
      case 'wait':
        await this.timers.advance(action.ms);
        return;
      case 'unplug':
        this.cable.plugged = false;
        return;
      case 'plug':
        this.cable.plug();
        return;
      case 'hang up':
        this.cable.hangUp();
    }
  }

  connect(index: number): void {
    const known = this.at(index);
    const { epoch } = known;
    known.asked.push(epoch);
    known.wanted = 'connected';
    const before = this.cable.executed.length;
    this.open += 1;
    void known.contact.connect({ isCurrent: () => known.epoch === epoch }).then((outcome) => {
      this.open -= 1;
      this.visited.add(`connect ${outcome.kind}`);
      if (known.underWay) {
        known.underWay = false;
        known.confirmed ||= outcome.kind === 'done';
      }
      if (outcome.kind === 'done' && !this.executedSince(known, before, 0xff00)) {
        this.problems.push(`${known.contact.name}: a connect was reported done that no board carried out`);
      }
      if (outcome.kind === 'fenced' && known.epoch === epoch) {
        this.problems.push(`${known.contact.name}: a connect with a current fence was fenced`);
      }
      known.asked.splice(known.asked.indexOf(epoch), 1);
    });
  }

  cut(indices: readonly number[]): void {
    const chosen = [...new Set(indices.map((index) => this.at(index)))];
    for (const known of chosen) {
      known.epoch += 1;
      const untouched = known.lastCut === null && !known.moved;
      known.cutAt = { at: this.timers.now(), fresh: known.confirmed || known.underWay || untouched };
      known.moved = false;
      known.underWay = false;
      known.confirmed = false;
      known.wanted = 'isolated';
      known.lastCut = this.cable.executed.length;
    }
    const before = this.cable.executed.length;
    const receipts = cut(chosen.map((known) => known.contact));
    receipts.forEach((receipt, index) => {
      const known = chosen[index];
      if (known === undefined) throw new Error('a receipt too many');
      this.open += 1;
      void receipt.acknowledged.then((outcome: CommandOutcome) => {
        this.open -= 1;
        this.visited.add(`isolate ${outcome.kind}`);
        if (outcome.kind === 'done' && !this.executedSince(known, before, 0)) {
          this.problems.push(`${known.contact.name}: an isolate was reported done that no board carried out`);
        }
      });
    });
  }

  read(index: number): void {
    const known = this.at(index);
    this.open += 1;
    void known.contact.read().then((reading) => {
      this.open -= 1;
      this.visited.add(`read ${reading.position}`);
      if (reading.position === 'unknown') return;
      // The coil must have stood so at some moment between the question and now.
      const key = reading.position === 'connected' ? 0xff00 : 0;
      const moves = this.cable.executed.filter(
        (each) => each.unit === known.unit && each.coil === known.coil,
      );
      const earlier = moves.filter((each) => each.at <= reading.takenAt).at(-1)?.value ?? 0;
      const during = moves.filter((each) => each.at >= reading.takenAt).map((each) => each.value);
      if (![earlier, ...during].includes(key))
        this.problems.push(`${known.contact.name}: a reading is not from its time`);
    });
  }

  executedSince(known: Known, since: number, value: number): boolean {
    return this.cable.executed
      .slice(since)
      .some((each) => each.unit === known.unit && each.coil === known.coil && each.value === value);
  }

  at(index: number): Known {
    const known = this.known[index];
    if (known === undefined) throw new Error(`no contact ${index}`);
    return known;
  }
}

const delayMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: REPLY_TIMEOUT_MS - 30, max: WORST_REPLY_DELAY_MS - 20 }) },
);
const manner: fc.Arbitrary<Manner> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('answers' as const), delayMs }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'silent' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'deaf' } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('garbles' as const), delayMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuses' as const), delayMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lies' as const), delayMs }) },
  {
    weight: 1,
    // A duplicate on a line without ids can be told from an answer only while nobody waits: within the rest of the line.
    arbitrary: fc.record({
      kind: fc.constant('repeats' as const),
      delayMs: fc.integer({ min: 0, max: 40 }),
      againMs: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'hangs up' } as const) },
);
const index = fc.integer({ min: 0, max: 5 });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('connect' as const), contact: index }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('cut' as const),
      contacts: fc.array(index, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), contact: index }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 1500 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forbid' as const), contact: index }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'unplug' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'plug' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'hang up' } as const) },
);

/** Everything that a run of this test must have met at least once, or it proved less than it says. */
const MUST_VISIT = [
  'connect done',
  'connect unknown',
  'connect fenced',
  'connect refused',
  'isolate done',
  'isolate unknown',
  'isolate refused',
  'read connected',
  'read isolated',
  'read unknown',
  'isolate-all',
];

const answers: Manner = { kind: 'answers', delayMs: 1 };
const refuses: Manner = { kind: 'refuses', delayMs: 1 };
const long: Action = { kind: 'wait', ms: 1500 };
/** Short stories for what chance may miss in a run. */
const CERTAIN_VISITS: [Manner[], Action[]][] = [
  [
    [answers, refuses],
    [{ kind: 'connect', contact: 0 }, long, long],
  ],
  [
    [refuses, refuses],
    [{ kind: 'cut', contacts: [0] }, long, long],
  ],
  [
    [answers, { kind: 'silent' }],
    [{ kind: 'connect', contact: 0 }, long, long],
  ],
  [
    [],
    [
      { kind: 'connect', contact: 0 },
      long,
      { kind: 'read', contact: 0 },
      long,
      { kind: 'read', contact: 1 },
      long,
    ],
  ],
  [[], [{ kind: 'connect', contact: 0 }, { kind: 'cut', contacts: [0, 1, 2] }, long]],
  [[], [{ kind: 'unplug' }, { kind: 'cut', contacts: [0] }, { kind: 'read', contact: 0 }, long]],
];

describe.each<Framing>(['modbus-tcp', 'rtu'])('random schedules over %s', (framing) => {
  test('cuts jump the queue, stale connects are never written, nothing is reported that did not happen', async () => {
    const visited = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(manner, { maxLength: 40 }),
        fc.array(action, { minLength: 1, maxLength: 40 }),
        async (manners, actions) => {
          const world = new World(framing, manners);
          for (const each of actions) await world.run(each);
          expect(world.problems).toEqual([]);
          // From here the cable and the boards behave, and time passes: what was cut is isolated, however it began.
          world.cable.manner = () => ({ kind: 'answers', delayMs: 1 });
          world.cable.plug();
          await world.timers.advance(20_000);
          expect(world.problems).toEqual([]);
          for (const known of world.known) {
            if (known.wanted !== 'isolated') continue;
            expect(world.cable.coils.get(`${known.unit}/${known.coil}`) ?? false, known.contact.name).toBe(
              false,
            );
            expect(known.cutAt).toBeNull();
            expect(world.executedSince(known, known.lastCut ?? 0, 0), known.contact.name).toBe(true);
          }
          for (const name of world.visited) visited.add(name);
        },
      ),
      { numRuns: 1500, examples: CERTAIN_VISITS },
    );
    expect(MUST_VISIT.filter((name) => !visited.has(name))).toEqual([]);
  }, 120_000);

  test('whatever the boards do for ever, everybody who waits is told in bounded time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(manner, { minLength: 1, maxLength: 3 }),
        fc.array(action, { minLength: 1, maxLength: 30 }),
        async (manners, actions) => {
          const world = new World(framing, []);
          let turn = 0;
          world.cable.manner = () => manners[turn++ % manners.length] ?? { kind: 'silent' };
          for (const each of actions) await world.run(each);
          await world.timers.advance(60_000);
          expect(world.open).toBe(0);
          expect(world.problems).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  }, 120_000);
});
