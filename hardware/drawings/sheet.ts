/**
 * What the text of a drawing may say. Everything is measured in squares of the grid (10 px); a drawing is also a
 * netlist, so a test can ask it whether the island is fed.
 */
import { z } from 'zod';

/** Ways in which a wire is drawn, and what it carries. The legend shows those that are used. */
export const NETS = {
  supply: { colour: '#b3261e', means: 'supply, 24 V DC or less' },
  coil: { colour: '#c06000', means: 'coil supply' },
  zero: { colour: '#1f4e9e', means: '0 V' },
  signal: { colour: '#1b7340', means: 'signal of the box' },
  mirror: { colour: '#7b3fa0', means: 'witness' },
  data: { colour: '#3c4654', means: 'network or serial cable' },
} as const;

const square = z.number().multipleOf(0.5);
const place = z.tuple([square, square]);
const id = z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,11}$/);
const lines = z.array(z.string().min(1).max(130)).min(1).max(12);
const side = z.enum(['left', 'right', 'above', 'below', 'none']);
const net = z.enum(['supply', 'coil', 'zero', 'signal', 'mirror', 'data']);

/** Kinds with two ends, 1 above (or left) and 2 below (or right). */
const twoEnded = z.strictObject({
  id,
  kind: z.enum([
    'fuse',
    'resistor',
    'ntc',
    'coil',
    'capacitor',
    'diode',
    'zener',
    'contact-no',
    'contact-nc',
    'mushroom-nc',
    'key-no',
  ]),
  at: place.describe('the middle'),
  lying: z.boolean().default(false).describe('from left to right'),
  /** What moves a contact: the id of a coil, or of the button or key it belongs to. */
  of: id.exactOptional(),
  text: lines,
  label: side.default('right'),
});

const transistor = z.strictObject({
  id,
  kind: z.literal('nmos'),
  at: place.describe('the middle'),
  text: lines,
  label: side.default('right'),
});

const box = z.strictObject({
  id,
  kind: z.literal('box'),
  at: place.describe('upper left corner'),
  size: place,
  text: lines.describe('the first line is the heading'),
  text_at: place.exactOptional().describe('where the text begins, from the corner'),
  pins: z.record(
    z.string().regex(/^[A-Za-z0-9+ -]{1,16}$/),
    z.tuple([z.enum(['left', 'right', 'top', 'bottom']), square]),
  ),
  /** Contacts inside the box: name, and the two pins it joins while it acts. */
  contacts: z.record(id, z.tuple([z.string(), z.string()])).default({}),
  dashed: z.boolean().default(false),
});

const step = z.union([
  z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9]{0,11}\..+$/)
    .describe('a pin: PART.PIN'),
  place,
  z.strictObject({ x: square }),
  z.strictObject({ y: square }),
]);

const sheetSchema = z.strictObject({
  title: z.string(),
  subtitle: z.string(),
  size: place,
  parts: z.array(z.discriminatedUnion('kind', [twoEnded, transistor, box])),
  wires: z.array(z.strictObject({ net, along: z.array(step).min(2) })),
  notes: z.array(z.strictObject({ at: place, text: lines })).default([]),
  legend: place,
});

/** One drawing. */
export type Sheet = z.output<typeof sheetSchema>;
export type Part = Sheet['parts'][number];
export type Box = Extract<Part, { kind: 'box' }>;
export type Net = keyof typeof NETS;
export type Point = readonly [x: number, y: number];

/** Checks a parsed YAML file. Throws a ZodError. */
export const parseSheet = (file: unknown): Sheet => sheetSchema.parse(file);

/** Half of the length of a symbol with two ends. */
export const HALF = 3;

/** Where the pins of a part are. */
export function pinsOf(part: Part): ReadonlyMap<string, Point> {
  const [x, y] = part.at;
  if (part.kind === 'nmos')
    return new Map<string, Point>([
      ['d', [x, y - HALF]],
      ['s', [x, y + HALF]],
      ['g', [x - HALF, y]],
    ]);
  if (part.kind !== 'box') {
    const [dx, dy] = part.lying ? [HALF, 0] : [0, HALF];
    return new Map<string, Point>([
      ['1', [x - dx, y - dy]],
      ['2', [x + dx, y + dy]],
    ]);
  }
  const [width, height] = part.size;
  return new Map(
    Object.entries(part.pins).map(([name, [edge, along]]): [string, Point] => {
      switch (edge) {
        case 'left':
          return [name, [x, y + along]];
        case 'right':
          return [name, [x + width, y + along]];
        case 'top':
          return [name, [x + along, y]];
        case 'bottom':
          return [name, [x + along, y + height]];
      }
    }),
  );
}

/** A wire with its corners worked out. */
export interface Wire {
  readonly net: Net;
  readonly points: readonly Point[];
}

/** The wires of a sheet. Throws when a pin does not exist or a wire runs slantwise. */
export function wiresOf(sheet: Sheet): readonly Wire[] {
  const pins = new Map(
    sheet.parts.flatMap((part) =>
      [...pinsOf(part)].map(([name, at]): [string, Point] => [`${part.id}.${name}`, at]),
    ),
  );
  return sheet.wires.map(({ net: kind, along }) => {
    const points: Point[] = [];
    for (const stop of along) {
      const last = points.at(-1);
      const next = pointOf(stop, last, pins);
      if (last !== undefined && last[0] !== next[0] && last[1] !== next[1])
        throw new Error(
          `the wire ${JSON.stringify(along)} runs slantwise from ${last.join()} to ${next.join()}`,
        );
      points.push(next);
    }
    return { net: kind, points };
  });
}

function pointOf(
  stop: z.output<typeof step>,
  last: Point | undefined,
  pins: ReadonlyMap<string, Point>,
): Point {
  if (typeof stop === 'string') {
    const pin = pins.get(stop);
    if (pin === undefined) throw new Error(`there is no pin ${stop}`);
    return pin;
  }
  if ('x' in stop || 'y' in stop) {
    if (last === undefined) throw new Error('a wire begins at a pin or a point');
    return 'x' in stop ? [stop.x, last[1]] : [last[0], stop.y];
  }
  return stop;
}
