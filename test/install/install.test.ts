/**
 * bin/install below a directory (`--root`): every file, owner and mode, an upgrade, a way back, and that nothing of it is
 * half there. Clean trees of Debian 12 and 13 with a systemd that runs are in releases.test.ts.
 */
import { execa } from 'execa';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stagedCheckout } from './staged.ts';

const INSTALL_MS = 120_000;
const lacks = ['systemd-sysusers', 'systemd-tmpfiles', 'systemctl', 'flock'].find(
  (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
);
const isRoot = process.getuid?.() === 0;
const isDebian = /^ID=(debian|raspbian)$/m.test(readFileSync('/etc/os-release', 'utf8'));
const why = !isRoot
  ? 'it needs root'
  : !isDebian
    ? 'this is no Debian'
    : lacks === undefined
      ? null
      : `${lacks} is missing`;
if (why !== null) console.warn(`SKIPPED: bin/install below a directory: ${why}`);

const scratch = mkdtempSync(join(tmpdir(), 'portcullis-install-'));
const checkout = join(scratch, 'checkout');
const root = join(scratch, 'root');
afterAll(() => rmSync(scratch, { recursive: true }));

const bin = (name: string, ...rest: string[]) =>
  execa(join(checkout, 'bin', name), rest, { all: true, reject: false, timeout: INSTALL_MS });
const install = (...rest: string[]) => bin('install', '--root', root, ...rest);
const at = (path: string): string => join(root, path);

/** `mode owner:group`, with names of the new system. */
function rights(path: string): string {
  const { mode, uid, gid } = statSync(at(path));
  const named = (file: string, id: number): string =>
    readFileSync(at(file), 'utf8')
      .split('\n')
      .find((line) => line.split(':')[2] === String(id))
      ?.split(':')[0] ?? String(id);
  const owner = uid === 0 ? 'root' : named('etc/passwd', uid);
  return `${(mode & 0o7777).toString(8)} ${owner}:${gid === 0 ? 'root' : named('etc/group', gid)}`;
}

describe.skipIf(why !== null)('bin/install --root', () => {
  let said = '';
  beforeAll(async () => {
    mkdirSync(checkout);
    mkdirSync(join(root, 'etc'), { recursive: true });
    // As Debian has it: the group of serial ports is there.
    writeFileSync(at('etc/group'), 'root:x:0:\ndialout:x:20:\n');
    writeFileSync(at('etc/passwd'), 'root:x:0:0:root:/root:/bin/bash\n');
    stagedCheckout(checkout);
    const { exitCode, all } = await install('--with-watchdog');
    said = all;
    if (exitCode !== 0) throw new Error(`bin/install: ${all}`);
  }, INSTALL_MS);

  test('a version of its own, with links to it that can be replaced in one step', () => {
    const [version, ...others] = readdirSync(at('opt/portcullis/versions')).filter(
      (each) => each !== '.lock',
    );
    expect(others).toEqual([]);
    expect(version).toMatch(/^\d+\.\d+\.\d+-[0-9a-f]{12}$/);
    expect(readlinkSync(at('opt/portcullis/current'))).toBe(`versions/${version}`);
    expect(readlinkSync(at('opt/portcullis/bin'))).toBe('current/bin');
    expect(readlinkSync(at('usr/local/bin/portcullis'))).toBe('/opt/portcullis/bin/portcullis');
    expect(said).toContain('nothing was started');
    expect(said).toContain(`installed /opt/portcullis/versions/${version}`);
  });

  test('owners and modes', () => {
    const found = [
      'opt/portcullis/current/bin/portcullis',
      'opt/portcullis/current/runtime/bin/node',
      'opt/portcullis/current/dist/main.js',
      'etc/portcullis',
      'etc/portcullis/portcullis.yaml',
      'var/lib/portcullis',
      'var/lib/portcullis/controller',
      'etc/systemd/system/portcullis-interlock.service',
      'etc/sysusers.d/portcullis.conf',
      'etc/tmpfiles.d/portcullis.conf',
      'etc/udev/rules.d/65-portcullis.rules',
      'etc/systemd/system.conf.d/portcullis.conf',
    ].map((path) => `${path} ${rights(path)}`);
    expect(found).toEqual([
      'opt/portcullis/current/bin/portcullis 755 root:root',
      'opt/portcullis/current/runtime/bin/node 755 root:root',
      'opt/portcullis/current/dist/main.js 644 root:root',
      'etc/portcullis 750 root:portcullis',
      'etc/portcullis/portcullis.yaml 640 root:portcullis',
      'var/lib/portcullis 750 portcullis-interlock:portcullis',
      'var/lib/portcullis/controller 700 portcullis-controller:portcullis',
      'etc/systemd/system/portcullis-interlock.service 644 root:root',
      'etc/sysusers.d/portcullis.conf 644 root:root',
      'etc/tmpfiles.d/portcullis.conf 644 root:root',
      'etc/udev/rules.d/65-portcullis.rules 644 root:root',
      'etc/systemd/system.conf.d/portcullis.conf 644 root:root',
    ]);
    const loose = spawnSync('find', [at('opt/portcullis'), '!', '-type', 'l', '-perm', '/022']);
    expect(loose.stdout.toString()).toBe('');
  });

  test('users are in the groups of what they touch, and no more', () => {
    const members = Object.fromEntries(
      readFileSync(at('etc/group'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(':'))
        .map(([name, , , people]) => [name, (people ?? '').split(',').filter(Boolean).toSorted()]),
    );
    expect(members['portcullis']).toEqual(['portcullis-controller', 'portcullis-interlock']);
    expect(members['dialout']).toEqual(['portcullis-interlock']);
    expect(members['gpio']).toEqual(['portcullis-interlock']);
    expect(readFileSync(at('etc/passwd'), 'utf8')).toMatch(/portcullis-controller:.*nologin/);
  });

  test('units are enabled, and systemd knows every key in them', () => {
    expect(readdirSync(at('etc/systemd/system/multi-user.target.wants')).toSorted()).toEqual([
      'portcullis-controller.service',
      'portcullis-interlock.service',
    ]);
    const units = readdirSync(join(checkout, 'systemd')).filter((each) =>
      /\.(service|socket|slice)$/.test(each),
    );
    for (const unit of units) expect(existsSync(at(`etc/systemd/system/${unit}`)), unit).toBe(true);
    const watchdog = readFileSync(at('etc/systemd/system.conf.d/portcullis.conf'), 'utf8');
    expect(Number(/^RuntimeWatchdogSec=(\d+)$/m.exec(watchdog)?.[1])).toBeLessThanOrEqual(15);
  });

  test('no package for development, no source, and what is there runs by itself', async () => {
    const version = at('opt/portcullis/current');
    for (const absent of ['src', 'test', 'node_modules/typescript', 'node_modules/vitest', '.toolchain'])
      expect(existsSync(join(version, absent)), absent).toBe(false);
    // Nothing of this machine's Node.js, packages or home.
    const bare = { env: { PATH: '/usr/bin:/bin' }, extendEnv: false, reject: false, all: true } as const;
    const program = join(version, 'bin/portcullis');
    const checked = await execa(program, ['check', at('etc/portcullis/portcullis.yaml')], bare);
    expect(checked.all).toContain('valid, 0 errors');
    expect(checked.exitCode).toBe(0);
    const rest = await execa(program, ['at-rest', '--config', at('etc/portcullis/portcullis.yaml')], bare);
    expect(rest.all).toContain('at rest');
  });

  test(
    'again: nothing is written; an upgrade keeps configuration and the version before; and back',
    async () => {
      const before = readlinkSync(at('opt/portcullis/current'));
      // What a run that was killed leaves: half a version, and a link that nothing was switched to.
      mkdirSync(at('opt/portcullis/versions/.draft/half'), { recursive: true });
      symlinkSync('versions/none', at('opt/portcullis/.current'));
      const again = await install('--with-watchdog');
      expect(again.exitCode).toBe(0);
      expect(existsSync(at('opt/portcullis/versions/.draft'))).toBe(false);
      expect(again.all).not.toMatch(/wrote|installed \/opt|removed/);

      writeFileSync(at('etc/portcullis/portcullis.yaml'), '# mine\nlinks: {}\n');
      appendFileSync(join(checkout, 'CHANGELOG.md'), 'newer\n');
      expect((await install()).exitCode).toBe(0);
      const after = readlinkSync(at('opt/portcullis/current'));
      expect(after).not.toBe(before);
      expect(readlinkSync(at('opt/portcullis/previous'))).toBe(before);
      expect(readFileSync(at('etc/portcullis/portcullis.yaml'), 'utf8')).toBe('# mine\nlinks: {}\n');

      expect((await install('--roll-back')).exitCode).toBe(0);
      expect(readlinkSync(at('opt/portcullis/current'))).toBe(before);
      expect(readlinkSync(at('opt/portcullis/previous'))).toBe(after);

      appendFileSync(join(checkout, 'CHANGELOG.md'), 'newest\n');
      const third = await install();
      expect(third.all).toContain('removed the older version');
      expect(readdirSync(at('opt/portcullis/versions')).filter((each) => each !== '.lock')).toHaveLength(2);
    },
    INSTALL_MS,
  );

  test(
    'a build that does not run is not switched to',
    async () => {
      const before = readlinkSync(at('opt/portcullis/current'));
      writeFileSync(join(checkout, 'dist/main.js'), 'throw new Error("broken");\n');
      const { exitCode, all } = await install();
      expect(exitCode).toBe(1);
      expect(all).toContain('what was built does not run');
      expect(all).toContain('what was installed and runs is as it was');
      expect(existsSync(at('opt/portcullis/versions/.draft'))).toBe(false);
      expect(readlinkSync(at('opt/portcullis/current'))).toBe(before);
    },
    INSTALL_MS,
  );

  test('a disk without room is said before anything is put there', async (context) => {
    const small = join(scratch, 'small');
    mkdirSync(small);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'none', small]).status !== 0)
      return context.skip('no tmpfs can be mounted here');
    // What a run that was killed has left is no reason.
    const half = join(small, 'opt/portcullis/versions/.draft');
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, 'half'), Buffer.alloc(20 * 1024 * 1024));
    try {
      const { exitCode, all } = await bin('install', '--root', small);
      expect(exitCode).toBe(1);
      expect(all).toMatch(
        /versions has 3\d MB left, and a version of the program takes 400 MB; nothing was changed/,
      );
    } finally {
      spawnSync('umount', [small]);
    }
  });

  test('wrong calls say how it is called, and change nothing', async () => {
    for (const wrong of [['--rot'], ['--root'], ['--root', join(scratch, 'nowhere')]]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { exitCode, all } = await bin('install', ...wrong);
      expect(exitCode).toBe(2);
      expect(all).toContain('--roll-back');
    }
    expect((await bin('uninstall', '--all')).exitCode).toBe(2);
  });
});
