/** What is tried on the kernel's own GPIO. Runs inside the machine. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from '../../src/core/evidence.ts';
import { chosenAccess, kernelOffer } from '../../src/contacts/gpio/access.ts';
import { CharacterDevice } from '../../src/contacts/gpio/character-device.ts';
import { sysfsChips, sysfsNumber } from '../../src/contacts/gpio/chips.ts';
import { GpioContact } from '../../src/contacts/gpio/contact.ts';
import { deathNote } from '../../src/contacts/gpio/death.ts';
import { GpioInput } from '../../src/contacts/gpio/input.ts';
import type { AccessKind, Bias, GpioAccess, Level } from '../../src/contacts/gpio/lines.ts';
import { opposite } from '../../src/contacts/gpio/lines.ts';
import { Sysfs } from '../../src/contacts/gpio/sysfs.ts';
import { GpioWitness } from '../../src/contacts/gpio/witness.ts';
import { processTimers } from '../../src/contacts/timers.ts';
import { until } from '../contacts/bench.ts';
import { type Bench, bounded, contactContract, current } from '../contacts/contract.ts';
import { isExported, SimulatedChip, startTrace, traced } from './guest-chip.ts';
import { afterEach, describe, expect, test } from './guest-suite.ts';

// Another chip comes first, so that no number of ours is also an offset.
const other = new SimulatedChip('other', 'gpio-sim-other', 5);
other.come();
const chip = new SimulatedChip('relays', 'gpio-sim-relays', 8);
chip.come();
const LINE = 3;
const place = { chip: chip.label, line: LINE };

const accesses: Readonly<Record<AccessKind, GpioAccess>> = {
  sysfs: new Sysfs(processTimers),
  'character-device': new CharacterDevice(processTimers),
};
const KINDS = ['sysfs', 'character-device'] as const;

const contactOn = (kind: AccessKind, connectedLevel: Level, line = LINE): GpioContact =>
  new GpioContact({
    name: 'relay',
    kind: 'fail-safe',
    access: () => accesses[kind],
    place: { chip: chip.label, line },
    connectedLevel,
    timers: processTimers,
  });

const number = (): number => sysfsNumber(place, sysfsChips());

/** A chip as after power-on, its line pulled to isolated by a resistor. */
function fresh(connectedLevel: Level): void {
  chip.renew();
  chip.pull(LINE, opposite(connectedLevel));
}

async function openBench(kind: AccessKind, connectedLevel: Level): Promise<Bench> {
  fresh(connectedLevel);
  let last: Position = 'unknown';
  return {
    contact: contactOn(kind, connectedLevel),
    // A real pin stays where it was while its driver is away.
    seen: () => {
      if (chip.live) last = chip.wire(LINE) === connectedLevel ? 'connected' : 'isolated';
      return last;
    },
    unplug: () => {
      last = chip.wire(LINE) === connectedLevel ? 'connected' : 'isolated';
      chip.go();
    },
    // It comes back with every pin low: an active-low relay is energised until the driver has it again.
    plug: () => chip.come(),
    end: async () => chip.come(),
  };
}

for (const kind of KINDS) {
  contactContract(`${kind} active-high`, () => openBench(kind, 1));
  contactContract(`${kind} active-low`, () => openBench(kind, 0));
}

for (const kind of KINDS) {
  describe(`${kind} output`, () => {
    const open: GpioContact[] = [];
    const contact = (connectedLevel: Level): GpioContact => {
      const made = contactOn(kind, connectedLevel);
      open.push(made);
      return made;
    };
    afterEach(async () => {
      for (const each of open.splice(0)) await each.close();
      chip.come();
    });

    for (const connectedLevel of [1, 0] as const) {
      test(`the kernel never sets the connected level at start, active ${connectedLevel}`, async () => {
        fresh(connectedLevel);
        startTrace();
        const relay = contact(connectedLevel);
        await bounded(relay.read());
        await bounded(relay.isolate().acknowledged);
        await bounded(relay.isolate().acknowledged);
        const isolated = `${number()}=${opposite(connectedLevel)}`;
        const set = traced();
        expect(set.length).toBeGreaterThan(0);
        expect([...new Set(set)]).toEqual([isolated]);
        await bounded(relay.connect(current));
        expect(traced()).toContain(`${number()}=${connectedLevel}`);
      });
    }

    test('isolate is on the wire when it returns, the first time too', async () => {
      fresh(0);
      chip.pull(LINE, 0);
      const relay = contact(0);
      relay.isolate();
      expect(chip.wire(LINE)).toBe(1);
      await bounded(relay.connect(current));
      expect(chip.wire(LINE)).toBe(0);
      relay.isolate();
      expect(chip.wire(LINE)).toBe(1);
    });

    test('a line that somebody else owns is neither read nor driven, and isolated when it is free', async () => {
      fresh(0);
      chip.pull(LINE, 0);
      const rival = accesses[kind === 'sysfs' ? 'character-device' : 'sysfs'].claimOutput(place);
      const relay = contact(0);
      expect(await bounded(relay.read())).toMatchObject({
        position: 'unknown',
        detail: expect.stringContaining('EBUSY'),
      });
      expect(await bounded(relay.isolate().acknowledged)).toMatchObject({ kind: 'unknown' });
      expect(await bounded(relay.connect(current))).toMatchObject({ kind: 'unknown' });
      expect(chip.wire(LINE)).toBe(0);
      rival.release();
      if (kind === 'character-device') writeFileSync('/sys/class/gpio/unexport', String(number()));
      await until(() => chip.wire(LINE) === 1, 'the line is isolated once it is free');
    });

    test('a wrong label is answered with the chips that there are', async () => {
      chip.come();
      const lost = new GpioContact({
        name: 'relay',
        kind: 'fail-safe',
        access: () => accesses[kind],
        place: { chip: 'pinctrl-bcm2835', line: 17 },
        connectedLevel: 1,
        timers: processTimers,
      });
      let said = '';
      try {
        accesses[kind].claimOutput({ chip: 'pinctrl-bcm2835', line: 17 });
      } catch (error) {
        said = error instanceof Error ? error.message : '';
      }
      expect(said).toContain('no GPIO chip labelled "pinctrl-bcm2835"');
      expect(said).toContain('"gpio-sim-relays" (8 lines');
      expect(said).toContain('"gpio-sim-other" (5 lines');
      expect(await bounded(lost.read())).toMatchObject({ position: 'unknown' });
      await lost.close();
    });

    test('two chips of one label are refused, and a line beyond the last', async () => {
      const twin = new SimulatedChip(`twin-${kind}`, chip.label, 2);
      twin.come();
      try {
        const relay = contact(1);
        const reading = await bounded(relay.read());
        expect(reading).toMatchObject({ position: 'unknown' });
        expect(reading.detail).toContain('2 GPIO chips are labelled "gpio-sim-relays"');
      } finally {
        twin.go();
      }
      let said = '';
      try {
        accesses[kind].claimOutput({ chip: chip.label, line: 8 });
      } catch (error) {
        said = error instanceof Error ? error.message : '';
      }
      expect(said).toContain('the chip has lines 0 to 7');
    });

    test('SIGKILL while connected does to the pin what deathNote says', async () => {
      fresh(1);
      const holder = spawn(
        process.execPath,
        [join(import.meta.dirname, 'guest-holder.ts'), kind, chip.label, String(LINE)],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let said = '';
      holder.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      // Bounded by the test's own limit: in the machine a start takes seconds, on a loaded one many.
      await new Promise<void>((resolve) => {
        holder.stdout.once('data', () => resolve());
        holder.once('exit', () => resolve());
      });
      expect(said).toBe('done\n');
      expect(chip.wire(LINE)).toBe(1);
      const gone = new Promise((resolve) => holder.once('exit', resolve));
      holder.kill('SIGKILL');
      await gone;
      const { after } = deathNote(kind, chip.label, null);
      expect(after).toBe(kind === 'sysfs' ? 'keeps' : 'input');
      expect(chip.wire(LINE)).toBe(after === 'keeps' ? 1 : 0);
      // The next process finds the line as it is, moves nothing by looking, and isolates when told.
      const relay = contact(1);
      expect(await bounded(relay.read())).toMatchObject({
        position: after === 'keeps' ? 'connected' : 'isolated',
      });
      expect(chip.wire(LINE)).toBe(after === 'keeps' ? 1 : 0);
      expect(await bounded(relay.isolate().acknowledged)).toMatchObject({ kind: 'done' });
      expect(chip.wire(LINE)).toBe(0);
    });

    test('close lets go as the backend does: sysfs keeps, the simulated chip falls to its pull', async () => {
      fresh(1);
      const relay = contact(1);
      await bounded(relay.connect(current));
      await relay.close();
      expect(chip.wire(LINE)).toBe(kind === 'sysfs' ? 1 : 0);
      expect(isExported(number())).toBe(kind === 'sysfs');
    });
  });

  describe(`${kind} input`, () => {
    const open: GpioInput[] = [];
    const seen: string[] = [];
    const listening = (debounceMs: number, bias: Bias = 'none'): GpioInput => {
      seen.length = 0;
      const input = new GpioInput({
        access: () => accesses[kind],
        place,
        bias,
        debounceMs,
        timers: processTimers,
        listener: {
          edge: (level) => seen.push(`edge ${level}`),
          settled: (level) => seen.push(`settled ${level}`),
          lost: () => seen.push('lost'),
        },
      });
      open.push(input);
      return input;
    };
    const count = (what: string): number => seen.filter((each) => each.startsWith(what)).length;
    afterEach(async () => {
      for (const each of open.splice(0)) await each.close();
      chip.come();
    });

    test('a press is seen as edges at once and as levels when it is over', async () => {
      fresh(1);
      listening(20).start();
      await until(() => seen.includes('settled 0'), 'the level at rest is told');
      chip.pull(LINE, 1);
      await until(() => seen.includes('edge 1'), 'the press is told');
      await until(() => seen.includes('settled 1'), 'the pressed level is told');
      chip.pull(LINE, 0);
      await until(() => count('settled 0') === 2, 'the release is told');
      // Only the character device says which edge it was; sysfs may say one twice.
      const edges = seen.filter((each) => each.startsWith('edge'));
      if (kind === 'character-device') expect(edges).toEqual(['edge 1', 'edge 0']);
    });

    test('a press that is shorter than any look leaves an edge, and bounces leave no settled level', async () => {
      fresh(1);
      const input = listening(250);
      input.start();
      await until(() => seen.includes('settled 0'), 'the level at rest is told');
      for (let bounce = 0; bounce < 5; bounce += 1) {
        chip.pull(LINE, 1);
        chip.pull(LINE, 0);
      }
      // How many is up to the kernel: edges that come faster than their interrupt are one.
      await until(() => count('edge') > 0, 'some edge is told');
      expect(input.look()).toMatchObject({ kind: 'unknown' });
      await until(() => input.look().kind === 'settled', 'the input is still again');
      expect(input.look()).toEqual({ kind: 'settled', level: 0 });
      expect(seen.includes('settled 1')).toBe(false);
    });

    test('a chip that goes makes the input unknown, and known again when it is back', async () => {
      fresh(1);
      const input = listening(10);
      input.start();
      await until(() => seen.includes('settled 0'), 'the level at rest is told');
      chip.go();
      // With nobody looking: a button is only listened to.
      await until(() => seen.includes('lost'), 'the loss is told');
      expect(input.look()).toMatchObject({ kind: 'unknown' });
      expect(count('lost')).toBe(1);
      chip.come();
      chip.pull(LINE, 1);
      await until(() => seen.includes('settled 1'), 'the level of the new chip is told');
    });

    test('a mirror contact proves isolation, its bounce and its loss prove nothing', async () => {
      fresh(1);
      const witness = new GpioWitness({
        name: 'mirror',
        input: listening(30),
        isolatedWhen: 0,
        timers: processTimers,
      });
      let position: Position = 'unknown';
      const becomes = async (wanted: Position): Promise<void> => {
        await until(() => {
          void witness.read().then((reading) => (position = reading.position));
          return position === wanted;
        }, `the witness says ${wanted}`);
      };
      expect(await witness.read()).toMatchObject({ position: 'unknown' });
      await becomes('isolated');
      chip.pull(LINE, 1);
      expect(await witness.read()).toMatchObject({ position: 'unknown' });
      await becomes('connected');
      chip.go();
      expect(await witness.read()).toMatchObject({ position: 'unknown' });
      await witness.close();
    });

    test(
      kind === 'sysfs'
        ? 'a pull resistor cannot be had over sysfs, and the message says so'
        : 'a pull resistor is set by the kernel',
      async () => {
        fresh(1);
        const input = listening(0, 'pull-up');
        const found = input.look();
        if (kind === 'sysfs') {
          expect(found).toMatchObject({
            kind: 'unknown',
            why: expect.stringContaining('access: character-device'),
          });
        } else {
          expect(found).toEqual({ kind: 'settled', level: 1 });
        }
      },
    );
  });
}

describe('chips', () => {
  test('the number in sysfs is not the offset, and the base is added', () => {
    chip.come();
    const found = sysfsChips().find(({ label }) => label === chip.label);
    expect(found?.lines).toBe(8);
    expect(found?.base).toBe(number() - LINE);
    expect(number()).toBeGreaterThan(LINE);
    expect(readFileSync(`${found?.path}/label`, 'utf8').trim()).toBe(chip.label);
  });

  test('sysfs and onoff are there, so that sysfs is taken unless a pull is asked for', () => {
    expect(kernelOffer()).toEqual({ sysfsMissing: null, onoffMissing: null });
    expect(chosenAccess('auto', kernelOffer()).kind).toBe('sysfs');
    expect(chosenAccess('auto', kernelOffer(), true).kind).toBe('character-device');
  });
});
