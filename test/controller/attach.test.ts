/** Disks and ways: attached, looked at, left. */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { repository as repositorySchema } from '../../src/config/schema/repositories.ts';
import { configSchema } from '../../src/config/schema.ts';
import { vaultHost, vaultPath } from '../../src/config/meaning/vault-host.ts';
import { attach } from '../../src/controller/attach/attach.ts';
import type { Target } from '../../src/controller/attach/attach.ts';
import { ownHand } from '../../src/controller/attach/mount-hand.ts';
import type { MountHand } from '../../src/controller/attach/mount-hand.ts';
import { answerMount, askedHand } from '../../src/controller/attach/mount-request.ts';
import { deviceOf, mountAt, parseMounts } from '../../src/controller/attach/mount-table.ts';
import { wayProblem } from '../../src/controller/attach/route.ts';
import { ControllerFault } from '../../src/controller/fault.ts';
import { cableMissing, layCable } from '../contacts/cable.ts';
import type { Cable } from '../contacts/cable.ts';
import { LoopDisk, missingDisks, mountByHand, Place } from './loop-disk.ts';

const NEVER = new AbortController().signal;
const target = (name: string, settings: Readonly<Record<string, unknown>>): Target => ({
  name,
  settings: repositorySchema.parse({ password_file: '/dev/null', ...settings }),
});

describe('what the kernel and addresses say', () => {
  test('mounts with blanks, the upper one of two, read-only by either word', () => {
    const mounts = parseMounts(
      [
        '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
        '40 22 8:17 / /mnt/the\\040vault ro,nosuid shared:2 - ext4 /dev/sdb1 rw',
        '41 40 8:33 / /mnt/the\\040vault rw - xfs /dev/sdc1 rw,errors=ro-not',
        '42 40 8:34 / /mnt/b rw - ext4 /dev/sdc2 ro',
        '',
      ].join('\n'),
    );
    expect(mountAt('/mnt/the vault', mounts)).toEqual({
      at: '/mnt/the vault',
      device: '8:33',
      type: 'xfs',
      source: '/dev/sdc1',
      isReadOnly: false,
    });
    expect(mounts.map(({ isReadOnly }) => isReadOnly)).toEqual([false, true, false, true]);
    expect(mountAt('/mnt', mounts)).toBeNull();
  });
  test('device numbers as stat(1) takes them apart', () => {
    for (const path of ['/dev/null', '/proc', '/tmp'].map((each) => [each, statSync(each)] as const)) {
      const [name, { dev }] = path;
      const major = spawnSync('stat', ['-c', '%Hd:%Ld', name], { encoding: 'utf8' }).stdout.trim();
      expect(deviceOf(dev)).toBe(major);
    }
    expect(deviceOf(0x1_2345)).toBe('291:69');
    expect(deviceOf(0x1230_0845)).toBe('8:74565'); // 0x12345
  });
  test.each([
    ['rest:https://box:secret@10.0.0.2:8000/x', '10.0.0.2', null],
    ['rest:http://[fd00::2]:8000/', 'fd00::2', null],
    ['sftp:user@10.0.0.2:/srv', '10.0.0.2', null],
    ['sftp://user@10.0.0.2:22//srv', '10.0.0.2', null],
    ['s3:https://10.0.0.2/bucket', '10.0.0.2', null],
    ['rclone:remote:x', null, null],
    ['/mnt/vault/restic', null, '/mnt/vault/restic'],
    ['local:/mnt/vault/restic', null, '/mnt/vault/restic'],
  ])('%s', (url, host, path) => {
    expect([vaultHost(url), vaultPath(url)]).toEqual([host, path]);
  });
});

describe('leaving', () => {
  const settings = (at: string) => ({ url: `${at}/restic`, mount: { uuid: '1234-ABCD', at } });
  const recorder = (failsAt: string | null) => {
    const done: string[] = [];
    const hand: MountHand = {
      mount: (name) => {
        done.push(`mount ${name}`);
        if (name === failsAt) return Promise.reject(new ControllerFault('MOUNT_FAILED', 'no', 'try'));
        return Promise.resolve({ device: '0:0', uuid: '1234-ABCD' });
      },
      unmount: (name, _settings, manner) => {
        done.push(`unmount ${name} ${manner}`);
        return name === 'b'
          ? Promise.reject(new ControllerFault('MOUNT_FAILED', 'it stays', 'see'))
          : Promise.resolve(manner);
      },
    };
    return { done, hand };
  };
  test('a disk that cannot be mounted: nothing stays mounted', async () => {
    const { done, hand } = recorder('a');
    await expect(attach([target('a', settings('/mnt/a'))], hand, NEVER)).rejects.toThrow('no');
    expect(done).toEqual(['mount a']);
  });
  test('a disk that is not where it should be is unmounted again', async () => {
    const { done, hand } = recorder(null);
    await expect(attach([target('a', settings('/mnt/not-there'))], hand, NEVER)).rejects.toThrow(
      'nothing is mounted at /mnt/not-there',
    );
    expect(done).toEqual(['mount a', 'unmount a orderly']);
  });
});

describe.skipIf(missingDisks() !== null)('a disk of a vault', { timeout: 60_000 }, () => {
  let directory: string;
  let place: Place;
  const disks: LoopDisk[] = [];
  const servers: Server[] = [];
  const disk = (name: string, copyOf?: LoopDisk): LoopDisk => {
    const made = new LoopDisk(directory, name, 8, copyOf);
    disks.push(made);
    made.plug();
    return made;
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'portcullis-attach-'));
    place = new Place(directory);
  });
  afterEach(() => {
    place.remove();
    for (const each of disks.splice(0)) each.unplug();
    for (const each of servers.splice(0)) each.close();
    rmSync(directory, { recursive: true });
  });
  const vaultOn = ({ uuid }: LoopDisk, more: Readonly<Record<string, unknown>> = {}) =>
    target('vault', { url: `${place.at}/restic`, mount: { uuid, at: place.at, timeout: '1s', ...more } });

  test('the disk with this UUID is mounted, looked at, and left', async () => {
    disk('another');
    const mine = disk('mine');
    const vault = await attach([vaultOn(mine), { ...vaultOn(mine), name: 'twin' }], ownHand, NEVER);
    expect(mountAt(place.at)).toMatchObject({ source: mine.device, device: mine.number });
    expect(vault.disks.get('vault')).toEqual({ uuid: mine.uuid, device: mine.number });
    await vault.look('vault');
    mkdirSync(join(place.at, 'restic'));
    await vault.look('vault');
    expect(await vault.leave(false)).toEqual([]);
    expect(mountAt(place.at)).toBeNull();
    await expect(vault.look('vault')).rejects.toThrow(/nothing is mounted/);
  });

  test('what else is seen there afterwards is refused: nothing, another disk, a link, a disk that turned read-only', async () => {
    const mine = disk('mine');
    const other = disk('other');
    const vault = await attach([vaultOn(mine)], ownHand, NEVER);
    mountByHand(other, place.at);
    await expect(vault.look('vault')).rejects.toMatchObject({ code: 'OTHER_DEVICE' });
    spawnSync('umount', [place.at]);
    await vault.look('vault');
    symlinkSync(directory, join(place.at, 'restic'));
    await expect(vault.look('vault')).rejects.toThrow(/symbolic link/);
    rmSync(join(place.at, 'restic'));
    const below = join(place.at, 'restic');
    mkdirSync(below);
    mountByHand(other, below);
    await expect(vault.look('vault')).rejects.toThrow(/lies on the device/);
    spawnSync('umount', [below]);
    spawnSync('mount', ['-o', 'remount,ro', place.at]);
    await expect(vault.look('vault')).rejects.toThrow(/read-only/);
    expect(await vault.leave(false)).toEqual([]);
  });

  test('a mount point into which anybody could write is refused, and so is one that is missing', async () => {
    const mine = disk('mine');
    place.writable(true);
    await expect(attach([vaultOn(mine)], ownHand, NEVER)).rejects.toMatchObject({
      code: 'MOUNT_POINT',
      message: expect.stringContaining('files can be written into') as string,
    });
    place.writable(false);
    await expect(attach([vaultOn(mine, { at: `${place.at}/no` })], ownHand, NEVER)).rejects.toMatchObject({
      code: 'MOUNT_POINT',
    });
    expect(mountAt(place.at)).toBeNull();
  });

  test('no disk with this UUID; two that claim it', async () => {
    const mine = disk('mine');
    mine.unplug();
    mine.released();
    await expect(attach([vaultOn(mine)], ownHand, NEVER)).rejects.toMatchObject({ code: 'VAULT_ABSENT' });
    mine.plug();
    disk('clone', mine);
    await expect(attach([vaultOn(mine)], ownHand, NEVER)).rejects.toThrow(/several disks/);
    expect(mountAt(place.at)).toBeNull();
  });

  test('what an earlier life left mounted goes before anything is mounted; what is busy goes lazily', async () => {
    const mine = disk('mine');
    const gone = disk('gone');
    mountByHand(gone, place.at);
    const vault = await attach([vaultOn(mine)], ownHand, NEVER);
    expect(mountAt(place.at)?.source).toBe(mine.device);
    const before = process.cwd();
    process.chdir(place.at);
    try {
      expect(await vault.leave(false)).toEqual([expect.stringContaining('unmounted lazily')]);
    } finally {
      process.chdir(before);
    }
    expect(mountAt(place.at)).toBeNull();
  });

  test('a watch tells once that the vault is gone', async () => {
    const vault = await attach([vaultOn(disk('mine'))], ownHand, NEVER);
    const heard = Promise.withResolvers<string>();
    const end = vault.watch(heard.resolve);
    spawnSync('umount', ['-l', place.at]);
    expect(await heard.promise).toContain('nothing is mounted');
    end();
  });

  test('for a controller that is not root another process mounts: what the configuration names, and nothing else', async () => {
    const mine = disk('mine');
    const { settings } = vaultOn(mine);
    const config = configSchema.parse({
      repositories: {
        vault: {
          password_file: '/dev/null',
          url: settings.url,
          mount: { uuid: mine.uuid, at: place.at, timeout: '1s' },
        },
      },
    });
    const path = join(directory, 'mount.sock');
    const server = createServer((socket) =>
      socket.once(
        'data',
        (line) =>
          void answerMount(config, ownHand, String(line), NEVER).then((text) => socket.end(`${text}\n`)),
      ),
    );
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const vault = await attach([vaultOn(mine)], askedHand(path), NEVER);
    expect(mountAt(place.at)?.source).toBe(mine.device);
    writeFileSync(join(place.at, 'file'), 'x');
    expect(await vault.leave(true)).toEqual([]);
    expect(readdirSync(place.at)).toEqual([]);
    mine.unplug();
    mine.released();
    await expect(attach([vaultOn(mine)], askedHand(path), NEVER)).rejects.toMatchObject({
      code: 'VAULT_ABSENT',
    });
    for (const bad of [
      '{',
      '{}',
      '{"do":"mount","repository":"constructor"}',
      '{"do":"mount","repository":"vault","at":"/"}',
    ])
      expect(await answerMount(config, ownHand, bad, NEVER)).toContain('MOUNT_FAILED');
    await expect(attach([vaultOn(mine)], askedHand(join(directory, 'none')), NEVER)).rejects.toThrow(
      /cannot be asked/,
    );
  });
});

const noCable = cableMissing();
if (noCable !== null) console.warn(`NOT TESTED: the way to a vault: ${noCable}`);

describe.skipIf(noCable !== null)('the way to a vault', { timeout: 60_000 }, () => {
  let cable: Cable;
  const detour = `pcd${process.pid % 100_000}`;
  beforeEach(() => {
    cable = layCable();
  });
  afterEach(() => {
    spawnSync('ip', ['link', 'delete', detour]);
    cable.remove();
  });

  test('packets that would leave by another interface are not sent', async () => {
    const way = { host: cable.far, interface: cable.interface };
    expect(await wayProblem(way)).toBeNull();
    expect(await wayProblem({ ...way, interface: 'lo' })).toMatch(/not an address of lo/);
    const vault = await attach(
      [target('vault', { url: `rest:http://${cable.far}:8000/`, interface: cable.interface })],
      ownHand,
      NEVER,
    );
    await vault.look('vault');
    // A way around, as a default route is one.
    for (const args of [
      ['link', 'add', detour, 'type', 'veth', 'peer', 'name', `${detour}p`],
      ['address', 'add', '192.0.2.77/32', 'dev', detour],
      ['link', 'set', detour, 'up'],
      ['link', 'set', `${detour}p`, 'up'],
      ['route', 'add', `${cable.far}/32`, 'dev', detour, 'src', '192.0.2.77', 'metric', '4000'],
    ])
      spawnSync('ip', args);
    // More exact than the way through the cable: it wins although the cable is there.
    await expect(vault.look('vault')).rejects.toThrow(/would not leave by .* 192\.0\.2\.77/);
    spawnSync('ip', ['route', 'del', `${cable.far}/32`, 'dev', detour]);
    await vault.look('vault');
    cable.administer('down');
    await expect(vault.look('vault')).rejects.toMatchObject({ code: 'ROUTE_ELSEWHERE' });
    expect(await vault.leave(true)).toEqual([]);
  });
});
