import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { crowding, paint } from '../../hardware/drawings/paint.ts';
import { parseSheet, type Sheet } from '../../hardware/drawings/sheet.ts';

const FOLDER = join(import.meta.dirname, '../../hardware/drawings');
const README = readFileSync(join(FOLDER, '../README.md'), 'utf8');
const sheets = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace(/\.yaml$/, ''));
const sheet = (name: string): Sheet => parseSheet(parse(readFileSync(join(FOLDER, `${name}.yaml`), 'utf8')));

test('there is a drawing for each of the three builds and the dead-man circuit, and a page shows it', () => {
  expect(sheets).toEqual(['dead-man', 'relay-and-switch-port', 'relay-hat', 'two-relays']);
  const pages = README + sheets.map((name) => readFileSync(join(FOLDER, `../${name}.md`), 'utf8')).join('\n');
  for (const name of sheets) expect(pages).toContain(`](drawings/${name}.svg)`);
});

describe.each(sheets)('%s', (name) => {
  test('the committed SVG is the one that its text makes (else: node hardware/drawings/draw.ts)', () => {
    expect(readFileSync(join(FOLDER, `${name}.svg`), 'utf8')).toBe(paint(sheet(name)));
  });

  test('no label covers a label, a wire or a symbol', () => {
    expect(crowding(sheet(name))).toEqual([]);
  });
});

test('a label on a wire, a label on a label and a label beside the paper are seen', () => {
  const crowded = parseSheet({
    title: 'T',
    subtitle: 'S',
    size: [40, 40],
    legend: [2, 36],
    parts: [
      { id: 'F1', kind: 'fuse', at: [10, 15], text: ['a fuse'] },
      { id: 'F2', kind: 'fuse', at: [30, 15], text: ['far too long for it'] },
    ],
    wires: [
      {
        net: 'supply',
        along: [
          [12, 10],
          [12, 20],
        ],
      },
    ],
    notes: [{ at: [2, 36], text: ['over the legend'] }],
  });
  expect(crowding(crowded)).toEqual([
    '"a fuse" covers a wire at 12,10',
    '"far too long for it" leaves the paper',
    '"over the legend" covers "supply, 24 V DC or less"',
  ]);
});

test('a wire that runs slantwise or ends at no pin is refused', () => {
  const wired = (along: unknown[]): Sheet =>
    parseSheet({
      title: 'T',
      subtitle: 'S',
      size: [9, 9],
      legend: [1, 8],
      parts: [],
      wires: [{ net: 'zero', along }],
    });
  expect(() =>
    paint(
      wired([
        [1, 1],
        [2, 3],
      ]),
    ),
  ).toThrow('slantwise');
  expect(() => paint(wired([[1, 1], 'K9.1']))).toThrow('there is no pin K9.1');
});
