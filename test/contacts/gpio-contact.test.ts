/** When a GPIO contact writes what: in virtual time, on a chip in memory. What a real kernel does is in test/gpio-vm. */
import { beforeEach, describe, expect, test } from 'vitest';
import { cut } from '../../src/contacts/cut.ts';
import { GpioContact } from '../../src/contacts/gpio/contact.ts';
import { GpioFailure } from '../../src/contacts/gpio/failure.ts';
import { GpioInput, LOOK_PAUSE_MS } from '../../src/contacts/gpio/input.ts';
import type {
  GpioAccess,
  InputEvents,
  InputLine,
  Level,
  LinePlace,
  OutputLine,
} from '../../src/contacts/gpio/lines.ts';
import { GpioWitness } from '../../src/contacts/gpio/witness.ts';
import { RETRY_PAUSE_MS } from '../../src/contacts/seats.ts';
import { millis } from '../../src/core/time.ts';
import { current, stale } from './contract.ts';
import { settled, VirtualTimers } from './fake-world.ts';

/** A chip whose lines are claimed by whoever asks. */
class MemoryChip implements GpioAccess {
  readonly kind = 'character-device';
  readonly writes: string[] = [];
  claims = 0;
  gone = false;
  /** What the pin shows whatever is written, as when it is shorted. */
  stuck: Level | null = null;
  level: Level = 0;
  inputs: InputEvents[] = [];

  #answer(): void {
    if (this.gone) throw new GpioFailure('the chip is gone', 'ENODEV');
  }

  claimOutput(place: LinePlace): OutputLine {
    this.claims += 1;
    this.#answer();
    return {
      drive: (level) => {
        this.#answer();
        this.level = level;
        this.writes.push(`${place.line}=${level}`);
      },
      read: () => {
        this.#answer();
        return this.stuck ?? this.level;
      },
      problems: () => {
        this.#answer();
        return [];
      },
      release: () => undefined,
    };
  }

  claimInput(_place: LinePlace, _bias: string, events: InputEvents): InputLine {
    this.claims += 1;
    this.#answer();
    this.inputs.push(events);
    return {
      read: () => {
        this.#answer();
        return this.level;
      },
      release: () => {
        this.inputs = this.inputs.filter((each) => each !== events);
      },
    };
  }

  edge(level: Level, at: number): void {
    this.level = level;
    for (const { edge } of this.inputs) edge(level, millis(at));
  }
}

let timers: VirtualTimers;
let chip: MemoryChip;
beforeEach(() => {
  timers = new VirtualTimers();
  chip = new MemoryChip();
});

const contact = (line = 3, connectedLevel: Level = 1): GpioContact =>
  new GpioContact({
    name: `line ${line}`,
    kind: 'fail-safe',
    access: () => chip,
    place: { chip: 'memory', line },
    connectedLevel,
    timers,
  });

async function connected(relay: GpioContact): Promise<void> {
  const connecting = relay.connect(current);
  await timers.advance(0);
  expect(await connecting).toMatchObject({ kind: 'done' });
}

describe('a cut', () => {
  test('writes in its own tick, every contact before any is read back', () => {
    const reads: string[] = [];
    const relays = [1, 2, 3].map((line) => contact(line));
    const claim = chip.claimOutput.bind(chip);
    chip.claimOutput = (place) => {
      const line = claim(place);
      return { ...line, read: () => (reads.push('read'), line.read()) };
    };
    cut(relays);
    expect(chip.writes).toEqual(['1=0', '2=0', '3=0']);
    expect(reads).toEqual([]);
  });

  test('voids connects that wait, also when the fence would still allow them', async () => {
    const relay = contact();
    const connecting = relay.connect(current);
    relay.isolate();
    await timers.advance(0);
    expect(await connecting).toEqual({ kind: 'fenced' });
    expect(chip.writes).toEqual(['3=0']);
  });

  test('active-low drives high', () => {
    contact(3, 0).isolate();
    expect(chip.writes).toEqual(['3=1']);
  });
});

describe('an isolate that fails', () => {
  test('is tried for ever, at a bounded pace, however often it is asked for', async () => {
    const relay = contact();
    await connected(relay);
    chip.gone = true;
    chip.claims = 0;
    const first = relay.isolate();
    expect(await first.acknowledged).toMatchObject({ kind: 'unknown' });
    for (let repeat = 0; repeat < 100; repeat += 1) relay.isolate();
    await timers.advance(10 * RETRY_PAUSE_MS);
    expect(chip.claims).toBeLessThanOrEqual(12);
    expect(chip.claims).toBeGreaterThanOrEqual(9);
    await timers.advance(3_600_000);
    chip.gone = false;
    const last = relay.isolate();
    await timers.advance(RETRY_PAUSE_MS);
    expect(await first.written).toEqual(expect.any(Number));
    expect(await last.acknowledged).toMatchObject({ kind: 'done' });
    expect(chip.level).toBe(0);
    const { claims } = chip;
    await timers.advance(3_600_000);
    expect(chip.claims).toBe(claims);
  });

  test('keeps connects from being written', async () => {
    const relay = contact();
    await connected(relay);
    chip.gone = true;
    await relay.isolate().acknowledged;
    chip.gone = false;
    const connecting = relay.connect(current);
    await timers.advance(0);
    expect(await connecting).toMatchObject({ kind: 'unknown', why: expect.stringContaining('not written') });
    expect(chip.writes).toEqual(['3=1']);
    await timers.advance(RETRY_PAUSE_MS);
    expect(chip.writes).toEqual(['3=1', '3=0']);
  });

  test('a pin that does not follow is not reported isolated, and is driven again', async () => {
    const relay = contact();
    await connected(relay);
    chip.stuck = 1;
    const receipt = relay.isolate();
    expect(await receipt.written).toEqual(expect.any(Number));
    expect(await receipt.acknowledged).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('reads 1 after 0 was written'),
    });
    const written = chip.writes.length;
    await timers.advance(5 * RETRY_PAUSE_MS);
    expect(chip.writes.length).toBe(written + 5);
    chip.stuck = null;
    const again = relay.isolate();
    await timers.advance(RETRY_PAUSE_MS);
    expect(await again.acknowledged).toMatchObject({ kind: 'done' });
  });
});

describe('a line that is lost', () => {
  test('is isolated again when it returns if it was isolated, with nobody asking', async () => {
    const relay = contact();
    await relay.isolate().acknowledged;
    chip.gone = true;
    expect(await relay.read()).toMatchObject({ position: 'unknown' });
    await timers.advance(500);
    chip.gone = false;
    chip.level = 1;
    chip.writes.length = 0;
    await timers.advance(RETRY_PAUSE_MS);
    expect(chip.writes).toEqual(['3=0']);
  });

  test('is never driven to connected again by the driver', async () => {
    const relay = contact();
    await connected(relay);
    chip.gone = true;
    expect(await relay.read()).toMatchObject({ position: 'unknown' });
    chip.gone = false;
    chip.level = 0;
    chip.writes.length = 0;
    await timers.advance(3_600_000);
    expect(chip.writes).toEqual([]);
    expect(await relay.read()).toMatchObject({ position: 'isolated' });
  });
});

describe('a connect', () => {
  test('that cannot be confirmed is followed by an isolate', async () => {
    const relay = contact();
    chip.stuck = 0;
    const connecting = relay.connect(current);
    await timers.advance(0);
    expect(await connecting).toMatchObject({ kind: 'unknown' });
    expect(chip.writes).toEqual(['3=1', '3=0']);
  });

  test('with a stale fence writes and claims nothing', async () => {
    const connecting = contact().connect(stale);
    await timers.advance(0);
    expect(await connecting).toEqual({ kind: 'fenced' });
    expect(chip.claims).toBe(0);
  });

  test('asks its fence in the tick in which it writes', async () => {
    let allowed = true;
    const relay = contact();
    const connecting = relay.connect({ isCurrent: () => allowed });
    allowed = false;
    await timers.advance(0);
    expect(await connecting).toEqual({ kind: 'fenced' });
  });
});

test('looking moves nothing', async () => {
  const relay = contact();
  chip.level = 1;
  expect(await relay.read()).toMatchObject({ position: 'connected' });
  expect(await relay.settingsProblems()).toEqual([]);
  await relay.close();
  expect(chip.writes).toEqual([]);
});

test('after close nothing is tried any more', async () => {
  const relay = contact();
  chip.gone = true;
  const receipt = relay.isolate();
  await relay.close();
  expect(await receipt.written).toBeNull();
  chip.gone = false;
  await timers.advance(3_600_000);
  expect(chip.writes).toEqual([]);
});

describe('an input', () => {
  const heard: string[] = [];
  const input = (debounceMs: number): GpioInput => {
    heard.length = 0;
    return new GpioInput({
      access: () => chip,
      place: { chip: 'memory', line: 3 },
      bias: 'none',
      debounceMs,
      timers,
      listener: {
        edge: (level, at) => heard.push(`edge ${level} at ${at}`),
        settled: (level, at) => heard.push(`settled ${level} at ${at}`),
        lost: () => heard.push('lost'),
      },
    });
  };

  test('tells edges at once, and the level once it has been still', async () => {
    input(20).start();
    await timers.advance(20);
    expect(heard).toEqual(['settled 0 at 20']);
    await timers.advance(80);
    chip.edge(1, 99);
    await timers.advance(15);
    chip.edge(0, 114);
    chip.edge(1, 115);
    expect(heard.slice(1)).toEqual(['edge 1 at 99', 'edge 0 at 114', 'edge 1 at 115']);
    await timers.advance(100);
    expect(heard.slice(4)).toEqual(['settled 1 at 135']);
  });

  test('a bounce that ends where it began is no new level', async () => {
    input(20).start();
    await timers.advance(50);
    chip.edge(1, 50);
    chip.edge(0, 51);
    await timers.advance(100);
    expect(heard).toEqual(['settled 0 at 20', 'edge 1 at 50', 'edge 0 at 51']);
  });

  test('lost: told once, unknown, claimed again at a bounded pace, and its level told anew', async () => {
    const listening = input(0);
    listening.start();
    await timers.advance(1);
    chip.gone = true;
    chip.inputs[0]?.lost('the chip is gone');
    expect(listening.look()).toEqual({ kind: 'unknown', why: 'the chip is gone' });
    for (let look = 0; look < 100; look += 1) listening.look();
    await timers.advance(10 * RETRY_PAUSE_MS);
    expect(chip.claims).toBeLessThanOrEqual(12);
    chip.gone = false;
    await timers.advance(RETRY_PAUSE_MS);
    expect(heard.map((what) => what.split(' at')[0])).toEqual(['settled 0', 'lost', 'settled 0']);
  });

  test('a loss and a change that nobody is told of are noticed within the pause between two looks', async () => {
    input(0).start();
    await timers.advance(1);
    chip.level = 1;
    await timers.advance(LOOK_PAUSE_MS);
    chip.gone = true;
    await timers.advance(LOOK_PAUSE_MS);
    expect(heard.map((what) => what.split(' at')[0])).toEqual(['settled 0', 'settled 1', 'lost']);
  });

  test('a level that changed without an edge being told is noticed by looking, and must settle', async () => {
    const listening = input(20);
    listening.start();
    await timers.advance(20);
    chip.level = 1;
    expect(listening.look()).toMatchObject({ kind: 'unknown' });
    await timers.advance(20);
    expect(listening.look()).toEqual({ kind: 'settled', level: 1 });
  });

  test('closed: releases the line, hears nothing, knows nothing', async () => {
    const listening = input(0);
    listening.start();
    await listening.close();
    expect(chip.inputs).toEqual([]);
    await timers.advance(1_000);
    expect(heard).toEqual([]);
    expect(listening.look()).toMatchObject({ kind: 'unknown' });
    expect(chip.claims).toBe(1);
  });

  test.for([
    [0, 0, 'isolated'],
    [0, 1, 'connected'],
    [1, 0, 'connected'],
    [1, 1, 'isolated'],
  ] as const)('a mirror contact, isolated when %i, reads %i: %s', async ([isolatedWhen, level, wanted]) => {
    chip.level = level;
    const witness = new GpioWitness({ name: 'mirror', input: input(10), isolatedWhen, timers });
    expect(await witness.read()).toMatchObject({ position: 'unknown' });
    await timers.advance(10);
    expect(await witness.read()).toMatchObject({ position: wanted });
    chip.gone = true;
    expect(await witness.read()).toMatchObject({ position: 'unknown' });
    await witness.close();
    await settled();
    expect(await witness.read()).toMatchObject({ position: 'unknown' });
  });
});
