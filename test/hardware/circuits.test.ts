/** The drawings are circuits: what the pages of hardware/ claim about them is computed from the same text that is drawn. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { circuitOf, type Acting } from '../../hardware/drawings/circuit.ts';
import { parseSheet, wiresOf } from '../../hardware/drawings/sheet.ts';

const FOLDER = join(import.meta.dirname, '../../hardware/drawings');

/** What people and software do, and what is broken. */
interface Situation {
  readonly doing: readonly string[];
  readonly welded?: readonly string[];
  readonly broken?: readonly number[];
}

function build(name: string) {
  const sheet = parseSheet(parse(readFileSync(join(FOLDER, `${name}.yaml`), 'utf8')));
  const joined = circuitOf(sheet);
  const coils = sheet.parts.filter((part) => part.kind === 'coil').map((part) => part.id);
  /** Adds the coils that hold. None of these coils feeds another, so one pass is enough. */
  const settled = ({ doing, welded = [], broken = [] }: Situation): Acting => {
    const given = { acting: new Set(doing), welded: new Set(welded), broken: new Set(broken) };
    const holding = coils.filter(
      (coil) => joined('G1.+', `${coil}.1`, given) && joined('G1.0 V', `${coil}.2`, given),
    );
    return { ...given, acting: new Set([...doing, ...holding]) };
  };
  const fed = (pin: string, situation: Situation): boolean => joined('G1.+', pin, settled(situation));
  return {
    sheet,
    joined: (one: string, other: string) => joined(one, other, { acting: new Set() }),
    fed,
    isConnected: (situation: Situation): boolean =>
      fed('W1.+', situation) && joined('G1.0 V', 'W1.0 V', settled(situation)),
    holds: (coil: string, situation: Situation): boolean => settled(situation).acting.has(coil),
    wires: wiresOf(sheet).map((_, index) => index),
  };
}

/** Every subset. */
const subsets = (all: readonly string[]): string[][] =>
  all.reduce<string[][]>((sets, one) => [...sets, ...sets.map((set) => [...set, one])], [[]]);

const BUILDS = [
  { name: 'relay-hat', connects: ['A1.K1'], prevents: ['S1', 'F1'], ports: ['PI.eth1', 'V1.LAN'] },
  {
    name: 'two-relays',
    connects: ['S2', 'Q1', 'A1.CH1'],
    prevents: ['S1', 'F1', 'F2'],
    ports: ['PI.eth1', 'V1.LAN'],
  },
  {
    name: 'relay-and-switch-port',
    connects: ['A1.CH1'],
    prevents: ['S1', 'F1'],
    ports: ['PI.eth1', 'V1.LAN'],
  },
] as const;

describe.each(BUILDS)('$name', ({ name, connects, prevents, ports }) => {
  const circuit = build(name);

  test('the island is fed when everything that must act acts and nothing that prevents it does, and never else', () => {
    for (const doing of subsets([...connects, ...prevents])) {
      const expected =
        connects.every((one) => doing.includes(one)) && !prevents.some((one) => doing.includes(one));
      expect(circuit.isConnected({ doing }), doing.join(' ')).toBe(expected);
    }
  });

  test('no broken wire feeds the island, and each wire of its path isolates it', () => {
    for (const doing of subsets([...connects, ...prevents])) {
      if (circuit.isConnected({ doing })) continue;
      for (const wire of circuit.wires)
        expect(
          circuit.isConnected({ doing, broken: [wire] }),
          `${doing.join(' ')} without wire ${wire}`,
        ).toBe(false);
    }
    expect(circuit.wires.some((wire) => !circuit.isConnected({ doing: connects, broken: [wire] }))).toBe(
      true,
    );
  });

  test('the box and the vault meet in the island only: no cable goes past it', () => {
    const [box, vault] = ports;
    expect(circuit.joined(box, vault)).toBe(false);
    expect(circuit.joined(box, 'W1.port 1')).toBe(true);
  });

  test('both blocks of the button belong to one button', () => {
    const blocks = circuit.sheet.parts.filter(
      (part) => part.kind === 'mushroom-nc' || (part.kind === 'contact-nc' && part.of === 'S1'),
    );
    expect(blocks.map((part) => part.id)).toEqual(['S1', 'S1b']);
  });
});

describe('A, the relay HAT', () => {
  const circuit = build('relay-hat');

  test('the button isolates although the relay is welded; nothing else does', () => {
    const welded = ['A1.K1'];
    expect(circuit.isConnected({ doing: [], welded })).toBe(true);
    expect(circuit.isConnected({ doing: ['S1'], welded })).toBe(false);
  });
});

describe('B, two relays', () => {
  const circuit = build('two-relays');
  const all = ['S2', 'Q1', 'A1.CH1'];
  const fallen = (doing: readonly string[], welded: readonly string[] = []): readonly boolean[] =>
    ['A2.IN2', 'A2.IN3'].map((pin) => circuit.fed(pin, { doing, welded }));

  test.each([
    { welded: 'K1p', other: 'A1.CH1', seen: [false, true] },
    { welded: 'K2p', other: 'Q1', seen: [true, false] },
  ])(
    '$welded welded: the other relay still isolates, and the inputs show which relay stuck',
    ({ welded, other, seen }) => {
      expect(circuit.isConnected({ doing: ['S2', other], welded: [welded] })).toBe(true);
      expect(circuit.isConnected({ doing: ['S2'], welded: [welded] })).toBe(false);
      expect(circuit.isConnected({ doing: ['S1', ...all], welded: [welded] })).toBe(false);
      expect(fallen([], [welded])).toEqual(seen);
    },
  );

  test('both welded: nothing but the fuse and the plug isolates, and the page says so', () => {
    expect(circuit.isConnected({ doing: ['S1'], welded: ['K1p', 'K2p'] })).toBe(true);
    expect(circuit.isConnected({ doing: ['F2'], welded: ['K1p', 'K2p'] })).toBe(false);
  });

  test('a transistor that conducts for ever holds K1 until button or key; K2 still isolates', () => {
    expect(circuit.holds('K1', { doing: ['S2', 'Q1'] })).toBe(true);
    expect(circuit.isConnected({ doing: ['S2', 'Q1'] })).toBe(false);
    expect(circuit.holds('K1', { doing: ['S2', 'Q1', 'S1'] })).toBe(false);
    expect(circuit.holds('K1', { doing: ['Q1'] })).toBe(false);
  });

  test('an input sees its own relay fall, and no wire break makes it say so', () => {
    expect(fallen(all)).toEqual([false, false]);
    expect(fallen(['S2', 'A1.CH1'])).toEqual([true, false]);
    expect(fallen(['S2', 'Q1'])).toEqual([false, true]);
    for (const wire of circuit.wires)
      for (const [input, coil] of [
        ['A2.IN2', 'K1'],
        ['A2.IN3', 'K2'],
      ] as const)
        expect(
          circuit.fed(input, { doing: all, broken: [wire] }) &&
            circuit.holds(coil, { doing: all, broken: [wire] }),
        ).toBe(false);
  });

  test('button, key and F1 take the supply of both coils; the board and the inputs keep theirs when the button is pressed', () => {
    for (const doing of [
      ['S1', ...all],
      ['Q1', 'A1.CH1'],
      ['F1', ...all],
    ])
      expect(['K1', 'K2'].map((coil) => circuit.holds(coil, { doing }))).toEqual([false, false]);
    expect(circuit.fed('A1.+', { doing: ['S1'] })).toBe(true);
    expect(fallen(['S1', ...all])).toEqual([true, true]);
    expect(circuit.fed('A2.IN1', { doing: [] })).toBe(true);
    expect(circuit.fed('A2.IN1', { doing: ['S1'] })).toBe(false);
  });

  test('each coil has its diode the right way round, and the gate its pull-down', () => {
    for (const [coil, diode] of [
      ['K1', 'D1'],
      ['K2', 'D2'],
    ] as const) {
      expect(circuit.joined(`${diode}.1`, `${coil}.1`)).toBe(true);
      expect(circuit.joined(`${diode}.2`, `${coil}.2`)).toBe(true);
    }
    expect(circuit.joined('R2.1', 'Q1.g')).toBe(true);
    expect(circuit.joined('R2.2', 'G1.0 V')).toBe(true);
    expect(circuit.joined('R1.1', 'Q1.g')).toBe(true);
    expect(circuit.joined('R1.2', 'PI.BCM17')).toBe(true);
    expect(circuit.joined('PI.GND', 'G1.0 V')).toBe(true);
  });
});

describe('C, a relay and a switch port', () => {
  const circuit = build('relay-and-switch-port');

  test('the input sees the supply of the island: a welded relay is seen, a pressed button, too', () => {
    expect(circuit.fed('A1.DI1', { doing: ['A1.CH1'] })).toBe(true);
    expect(circuit.fed('A1.DI1', { doing: [], welded: ['A1.CH1'] })).toBe(true);
    expect(circuit.fed('A1.DI1', { doing: ['S1'], welded: ['A1.CH1'] })).toBe(false);
    expect(circuit.fed('A1.DI1', { doing: [] })).toBe(false);
  });

  test('the switch stands between island and vault', () => {
    expect(circuit.joined('W1.port 2', 'A3.port 1')).toBe(true);
    expect(circuit.joined('A3.port 2', 'V1.LAN')).toBe(true);
  });
});
