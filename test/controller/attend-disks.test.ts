/** Disks of an attended session: which, mounted how, and gone before or after the link. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { AttendedDisks, disksBehind, type DiskNews } from '../../src/command/attend-disks.ts';
import { configSchema, type Config } from '../../src/config/schema.ts';
import { ownHand } from '../../src/controller/attach/mount-hand.ts';
import { answerMount, askedHand } from '../../src/controller/attach/mount-request.ts';
import { mountAt } from '../../src/controller/attach/mount-table.ts';
import { LoopDisk, missingDisks, mountByHand, Place } from './loop-disk.ts';

const NEVER = new AbortController().signal;
const UUID = '03e41a7b-aeb4-45c8-9f43-1a155be9b4b4';

const configured = (uuid: string, at: string): Config => {
  const repository = (url: string) => ({
    url,
    password_file: '/dev/null',
    mount: { uuid, at, timeout: '1s', options: ['rw'] },
  });
  const window = (link: string, ...names: string[]) => ({
    link,
    opens: '0 3 * * *',
    timezone: 'UTC',
    lasts: '1h',
    steps: names.map((name) => ({ check: { repository: name } })),
  });
  return configSchema.parse({
    links: { vault: { contacts: [] }, attic: { contacts: [] } },
    repositories: {
      one: repository(`${at}/one`),
      two: repository(`${at}/two`),
      far: { url: 'rest:http://10.0.0.2:8000/', password_file: '/dev/null' },
      elsewhere: { ...repository('/mnt/other/x'), mount: { uuid, at: '/mnt/other' } },
    },
    windows: { nightly: window('vault', 'one', 'two', 'far'), weekly: window('attic', 'elsewhere') },
  });
};

/** A configuration with a disk that is not there. */
const absentFor = (at: string, timeout: string) => ({
  links: {},
  repositories: {
    one: { url: `${at}/one`, password_file: '/dev/null', mount: { uuid: UUID, at, timeout } },
  },
});

test('the disks behind a link are those of its windows, each mount point once', () => {
  const config = configured(UUID, '/mnt/vault');
  expect(disksBehind(config, 'vault').map(({ repository }) => repository)).toEqual(['one']);
  expect(disksBehind(config, 'attic').map(({ repository }) => repository)).toEqual(['elsewhere']);
  expect(disksBehind(config, 'constructor')).toEqual([]);
});

describe.skipIf(missingDisks() !== null)('with a disk', { timeout: 60_000 }, () => {
  let directory: string;
  let place: Place;
  let disk: LoopDisk;
  let news: DiskNews[];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'portcullis-attended-disk-'));
    place = new Place(directory);
    disk = new LoopDisk(directory, 'mine', 8);
    disk.plug();
    mountByHand(disk, place.at);
    writeFileSync(join(place.at, 'kept'), 'what is restored');
    spawnSync('umount', [place.at]);
    news = [];
  });
  afterEach(() => {
    place.remove();
    disk.unplug();
    rmSync(directory, { recursive: true });
  });
  const tell = (each: DiskNews): void => void news.push(each);

  test('it is read from and not written to, by root here and by the helper, and is gone afterwards', async () => {
    const config = configured(disk.uuid, place.at);
    const socket = join(directory, 'mount.sock');
    const helper = createServer((peer) =>
      peer.once(
        'data',
        (line) =>
          void answerMount(config, ownHand, String(line), NEVER).then((text) => peer.end(`${text}\n`)),
      ),
    );
    await new Promise<void>((resolve) => helper.listen(socket, resolve));
    try {
      for (const hand of [ownHand, askedHand(socket)]) {
        const disks = new AttendedDisks(disksBehind(config, 'vault'), hand, tell);
        await disks.mount(NEVER);
        expect(mountAt(place.at)).toMatchObject({ isReadOnly: true, device: disk.number });
        expect(readFileSync(join(place.at, 'kept'), 'utf8')).toBe('what is restored');
        expect(() => writeFileSync(join(place.at, 'kept'), 'x')).toThrow('EROFS');
        await disks.leave('orderly');
        expect(mountAt(place.at)).toBeNull();
        await disks.leave('lazy');
      }
    } finally {
      helper.close();
    }
    const told = { repository: 'one', at: place.at };
    expect(news).toEqual(
      [0, 1].flatMap(() => [
        { ...told, event: 'mounted' },
        { ...told, event: 'unmounted' },
      ]),
    );
  });

  test('what cannot be mounted is told; a link that is lost while the disk is awaited leaves nothing mounted', async () => {
    const [absent] = disksBehind(configured(UUID, place.at), 'vault');
    const [mine] = disksBehind(configured(disk.uuid, place.at), 'vault');
    if (absent === undefined || mine === undefined) throw new Error('no disks');
    const none = new AttendedDisks([absent], ownHand, tell);
    await none.mount(NEVER);
    expect(news).toMatchObject([{ event: 'not-mounted', why: expect.stringContaining(UUID) as string }]);
    const lost = new AbortController();
    const disks = new AttendedDisks([absent, mine], ownHand, tell);
    const mounting = disks.mount(lost.signal);
    lost.abort();
    await disks.leave('lazy');
    await mounting;
    expect(mountAt(place.at)).toBeNull();
    expect(news.at(-1)).toMatchObject({ event: 'not-mounted' });
  });

  test('whoever stops while the kernel mounts has nothing mounted afterwards', async () => {
    const [mine] = disksBehind(configured(disk.uuid, place.at), 'vault');
    if (mine === undefined) throw new Error('no disk');
    const stop = new AbortController();
    const mounting = ownHand.mount('one', mine.mount, stop.signal).then(String, String);
    while (mountAt(place.at) === null) await new Promise(setImmediate);
    stop.abort();
    expect(await mounting).toContain('mounting was stopped');
    expect(mountAt(place.at)).toBeNull();
  });

  test('a way to the mount point over a symbolic link is refused: that mount would be found by nobody', async () => {
    symlinkSync(directory, join(directory, 'alias'));
    const at = place.at.replace(directory, join(directory, 'alias'));
    const [mine] = disksBehind(configured(disk.uuid, at), 'vault');
    if (mine === undefined) throw new Error('no disk');
    await expect(ownHand.mount('one', mine.mount, NEVER)).rejects.toMatchObject({ code: 'MOUNT_POINT' });
    expect(mountAt(place.at)).toBeNull();
  });

  test('the helper answers, and ends when whoever asked hangs up, long before the disk is given up', async () => {
    const file = join(directory, 'portcullis.yaml');
    writeFileSync(file, JSON.stringify(absentFor(place.at, '1s')));
    const main = join(import.meta.dirname, '../../src/main.ts');
    let ended = Promise.withResolvers<number | null>();
    const asking = new AbortController();
    const helper = createServer({ pauseOnConnect: true }, (peer) => {
      const child = spawn(process.execPath, [main, 'mount-hand', '--config', file], {
        stdio: [peer, peer, 'inherit'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      // systemd keeps none either.
      child.once('spawn', () => peer.destroy());
      child.once('exit', (code) => ended.resolve(code));
    });
    const socket = join(directory, 'mount.sock');
    await new Promise<void>((resolve) => helper.listen(socket, resolve));
    try {
      const disks = new AttendedDisks(
        disksBehind(configured(UUID, place.at), 'vault'),
        askedHand(socket),
        tell,
      );
      await disks.mount(NEVER);
      expect(news).toMatchObject([{ event: 'not-mounted', why: expect.stringContaining(UUID) as string }]);
      expect(await ended.promise).toBe(0);
      writeFileSync(file, JSON.stringify(absentFor(place.at, '10m')));
      ended = Promise.withResolvers();
      const mounting = disks.mount(asking.signal);
      await new Promise((resolve) => helper.once('connection', resolve));
      asking.abort();
      await mounting;
      expect(await ended.promise).toBe(0);
    } finally {
      helper.close();
    }
  }, 30_000);
});
