/** The box of a seed: its links, its windows, and its configuration as the controller reads it. */
import type { Config } from '../../src/config/schema.ts';
import type { WindowConfig } from '../../src/interlock/windows/window-clock.ts';
import type { Dice } from '../simulation/dice.ts';
import { linksOf } from '../simulation/layout.ts';
import type { Layout } from '../simulation/world.ts';
import type { WholeProgram } from './program.ts';

export const STATE = '/state/controller';
/** Who answers behind each link. */
export const HOSTS: Readonly<Record<string, string>> = { vault: '10.0.0.2', attic: '10.0.1.2' };
export const WINDOWS: Readonly<Record<string, string>> = { vault: 'nightly', attic: 'weekly' };
/** Of each group so many stay whatever the rules say. */
export const FLOOR = 3;
const MINUTE_MS = 60_000;

/** Windows once a day, close to each other, so that a day is soon lived. */
export const windowsOf = (dice: Dice): Readonly<Record<string, WindowConfig>> => ({
  nightly: {
    link: 'vault',
    opens: '5 3 * * *',
    timezone: 'UTC',
    jitter: dice.pick([0, 20_000]),
    lasts: dice.between(3, 7) * MINUTE_MS,
  },
  weekly: {
    link: 'attic',
    opens: dice.pick(['7 3 * * *', '5 3 * * *', '7 3 * * 1,3,5']),
    timezone: 'UTC',
    jitter: 0,
    lasts: dice.between(3, 6) * MINUTE_MS,
  },
});

export const layoutOf = (build: string): Layout => ({
  links: (dice, time) =>
    linksOf(dice, time, {
      budgets: [20 * MINUTE_MS, 60 * MINUTE_MS, 240 * MINUTE_MS],
      proofAges: [40 * 86_400_000],
    }),
  windows: windowsOf,
  build,
});

/** The configuration that belongs to these windows. */
export function configOf(
  program: WholeProgram,
  dice: Dice,
  windows: Readonly<Record<string, WindowConfig>>,
): Config {
  const guards = [
    { canary: { action: dice.pick(['trip', 'skip']) } },
    { source_present: {} },
    { all_clear: { url: 'http://10.9.9.9/' } },
  ].filter(() => dice.chance(0.6));
  const window = (name: string, repository: string): object => ({
    link: windows[name]?.link,
    opens: windows[name]?.opens,
    timezone: 'UTC',
    jitter: `${(windows[name]?.jitter ?? 0) / 1_000}s`,
    lasts: `${Math.floor((windows[name]?.lasts ?? 0) / 1_000)}s`,
    grace: dice.pick(['0s', '10s', '30s']),
    ...(dice.chance(0.5)
      ? { reach: { tcp: `${HOSTS[windows[name]?.link ?? '']}:8000`, timeout: '20s' } }
      : {}),
    ...(dice.chance(0.3) ? { prepare: [{ command: ['/opt/dump'], timeout: '20s' }] } : {}),
    ...(dice.chance(0.3) ? { after: [{ command: ['/opt/tell'], timeout: '20s' }] } : {}),
    guards,
    anomalies: { while_running: dice.pick(['isolate', 'trip', 'hold']), learn_from: 3 },
    steps: [
      { backup: { repository, paths: [`/srv/${repository}`], host: 'appliance' } },
      {
        forget: {
          repository,
          keep_last: dice.pick([2, 3, 3, 4]),
          minimum_snapshots: FLOOR,
          prune: dice.chance(0.3),
        },
      },
      ...(dice.chance(0.5) ? [{ check: { repository, read_data_subset: 'rotate/5' } }] : []),
    ],
  });
  const repository = (link: string): object => ({
    url: `rest:http://${HOSTS[link]}:8000/`,
    password_file: '/etc/portcullis/password',
    recovery_point: '2d',
  });
  return program.configSchema.parse({
    state_directory: '/state',
    runtime_directory: '/run/portcullis',
    links: {
      vault: { contacts: [], settle: '1s', connect_timeout: '4s' },
      attic: { contacts: [], settle: '500ms', connect_timeout: '4s' },
    },
    repositories: { vault: repository('vault'), attic: repository('attic') },
    windows: { nightly: window('nightly', 'vault'), weekly: window('weekly', 'attic') },
    notify: [{ type: 'webhook', url: 'https://ops.example/hook', secret_file: '/etc/portcullis/hook' }],
  });
}
