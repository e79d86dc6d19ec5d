/** Ordinary days and attacks on a real tree, with a real restic. The long form (PORTCULLIS_LONG=1) writes the table of docs/anomalies.md. */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingTools } from '../controller/appliance.ts';
import { Life } from './life.ts';
import type { Night } from './life.ts';
import type { Village } from './village.ts';

const IS_LONG = process.env['PORTCULLIS_LONG'] !== undefined;
const DAYS = IS_LONG ? 30 : 8;
const SIZE = IS_LONG ? { documents: 2_000, photos: 400, logs: 20 } : { documents: 260, photos: 30, logs: 4 };
const SEED = 20_261_121;
if (!IS_LONG)
  console.info(`short form: ${DAYS} days, few attacks; PORTCULLIS_LONG=1 runs thirty and writes the table`);

const DOCUMENT = /document-/;
const share = (of: readonly string[], part: number): readonly string[] =>
  of.filter((_, index) => index % 100 < part * 100);

interface Attack {
  readonly name: string;
  readonly isShort?: boolean;
  /** Nights over which it goes on; each call is one. */
  readonly nights?: number;
  readonly act: (village: Village, night: number) => void;
  /** What is expected of it: the rules of which one must speak, or none. */
  readonly rules: readonly string[];
}

const ATTACKS: readonly Attack[] = [
  {
    name: 'all files encrypted in place',
    isShort: true,
    act: (village) => village.files.forEach((path) => village.encrypt(path)),
    rules: ['random-data', 'out-of-type'],
  },
  {
    name: 'all encrypted, times put back',
    act: (village) => village.files.forEach((path) => village.encrypt(path, { keepTime: true })),
    rules: ['random-data', 'out-of-type'],
  },
  {
    name: 'all encrypted and renamed to `.locked`',
    act: (village) => {
      for (const path of village.files.slice()) {
        village.encrypt(path);
        village.rename(path, `${path}.locked`);
      }
    },
    rules: ['renamed', 'random-data'],
  },
  {
    name: 'all encrypted and renamed to random names',
    act: (village) => {
      for (const [index, path] of [...village.files].entries()) {
        village.encrypt(path);
        village.rename(path, path.replace(/[^/]+$/, (index * 7_919).toString(36)));
      }
    },
    rules: ['random-data'],
  },
  {
    name: 'first 4 KiB of all files encrypted',
    act: (village) => village.files.forEach((path) => village.encrypt(path, { first: 4_096 })),
    rules: ['many-changed', 'less-compressible', 'random-data', 'out-of-type'],
  },
  {
    name: 'a tenth of the documents encrypted',
    act: (village) => share(village.of(DOCUMENT), 0.1).forEach((path) => village.encrypt(path)),
    rules: ['random-data', 'out-of-type', 'more-random-data'],
  },
  {
    name: 'all encrypted and packed as `.zip`',
    act: (village) => {
      for (const path of village.files.slice()) {
        village.encrypt(path);
        village.rename(path, `${path}.zip`);
      }
    },
    rules: ['removed'],
  },
  {
    name: 'half of the files deleted',
    isShort: true,
    act: (village) => share([...village.files], 0.5).forEach((path) => village.remove(path)),
    rules: ['deleted'],
  },
  {
    name: 'a tenth of the files deleted',
    act: (village) => share([...village.files], 0.1).forEach((path) => village.remove(path)),
    rules: ['deleted', 'removed'],
  },
  {
    name: 'all renamed to `.locked`, contents as they were',
    isShort: true,
    act: (village) => [...village.files].forEach((path) => village.rename(path, `${path}.locked`)),
    rules: ['renamed'],
  },
  {
    name: 'all renamed to random names, contents as they were',
    act: (village) =>
      [...village.files].forEach((path, index) =>
        village.rename(path, path.replace(/[^/]+$/, (index * 7_919).toString(36))),
      ),
    rules: ['moved'],
  },
  {
    name: 'slow: five documents a night encrypted, beside ordinary work',
    isShort: true,
    nights: 12,
    act: (village, night) => {
      village.day(100 * 30 + 1);
      village
        .of(DOCUMENT)
        .slice(night * 5, night * 5 + 5)
        .forEach((path) => village.encrypt(path));
    },
    rules: ['out-of-type'],
  },
  {
    name: 'slow: one document a night encrypted, beside ordinary work',
    nights: 24,
    act: (village, night) => {
      village.day(100 * 30 + 1);
      village
        .of(DOCUMENT)
        .slice(night, night + 1)
        .forEach((path) => village.encrypt(path));
    },
    rules: [],
  },
  {
    name: 'slow: a hundredth of the files deleted each night',
    nights: 12,
    act: (village) => {
      village.day(100 * 30 + 1);
      share([...village.files], 0.01).forEach((path) => village.remove(path));
    },
    rules: [],
  },
  {
    name: 'harmless: every document edited at once',
    act: (village) => village.of(DOCUMENT).forEach((path) => village.edit(path)),
    rules: [],
  },
  {
    name: 'harmless: everything moved into another folder',
    act: (village) =>
      village.files
        .slice()
        .forEach((path) => village.rename(path, path.replace(village.root, `${village.root}/new`))),
    rules: [],
  },
  {
    name: 'harmless: rights and times of all files changed',
    act: (village) => village.files.forEach((path) => utimesSync(path, new Date(), new Date())),
    rules: [],
  },
  {
    name: 'only photos encrypted, a third of them',
    act: (village) => share(village.of(/\.jpg$/), 0.33).forEach((path) => village.encrypt(path)),
    rules: [],
  },
];

describe.skipIf(missingTools() !== null)('a village', { timeout: IS_LONG ? 1_800_000 : 240_000 }, () => {
  const life = new Life();
  let bringBack: () => Promise<void> = () => Promise.resolve();
  const rows: string[] = [];
  beforeAll(() => life.start(SEED, SIZE), 120_000);
  afterAll(() => life.stop());

  test('ordinary days hold nothing, cut nothing, and the guard has nothing to say', async () => {
    const odd: unknown[] = [];
    let warned = 0;
    for (let day = 0; day < DAYS; day += 1) {
      if (day > 0) life.village.day(day);
      // oxlint-disable-next-line no-await-in-loop -- one day after the other
      const night = await life.night();
      expect(night.backup.outcome).toEqual({ kind: 'done' });
      odd.push(...night.anomalies.filter(({ action }) => action !== 'warn').map((each) => ({ day, each })));
      odd.push(...night.guards.filter(({ outcome }) => outcome !== 'clear').map((each) => ({ day, each })));
      warned += night.anomalies.length;
    }
    expect(odd).toEqual([]);
    expect(life.ledger.frozen('vault')).toBeNull();
    rows.push(`| ${DAYS} ordinary days | nothing in ${DAYS} | ${warned} warnings | | | |`);
    bringBack = life.keep();
  });

  const attacks = ATTACKS.filter(({ isShort }) => IS_LONG || isShort === true);
  test.each(attacks)('$name', async ({ name, nights = 1, act, rules }) => {
    await bringBack();
    // What was brought back has new inodes: one quiet night, so that nothing but the attack is new.
    const quiet = await life.night();
    expect(quiet.anomalies).toEqual([]);
    let last: Night | null = null;
    let number = 0;
    let survey = '-';
    for (; number < nights; number += 1) {
      act(life.village, number);
      // oxlint-disable-next-line no-await-in-loop
      last = await life.night();
      if (survey === '-' && last.guards.some(({ outcome }) => outcome !== 'clear'))
        survey = `night ${number + 1}`;
      if (last.anomalies.some(({ action }) => action !== 'warn')) break;
    }
    if (last === null) throw new Error('no night');
    const told = last.anomalies.filter(({ action }) => action !== 'warn');
    rows.push(rowOf(name, last, Math.min(number + 1, nights), survey));
    if (rules.length === 0) return;
    expect(told.map(({ rule }) => rule)).toEqual(
      expect.arrayContaining([expect.stringMatching(`^(${rules.join('|')})$`)]),
    );
    expect(last.isCut).toBe(told.some(({ action }) => action === 'isolate'));
    expect(life.ledger.frozen('vault')).toContain('portcullis anomaly release');
    if (!last.isCut) {
      const suspects = life.bench.snapshots('vault').filter(({ tags }) => String(tags).includes('suspect'));
      expect(suspects).toHaveLength(1);
      expect(life.ledger.repository('vault').snapshots.at(-1)?.id).toBe(suspects[0]?.id);
    }
  });

  test.runIf(IS_LONG)('the table of docs/anomalies.md is what was found', () => {
    const file = join(import.meta.dirname, '../../docs/anomalies.md');
    const text = readFileSync(file, 'utf8');
    const table = `<!-- table -->\n\n| what happened | seen by | what is done | after so many files | bytes on the vault | change_survey, before connecting |\n| --- | --- | --- | --- | --- | --- |\n${rows.join('\n')}\n\n<!-- /table -->`;
    console.info(table);
    if (process.env['REWRITE'] !== undefined)
      writeFileSync(file, text.replace(/<!-- table -->[^]*<!-- \/table -->/, table));
  });
});

function rowOf(name: string, night: Night, nights: number, survey: string): string {
  const told = night.anomalies.filter(({ action }) => action !== 'warn');
  const rules = [...new Set(told.map(({ rule }) => `\`${rule}\``))].join(', ') || '**not seen**';
  const action = night.isCut ? 'cut' : told.length > 0 ? 'held' : 'nothing';
  // New and changed files until the first rule spoke.
  const files = Math.min(
    ...told.map(({ numbers }) => (numbers['changed'] ?? Infinity) + (numbers['new'] ?? Infinity)),
  );
  const when = nights === 1 ? '' : `, night ${nights}`;
  const inVain = nights === 1 ? '' : ` in ${nights} nights`;
  const seen = night.isCut ? String(files) : 'the end of the backup';
  return `| ${name} | ${rules}${told.length === 0 ? inVain : when} | ${action} | ${told.length === 0 ? '' : seen} | ${(night.grown / 2 ** 20).toFixed(1)} MiB | ${survey} |`;
}
