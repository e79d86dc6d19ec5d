/** Vaults behind links that are really cut: a REST and an SFTP server at the far end of a cable, and a disk that is torn out. Needs root. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { layCable } from '../contacts/cable.ts';
import type { Cable } from '../contacts/cable.ts';
import { eventually } from './appliance.ts';
import { LoopDisk, Place } from './loop-disk.ts';

/** Port at the far end, whose namespace nobody else uses. */
const PORT = 8_000;
const SFTP_PORT = 2_222;

export interface CutVault {
  /** The repository's entry in the configuration, but for the password. */
  readonly entry: Readonly<Record<string, unknown>>;
  /** `host:port` that answers when the vault does; a fresh link gives "no route to host" for a moment. */
  readonly reach: string | null;
  readonly connect: () => void;
  /** From now on nothing arrives. */
  readonly cut: () => void;
  /** Gives a look at what lies there, past the link. */
  readonly inspect: <T>(look: (directory: string) => T) => T;
  readonly stop: () => void;
}

/** Bytes of all files below `directory`, finished or not; 0 when there is nothing. */
export function bytesIn(directory: string): number {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .map((name) => statSync(join(directory, name), { throwIfNoEntry: false }))
      .reduce((sum, found) => sum + (found?.isFile() === true ? found.size : 0), 0);
  } catch {
    return 0; // not there yet, or gone just now
  }
}

class Far {
  readonly cable: Cable = layCable();
  #server: ChildProcess | null = null;
  #said = '';

  async serve(command: readonly string[], listensOn: number): Promise<void> {
    const [program = '', ...rest] = [...this.cable.inside, ...command];
    const server = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [server.stdout, server.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said = `${this.#said}${text}`.slice(-4_000);
      });
    this.#server = server;
    await eventually('the server of the vault to listen', () => {
      if (server.exitCode !== null) throw new Error(`it ended: ${this.#said}`);
      const [ip, ...inside] = this.cable.inside;
      const args = [...inside, 'ss', '-Hltn', `sport = :${listensOn}`];
      return spawnSync(ip ?? '', args, { encoding: 'utf8' }).stdout.trim() !== '';
    });
  }

  /** Everything that runs there ends, the server's children included. */
  stop(): void {
    this.#server?.kill('SIGKILL');
    const space = this.cable.inside.at(-1) ?? '';
    for (const pid of spawnSync('ip', ['netns', 'pids', space], { encoding: 'utf8' }).stdout.split('\n'))
      if (/^\d+$/.test(pid)) spawnSync('kill', ['-KILL', pid]);
    this.cable.remove();
  }
}

/** Either end of the cable loses it: by the plug at the far end, or by our own interface. */
const cutter = (cable: Cable, isOurEnd: () => boolean) => {
  let lost: 'none' | 'ours' | 'theirs' = 'none';
  return {
    connect: () => {
      if (lost === 'ours') cable.administer('up');
      if (lost === 'theirs') cable.plug();
      lost = 'none';
    },
    cut: () => {
      if (lost !== 'none') return;
      lost = isOurEnd() ? 'ours' : 'theirs';
      if (lost === 'ours') cable.administer('down');
      else cable.pull();
    },
  };
};

/** rclone's REST server. */
export async function restVault(directory: string, isOurEnd: () => boolean): Promise<CutVault> {
  const far = new Far();
  const vault = join(directory, 'rest');
  mkdirSync(vault);
  const address = `${far.cable.far}:${PORT}`;
  await far.serve(
    ['rclone', 'serve', 'restic', '--addr', address, '--config', '/dev/null', '--cache-objects=false', vault],
    PORT,
  );
  return {
    entry: { url: `rest:http://${address}/`, interface: far.cable.interface },
    reach: address,
    ...cutter(far.cable, isOurEnd),
    inspect: (look) => look(vault),
    stop: () => far.stop(),
  };
}

/** Debian's OpenSSH server. */
export async function sftpVault(directory: string, isOurEnd: () => boolean): Promise<CutVault> {
  const far = new Far();
  const vault = join(directory, 'sftp');
  const keys = join(directory, 'keys');
  for (const path of [vault, keys]) mkdirSync(path);
  for (const key of ['client', 'host'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, key)]);
  const known = join(keys, 'known');
  writeFileSync(known, `[${far.cable.far}]:${SFTP_PORT} ${readFileSync(join(keys, 'host.pub'), 'utf8')}`);
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const settings = [
    `Port ${SFTP_PORT}`,
    `ListenAddress ${far.cable.far}`,
    `HostKey ${join(keys, 'host')}`,
    `AuthorizedKeysFile ${join(keys, 'client.pub')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'Subsystem sftp internal-sftp',
  ];
  writeFileSync(join(keys, 'config'), `${settings.join('\n')}\n`);
  await far.serve(['/usr/sbin/sshd', '-D', '-e', '-f', join(keys, 'config')], SFTP_PORT);
  return {
    entry: {
      url: `sftp://${userInfo().username}@${far.cable.far}:${SFTP_PORT}/${vault}`,
      interface: far.cable.interface,
      ssh: { key_file: join(keys, 'client'), known_hosts_file: known },
    },
    reach: `${far.cable.far}:${SFTP_PORT}`,
    ...cutter(far.cable, isOurEnd),
    inspect: (look) => look(vault),
    stop: () => far.stop(),
  };
}

/** As when the plug is pulled: nothing more reaches the disk, not even what the file system has in hand (FS_IOC_SHUTDOWN, no log flush). */
const TEAR_OUT = `import fcntl,os,struct,sys
fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587d,struct.pack('I',2))`;

/** A disk with ext4. */
export function diskVault(directory: string): CutVault {
  const place = new Place(directory);
  const disk = new LoopDisk(directory, 'disk', 400);
  const look = join(directory, 'look');
  mkdirSync(look);
  return {
    entry: { url: `${place.at}/restic`, mount: { uuid: disk.uuid, at: place.at, timeout: '10s' } },
    reach: null,
    connect: () => disk.plug(),
    cut: () => {
      if (spawnSync('mountpoint', ['-q', place.at]).status === 0)
        execFileSync('python3', ['-c', TEAR_OUT, place.at]);
      disk.unplug();
    },
    inspect: (see) => {
      // While it is attached it is seen where it is mounted; else on a loop device of its own.
      if (spawnSync('mountpoint', ['-q', place.at]).status === 0) return see(join(place.at, 'restic'));
      disk.released();
      execFileSync('mount', ['-o', 'loop', disk.image, look]);
      try {
        return see(join(look, 'restic'));
      } finally {
        execFileSync('umount', [look]);
        disk.released();
      }
    },
    stop: () => {
      place.remove();
      disk.unplug();
      spawnSync('umount', ['-l', look]);
    },
  };
}
