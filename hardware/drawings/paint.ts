/** Paints a sheet as SVG, with its own paper so that it reads on a light and on a dark page. */
import { endsOf, lies } from './circuit.ts';
import {
  NETS,
  pinsOf,
  wiresOf,
  type Box,
  type Net,
  type Part,
  type Point,
  type Sheet,
  type Wire,
} from './sheet.ts';
import { symbol } from './symbols.ts';

const SQUARE_PX = 10;
const LINE_PX = 16;
const TEXT_PX = 12;
/** Wider than most fonts, so that a label that fits here fits everywhere. */
const GLYPH = 0.6;

const px = (squares: number): number => squares * SQUARE_PX;
const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** A rectangle that something covers, px. */
export interface Area {
  readonly what: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  readonly style: 'title' | 'head' | 'plain' | 'pin' | 'note';
}

const SIZES = { title: 20, head: 13, plain: TEXT_PX, pin: 11, note: TEXT_PX } as const;

const areaOf = ({ text, x, y, anchor, style }: Label): Area => {
  const width = text.length * SIZES[style] * GLYPH;
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
  return { what: `"${text}"`, x: left, y: y - SIZES[style] * 0.8, width, height: SIZES[style] };
};

function block(text: readonly string[], x: number, y: number, anchor: Label['anchor']): Label[] {
  return text.map((line, index) => ({
    text: line,
    x,
    y: y + index * LINE_PX,
    anchor,
    style: index === 0 ? 'head' : 'plain',
  }));
}

function partLabels(part: Exclude<Part, Box>): Label[] {
  const [x, y] = [px(part.at[0]), px(part.at[1])];
  const lying = part.kind !== 'nmos' && part.lying;
  const height = (part.text.length - 1) * LINE_PX;
  const aside = part.kind === 'coil' ? 24 : 19;
  switch (part.label) {
    case 'right':
      return block(part.text, x + aside, y - height / 2 + 4, 'start');
    case 'left':
      return block(part.text, x - aside - (part.kind.includes('-n') ? 22 : 0), y - height / 2 + 4, 'end');
    case 'above':
      return block(part.text, x, y - (lying ? 22 : 36) - height, 'middle');
    case 'below':
      return block(part.text, x, y + (lying ? 32 : 46), 'middle');
    case 'none':
      return [];
  }
}

function boxLabels(part: Box): Label[] {
  const [x, y] = [px(part.at[0]), px(part.at[1])];
  const [dx, dy] = part.text_at ?? [1.5, 2.5];
  const pins = [...pinsOf(part)].map(([name, at]): Label => {
    const [edge] = part.pins[name] ?? ['left'];
    const [ax, ay] = [px(at[0]), px(at[1])];
    switch (edge) {
      case 'left':
        return { text: name, x: ax + 6, y: ay + 4, anchor: 'start', style: 'pin' };
      case 'right':
        return { text: name, x: ax - 6, y: ay + 4, anchor: 'end', style: 'pin' };
      case 'top':
        return { text: name, x: ax, y: ay + 14, anchor: 'middle', style: 'pin' };
      case 'bottom':
        return { text: name, x: ax, y: ay - 6, anchor: 'middle', style: 'pin' };
    }
  });
  return [...block(part.text, x + px(dx), y + px(dy), 'start'), ...pins];
}

const legendNets = (sheet: Sheet): readonly Net[] =>
  (Object.keys(NETS) as Net[]).filter((net) => sheet.wires.some((wire) => wire.net === net));

function labelsOf(sheet: Sheet): Label[] {
  const [legendX, legendY] = sheet.legend;
  return [
    { text: sheet.title, x: 24, y: 36, anchor: 'start', style: 'title' },
    { text: sheet.subtitle, x: 24, y: 58, anchor: 'start', style: 'note' },
    ...sheet.parts.flatMap((part) => (part.kind === 'box' ? boxLabels(part) : partLabels(part))),
    ...sheet.notes.flatMap(({ at, text }) => block(text, px(at[0]), px(at[1]), 'start')),
    ...legendNets(sheet).map((net, index): Label => ({
      text: NETS[net].means,
      x: px(legendX) + 40,
      y: px(legendY) + index * LINE_PX + 4,
      anchor: 'start',
      style: 'note',
    })),
  ];
}

/** Where three or more wires or pins meet: drawn as a dot. */
function junctions(sheet: Sheet, wires: readonly Wire[]): Point[] {
  const spots = new Map<string, Point>();
  for (const wire of wires) for (const end of endsOf(wire)) spots.set(end.join(), end);
  const pins = sheet.parts.flatMap((part) => [...pinsOf(part).values()]);
  return [...spots.values()].filter((spot) => {
    const through = wires.filter((wire) => lies(spot, wire));
    const ends = through.map((wire) => (endsOf(wire).some((end) => end.join() === spot.join()) ? 1 : 2));
    const onPins = pins.filter((pin) => pin.join() === spot.join()).length;
    return ends.reduce((sum, count) => sum + count, 0) + onPins >= 3;
  });
}

const STYLE = [
  'svg{font-family:Helvetica,Arial,"DejaVu Sans",sans-serif;color:#1d2430}',
  '.part path,.part rect,.part circle{fill:none;stroke:#1d2430;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}',
  '.part .solid{fill:#1d2430}.part .button{fill:#c62828;stroke:#7f1d1d}.part .linkage{stroke-dasharray:4 3;stroke-width:1.2}',
  '.part .body{fill:#fff;stroke-width:1.6}.part .dashed{stroke-dasharray:7 5;fill:#f6f1e4}',
  '.wire{fill:none;stroke-width:2;stroke-linejoin:round}.data{stroke-width:4}',
  'text{fill:#1d2430}.title{font-size:20px;font-weight:700}.head{font-size:13px;font-weight:700}',
  '.plain,.note{font-size:12px;fill:#3c4654}.pin{font-size:11px;fill:#3c4654}',
].join('\n');

const wireSvg = ({ net, points }: Wire): string =>
  `<polyline class="wire${net === 'data' ? ' data' : ''}" stroke="${NETS[net].colour}" points="${points
    .map(([x, y]) => `${px(x)},${px(y)}`)
    .join(' ')}"/>`;

function partSvg(part: Part): string {
  const [x, y] = [px(part.at[0]), px(part.at[1])];
  if (part.kind === 'box') {
    const [width, height] = [px(part.size[0]), px(part.size[1])];
    return `<g class="part"><rect class="body${part.dashed ? ' dashed' : ''}" x="${x}" y="${y}" width="${width}" height="${height}" rx="5"/></g>`;
  }
  const turned = part.kind !== 'nmos' && part.lying ? ' rotate(-90)' : '';
  return `<g class="part" transform="translate(${x} ${y})${turned}">${symbol(part.kind)}</g>`;
}

/** The drawing as SVG. */
export function paint(sheet: Sheet): string {
  const [width, height] = [px(sheet.size[0]), px(sheet.size[1])];
  const wires = wiresOf(sheet);
  const [legendX, legendY] = [px(sheet.legend[0]), px(sheet.legend[1])];
  const dots = junctions(sheet, wires).map(([x, y]) => {
    const net = wires.find((wire) => lies([x, y], wire))?.net ?? 'zero';
    return `<circle cx="${px(x)}" cy="${px(y)}" r="3.5" fill="${NETS[net].colour}"/>`;
  });
  const boxes = sheet.parts.filter((part) => part.kind === 'box');
  const others = sheet.parts.filter((part) => part.kind !== 'box');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escape(`${sheet.title}: ${sheet.subtitle}`)}</title>`,
    `<style>\n${STYLE}\n</style>`,
    `<rect width="${width}" height="${height}" rx="10" fill="#fdfcf8"/>`,
    ...boxes.filter((box) => box.dashed).map(partSvg),
    ...wires.map(wireSvg),
    ...boxes.filter((box) => !box.dashed).map(partSvg),
    ...others.map(partSvg),
    ...dots,
    ...legendNets(sheet).map((net, index) =>
      wireSvg({
        net,
        points: [
          [legendX / SQUARE_PX, (legendY + index * LINE_PX) / SQUARE_PX],
          [legendX / SQUARE_PX + 3, (legendY + index * LINE_PX) / SQUARE_PX],
        ],
      }),
    ),
    ...labelsOf(sheet).map(
      ({ text, x, y, anchor, style }) =>
        `<text class="${style}" x="${x}" y="${y}" text-anchor="${anchor}">${escape(text)}</text>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}

/** What an upright symbol covers beside its leads: to the left, to the right, up and down, px. */
const BODIES = {
  fuse: [6, 6, 15],
  resistor: [6, 6, 15],
  ntc: [16, 14, 18],
  coil: [18, 18, 10],
  capacitor: [13, 13, 4],
  diode: [9, 9, 10],
  zener: [9, 9, 14],
  'contact-no': [13, 2, 15],
  'contact-nc': [2, 13, 16],
  'mushroom-nc': [36, 13, 16],
  'key-no': [36, 2, 16],
  nmos: [22, 14, 18],
} as const;

function bodyOf(part: Exclude<Part, Box>): Area {
  const [left, right, along] = BODIES[part.kind];
  const [x, y] = [px(part.at[0]), px(part.at[1])];
  // Lying symbols are turned to the left: what was on the left is below.
  return part.kind !== 'nmos' && part.lying
    ? { what: part.id, x: x - along, y: y - right, width: along * 2, height: left + right }
    : { what: part.id, x: x - left, y: y - along, width: left + right, height: along * 2 };
}

const meet = (a: Area, b: Area): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const wireAreas = (wire: Wire): Area[] =>
  wire.points.slice(1).map((end, index) => {
    const start = wire.points[index] ?? end;
    return {
      what: `a wire at ${start.join()}`,
      x: px(Math.min(start[0], end[0])) - 1,
      y: px(Math.min(start[1], end[1])) - 1,
      width: px(Math.abs(end[0] - start[0])) + 2,
      height: px(Math.abs(end[1] - start[1])) + 2,
    };
  });

/** What covers what: labels on labels, wires, symbols, edges of boxes, or beside the paper. Empty when the drawing reads well. */
export function crowding(sheet: Sheet): string[] {
  const labels = labelsOf(sheet).map(areaOf);
  const [width, height] = [px(sheet.size[0]), px(sheet.size[1])];
  const edges = sheet.parts
    .filter((part) => part.kind === 'box')
    .flatMap(({ id, at: [x, y], size: [w, h] }) =>
      wireAreas({
        net: 'zero',
        points: [
          [x, y],
          [x + w, y],
          [x + w, y + h],
          [x, y + h],
          [x, y],
        ],
      }).map((area) => ({
        ...area,
        what: `the edge of ${id}`,
      })),
    );
  const obstacles = [
    ...wiresOf(sheet).flatMap(wireAreas),
    ...sheet.parts.filter((part) => part.kind !== 'box').map(bodyOf),
    ...edges,
  ];
  return labels.flatMap((label, index) => [
    ...(label.x < 8 || label.y < 8 || label.x + label.width > width - 8 || label.y + label.height > height - 8
      ? [`${label.what} leaves the paper`]
      : []),
    ...[...labels.slice(index + 1), ...obstacles]
      .filter((other) => meet(label, other))
      .map((other) => `${label.what} covers ${other.what}`),
  ]);
}
