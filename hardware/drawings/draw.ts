/** Draws every sheet beside this file: `node hardware/drawings/draw.ts` writes NAME.svg from NAME.yaml. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { crowding, paint } from './paint.ts';
import { parseSheet } from './sheet.ts';

const FOLDER = import.meta.dirname;

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))) {
  const sheet = parseSheet(parse(readFileSync(join(FOLDER, file), 'utf8')));
  writeFileSync(join(FOLDER, file.replace(/yaml$/, 'svg')), paint(sheet));
  process.stdout.write(
    `${file}\n${crowding(sheet)
      .map((problem) => `  ${problem}\n`)
      .join('')}`,
  );
}
