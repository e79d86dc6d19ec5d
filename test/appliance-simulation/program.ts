/** The whole program under simulation: the real one, or a copy with one text replaced. */
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { configSchema } from '../../src/config/schema.ts';
import { leaveRelease } from '../../src/controller/anomalies/release.ts';
import { startController } from '../../src/controller/compose.ts';
import { createSocketServer } from '../../src/interlock/socket/socket-server.ts';
import { buildId } from '../../src/protocol/build.ts';
import { type Mutation, mutatedTree, type Program, realProgram } from '../simulation/program.ts';

/** What the simulation of the whole takes from the product. */
export interface WholeProgram {
  readonly interlock: Program;
  readonly buildId: typeof buildId;
  readonly configSchema: typeof configSchema;
  readonly createSocketServer: typeof createSocketServer;
  readonly leaveRelease: typeof leaveRelease;
  readonly startController: typeof startController;
}

/** The product as it is. */
export const realWhole: WholeProgram = {
  interlock: realProgram,
  buildId,
  configSchema,
  createSocketServer,
  leaveRelease,
  startController,
};

const PARTS = ['config', 'contacts', 'controller', 'core', 'interlock', 'journal', 'protocol', 'sources'];
const MODULES = [
  'interlock/interlock',
  'interlock/records/latch-file',
  'interlock/records/latches-found',
  'interlock/records/ledger',
  'interlock/records/proof-record',
  'interlock/rights/commissioning-session',
  'interlock/rights/session-asking',
  'interlock/windows/window-clock',
  'contacts/cut',
];

/** Loads a copy of the product, made in `directory`, with one text replaced. */
export async function mutatedWhole(directory: string, mutation: Mutation): Promise<WholeProgram> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const src = join(directory, 'src');
  mkdirSync(src, { recursive: true });
  mutatedTree(src, PARTS, mutation);
  for (const name of ['node_modules', 'firmware-profiles'])
    symlinkSync(join(root, name), join(directory, name));
  copyFileSync(join(root, 'package.json'), join(directory, 'package.json'));
  const load = async (name: string): Promise<object> =>
    (await import(/* @vite-ignore */ pathToFileURL(join(src, `${name}.mjs`)).href)) as object;
  const interlock = await Promise.all(MODULES.map(load));
  const rest = await Promise.all(
    [
      'config/schema',
      'controller/anomalies/release',
      'controller/compose',
      'interlock/socket/socket-server',
      'protocol/build',
    ].map(load),
  );
  return Object.assign({ interlock: Object.assign({}, ...interlock) as Program }, ...rest) as WholeProgram;
}
