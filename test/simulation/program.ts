/** The program under simulation: the real one, or a copy with one text replaced. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cut } from '../../src/contacts/cut.ts';
import { commission } from '../../src/interlock/rights/commissioning-session.ts';
import { Interlock } from '../../src/interlock/interlock.ts';
import { LatchFile } from '../../src/interlock/records/latch-file.ts';
import { latchesFound } from '../../src/interlock/records/latches-found.ts';
import { Ledger } from '../../src/interlock/records/ledger.ts';
import { ProofRecord, recordProof } from '../../src/interlock/records/proof-record.ts';
import { askSession, endSession } from '../../src/interlock/rights/session-asking.ts';
import { WindowClock } from '../../src/interlock/windows/window-clock.ts';

/** What the simulation takes from the product. */
export interface Program {
  readonly Interlock: typeof Interlock;
  readonly LatchFile: typeof LatchFile;
  readonly Ledger: typeof Ledger;
  readonly ProofRecord: typeof ProofRecord;
  readonly WindowClock: typeof WindowClock;
  readonly latchesFound: typeof latchesFound;
  readonly cut: typeof cut;
  readonly commission: typeof commission;
  readonly recordProof: typeof recordProof;
  readonly askSession: typeof askSession;
  readonly endSession: typeof endSession;
}

/** The product as it is. */
export const realProgram: Program = {
  Interlock,
  LatchFile,
  Ledger,
  ProofRecord,
  WindowClock,
  latchesFound,
  cut,
  commission,
  recordProof,
  askSession,
  endSession,
};

/** A text of a source file and what stands there instead. */
export interface Mutation {
  /** Below `src/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What runs when the interlock runs; of the other folders it uses types. */
const PARTS = ['core', 'interlock', 'sources', 'contacts'];

/** Matches the text whatever the formatter did to its white space. */
const loosely = (text: string): RegExp =>
  new RegExp(
    text
      .trim()
      .split(/\s+/)
      .map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('\\s+'),
    'g',
  );

const plain = (source: string): string =>
  stripTypeScriptTypes(source).replaceAll(/(from '\.[^']+)\.ts'/g, "$1.mjs'");
/** Files without their types; every mutant needs all of them. */
const untouched = new Map<string, string>();

/** Copies parts of the product to `directory`, with one text replaced; the text must be there exactly once. */
export function mutatedTree(directory: string, parts: readonly string[], mutation: Mutation): void {
  for (const part of parts) {
    for (const name of readdirSync(join(root, 'src', part), { recursive: true, encoding: 'utf8' })) {
      const file = `${part}/${name}`;
      if (!name.endsWith('.ts')) continue;
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      const source = readFileSync(join(root, 'src', file), 'utf8');
      const text =
        file === mutation.file ? plain(mutated(source, mutation)) : (untouched.get(file) ?? plain(source));
      if (file !== mutation.file) untouched.set(file, text);
      writeFileSync(join(directory, file.replace(/\.ts$/, '.mjs')), text);
    }
  }
}

/** Loads a copy of the interlock, made in `directory`. */
export async function mutatedProgram(directory: string, mutation: Mutation): Promise<Program> {
  mutatedTree(directory, PARTS, mutation);
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  const load = async (file: string): Promise<unknown> =>
    import(/* @vite-ignore */ pathToFileURL(join(directory, file)).href);
  const parts = await Promise.all([
    load('interlock/interlock.mjs'),
    load('interlock/records/latch-file.mjs'),
    load('interlock/records/latches-found.mjs'),
    load('interlock/records/ledger.mjs'),
    load('interlock/records/proof-record.mjs'),
    load('interlock/rights/commissioning-session.mjs'),
    load('interlock/rights/session-asking.mjs'),
    load('interlock/windows/window-clock.mjs'),
    load('contacts/cut.mjs'),
  ]);
  return Object.assign({}, ...parts) as Program;
}

function mutated(source: string, { file, find, replace }: Mutation): string {
  const matches = source.match(loosely(find))?.length ?? 0;
  if (matches !== 1) throw new Error(`the text of this mutant is ${matches} times in ${file}: ${find}`);
  return source.replace(loosely(find), () => replace);
}
