/** Edges for the dead-man circuit, and what they do when the line is not to be had. */
import { expect, test } from 'vitest';
import { deadManClash } from '../../src/contacts/dead-man-place.ts';
import { GpioEdges } from '../../src/contacts/gpio/edges.ts';
import type { GpioAccess, Level } from '../../src/contacts/gpio/lines.ts';
import type { HardwareSettings } from '../../src/contacts/hardware-settings.ts';
import { processTimers } from '../../src/contacts/timers.ts';

const settings = { chip: 'pinctrl-test', line: 16, period: 100, access: 'auto' } as const;

/** A kernel that can refuse. */
class Kernel {
  readonly levels: Level[] = [];
  claims = 0;
  released = 0;
  refuses = false;
  readonly access: GpioAccess = {
    kind: 'character-device',
    claimOutput: () => {
      this.claims += 1;
      if (this.refuses) throw new Error('busy');
      return {
        drive: (level) => {
          if (this.refuses) throw new Error('gone');
          this.levels.push(level);
        },
        read: () => this.levels.at(-1) ?? 0,
        problems: () => [],
        release: () => {
          this.released += 1;
        },
      };
    },
    claimInput: () => {
      throw new Error('no input is asked for');
    },
  };
}

test('every edge is one: the level goes to and fro, twice a period, and nothing is claimed before the first', () => {
  const kernel = new Kernel();
  const edges = new GpioEdges(settings, processTimers, () => kernel.access);
  expect(edges.edgePauseMs).toBe(50);
  expect(kernel.claims).toBe(0);
  for (let i = 0; i < 4; i += 1) edges.edge();
  expect(kernel.levels).toEqual([1, 0, 1, 0]);
  expect(kernel.claims).toBe(1);
});

test('a line that is lost is an edge that is missing; it is claimed anew with the next', () => {
  const kernel = new Kernel();
  const edges = new GpioEdges(settings, processTimers, () => kernel.access);
  edges.edge();
  kernel.refuses = true;
  edges.edge();
  edges.edge();
  expect(edges.problem).toBe('busy');
  kernel.refuses = false;
  edges.edge();
  expect(edges.problem).toBeNull();
  // The edge that could not be given is given now: the level after it is the other one.
  expect(kernel.levels).toEqual([1, 0]);
  expect(kernel.released).toBe(1);
});

test('closed, it gives no edge and leaves the level', () => {
  const kernel = new Kernel();
  const edges = new GpioEdges(settings, processTimers, () => kernel.access);
  edges.edge();
  edges.close();
  edges.edge();
  expect(kernel.levels).toEqual([1]);
  expect(kernel.released).toBe(1);
});

test('a line that something else is on is refused, by name', () => {
  const hardware = (line: number): HardwareSettings => ({
    dead_man: settings,
    buses: { pins: { transport: 'gpio', chip: 'pinctrl-test', access: 'auto' } },
    links: {
      vault: {
        contacts: [{ name: 'relay', profile: 'generic/gpio-active-high', bus: 'pins', line }],
        witnesses: [],
      },
    },
  });
  expect(deadManClash(hardware(17))).toBeNull();
  expect(deadManClash(hardware(16))).toBe('contact relay of link vault');
  const button = { input: { type: 'gpio', chip: 'pinctrl-test', line: 16 } } as HardwareSettings['button'];
  expect(deadManClash({ ...hardware(17), button })).toBe('the button');
  const lamps = { fault: { profile: 'generic/gpio-active-high', bus: 'pins', line: 16 } };
  expect(deadManClash({ ...hardware(17), lamps })).toBe('the fault lamp');
});
