/** A vault around the work of a window: what is left behind, whenever the cut comes. */
import { existsSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { repository as repositorySchema } from '../../src/config/schema/repositories.ts';
import type { Manner, MountHand } from '../../src/controller/attach/mount-hand.ts';
import { mountAt } from '../../src/controller/attach/mount-table.ts';
import { ControllerFault } from '../../src/controller/fault.ts';
import type { RepositoryMark } from '../../src/controller/ledger.ts';
import type { WindowJob } from '../../src/controller/windows/job.ts';
import { machinePrograms } from '../../src/controller/processes/child.ts';
import { runSwitches } from '../../src/controller/windows/run-switches.ts';
import type { WindowTools } from '../../src/controller/windows/run.ts';
import { withVault } from '../../src/controller/windows/vault.ts';

/** A file system that is there anyhow and can be written to. */
const AT = ['/dev/shm', '/tmp', '/run'].find((at) => existsSync(at) && mountAt(at)?.isReadOnly === false);
if (AT === undefined) console.warn('NOT TESTED: a vault around a window, for no tmpfs is mounted here');

describe.skipIf(AT === undefined)('a vault around the work of a window', () => {
  const at = AT ?? '';
  let switches = runSwitches();
  let mark: RepositoryMark | null = null;
  let manners: Manner[] = [];
  let journal: string[] = [];
  let onUnmount: () => Manner = () => 'orderly';
  beforeEach(() => {
    switches = runSwitches();
    mark = null;
    manners = [];
    journal = [];
    onUnmount = () => 'orderly';
  });
  const hand: MountHand = {
    mount: () => Promise.resolve({ device: mountAt(at)?.device ?? '', uuid: '1234-ABCD' }),
    unmount: (_name, _settings, manner) => {
      manners.push(manner);
      const went = onUnmount();
      return Promise.resolve(manner === 'lazy' ? 'lazy' : went);
    },
  };
  const settings = repositorySchema.parse({
    url: `${at}/no-such-vault/restic`,
    password_file: '/dev/null',
    mount: { uuid: '1234-abcd', at },
  });
  const job = {
    window: 'nightly',
    occurrence: 'one',
    link: 'vault',
    steps: [{ kind: 'backup', repository: 'main' }],
    repositories: new Map([['main', { name: 'main', settings }]]),
  } as unknown as WindowJob;
  const tools = {
    hand,
    programs: machinePrograms,
    voice: { note: () => undefined, progress: () => undefined },
    journal: (type: string) => void journal.push(type),
    now: () => new Date(),
    ledger: {
      repository: () => ({ mark }),
      note: (changes: Record<string, { mark: RepositoryMark }>) => {
        mark = changes['main']?.mark ?? null;
        return Promise.resolve();
      },
    },
  } as unknown as WindowTools;
  const work = (during: () => void = () => undefined) =>
    withVault(job, tools, switches, async (look) => {
      await look('main');
      during();
      return null;
    });
  const cut = { code: 'tripped', why: 'somebody saw something' };

  test('without a cut the disk is unmounted in order, and nothing is marked', async () => {
    expect(await work()).toBeNull();
    expect([manners, mark, journal]).toEqual([['orderly'], null, ['controller.disk-mounted']]);
  });
  test('after a cut it is taken for gone, and the repository is recovered next time, although every step was done', async () => {
    await work(() => switches.cut.throw(cut));
    expect([manners, mark]).toMatchObject([['lazy'], { kind: 'cut' }]);
  });
  test('a cut while it is being unmounted counts as well', async () => {
    onUnmount = () => {
      switches.cut.throw(cut);
      return 'orderly';
    };
    await work();
    expect([manners, mark]).toMatchObject([['orderly'], { kind: 'cut' }]);
  });
  test('what could not be written out counts as well', async () => {
    onUnmount = () => 'lazy';
    await work();
    expect([mark, journal]).toMatchObject([
      { kind: 'cut' },
      ['controller.disk-mounted', 'controller.disk-left'],
    ]);
  });
  test('what the work throws travels on, and the disk is left all the same', async () => {
    await expect(
      work(() => {
        throw new TypeError('broken invariant');
      }),
    ).rejects.toThrow('broken invariant');
    expect(manners).toEqual(['orderly']);
  });
  test('a disk that cannot be attached is why the window does nothing', async () => {
    const failing = {
      ...tools,
      hand: {
        ...hand,
        mount: () => Promise.reject(new ControllerFault('VAULT_ABSENT', 'no disk', 'plug it in')),
      },
    };
    expect(await withVault(job, failing, switches, () => expect.unreachable())).toEqual({
      code: 'VAULT_ABSENT',
      why: 'no disk',
      hint: 'plug it in',
    });
    expect(manners).toEqual([]);
  });
});
