/** The whole program under simulation: the real one, or a copy with one text replaced. */
import { copyFileSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { configSchema } from '../../src/config/schema.ts';
import { leaveRelease } from '../../src/controller/anomalies/release.ts';
import { startController } from '../../src/controller/compose.ts';
import { createSocketServer } from '../../src/interlock/socket-server.ts';
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
  'interlock/latch-file',
  'interlock/latches-found',
  'interlock/ledger',
  'interlock/proof-record',
  'interlock/commissioning-session',
  'interlock/session-asking',
  'interlock/window-clock',
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
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' });
  /** Named by its part and its own name, wherever within the part it lies. */
  const load = async (name: string): Promise<object> => {
    const [part = '', own = ''] = [dirname(name).split('/')[0], basename(name)];
    const found = files.filter((file) => file.startsWith(`${part}/`) && file.endsWith(`/${own}.mjs`));
    const [file = name] = found.filter((each) => each === `${name}.mjs`).concat(found);
    return (await import(/* @vite-ignore */ pathToFileURL(join(src, file)).href)) as object;
  };
  const interlock = await Promise.all(MODULES.map(load));
  const rest = await Promise.all(
    [
      'config/schema',
      'controller/anomalies/release',
      'controller/compose',
      'interlock/socket-server',
      'protocol/build',
    ].map(load),
  );
  return Object.assign({ interlock: Object.assign({}, ...interlock) as Program }, ...rest) as WholeProgram;
}
