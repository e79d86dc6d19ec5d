/**
 * What this machine has that a link can be made of. Only looks: nothing is opened that would move a line or a port. All
 * paths are below `root`, so that tests show it a machine that is not there.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CharacterDevice } from '../contacts/gpio/character-device.ts';
import { sysfsChips } from '../contacts/gpio/chips.ts';
import { processTimers } from '../contacts/timers.ts';

/** A chip with GPIO lines, by the label that the configuration names it by. */
export interface ChipFact {
  readonly label: string;
  readonly lines: number;
}

/** A network interface with a socket, no bridge and no tunnel. */
export interface InterfaceFact {
  readonly name: string;
  readonly wireless: boolean;
  /** The way to everybody else: not the one to a vault. */
  readonly hasDefaultRoute: boolean;
}

/** A file system on a disk that this system does not run from. */
export interface DiskFact {
  readonly uuid: string;
  /** Such as `sda1`. */
  readonly device: string;
  /** As udev says; `null` when it does not. */
  readonly type: string | null;
}

/** All of it. */
export interface Facts {
  /** Stable names below /dev/serial: by id where there is one, else by path; then the sockets on the board itself. */
  readonly serialPorts: readonly string[];
  readonly chips: readonly ChipFact[];
  readonly interfaces: readonly InterfaceFact[];
  readonly disks: readonly DiskFact[];
  /** IANA name; UTC when the machine does not say. */
  readonly timezone: string;
}

/** Looks at the machine below `root` (`/` for this one). What cannot be read is not there. */
export function factsOf(root: string): Facts {
  return {
    serialPorts: serialPorts(root),
    chips: chips(root),
    interfaces: interfaces(root),
    disks: disks(root),
    timezone: timezone(root),
  };
}

function serialPorts(root: string): readonly string[] {
  const named = (directory: string): Map<string, string> =>
    new Map(
      entries(join(root, directory)).map((name) => [
        basename(link(join(root, directory, name)) ?? name),
        `${directory}/${name}`,
      ]),
    );
  // The same port by both names is one port. Two boards without serial numbers have one name by id: the path tells them apart.
  const byPort = new Map([...named('/dev/serial/by-path'), ...named('/dev/serial/by-id')]);
  const onBoard = ['serial0', 'ttyAMA0'].filter((name) => entries(join(root, '/dev')).includes(name));
  return [...byPort.values(), ...onBoard.slice(0, 1).map((name) => `/dev/${name}`)];
}

function chips(root: string): readonly ChipFact[] {
  const found = readOr([], () => new CharacterDevice(processTimers, join(root, 'dev')).chips());
  const all = found.length > 0 ? found : readOr([], () => sysfsChips(join(root, 'sys/class/gpio')));
  return all.map(({ label, lines }) => ({ label, lines }));
}

function interfaces(root: string): readonly InterfaceFact[] {
  const directory = join(root, 'sys/class/net');
  const routes = (text(join(root, 'proc/net/route')) ?? '').split('\n').slice(1);
  const defaults = routes.flatMap((line) => {
    const [name = '', destination] = line.split('\t');
    return destination === '00000000' ? [name] : [];
  });
  return entries(directory)
    .filter((name) => entries(join(directory, name)).includes('device'))
    .map((name) => ({
      name,
      wireless: entries(join(directory, name)).some((each) => each === 'wireless' || each === 'phy80211'),
      hasDefaultRoute: defaults.includes(name),
    }));
}

/** File systems that are mounted somewhere are this system's own, or somebody's who is at work. */
function disks(root: string): readonly DiskFact[] {
  const mounts = (text(join(root, 'proc/mounts')) ?? '').split('\n').map((line) => line.split(' ')[0] ?? '');
  const mounted = new Set(mounts.filter((source) => source.startsWith('/dev/')).map((one) => basename(one)));
  const directory = join(root, 'dev/disk/by-uuid');
  return entries(directory).flatMap((uuid) => {
    const device = basename(link(join(directory, uuid)) ?? '');
    if (device === '' || mounted.has(device)) return [];
    return [{ uuid, device, type: fileSystemType(root, device) }];
  });
}

function fileSystemType(root: string, device: string): string | null {
  const numbers = text(join(root, 'sys/class/block', device, 'dev'));
  const known = numbers === null ? null : text(join(root, 'run/udev/data', `b${numbers.trim()}`));
  return /^E:ID_FS_TYPE=(\S+)$/m.exec(known ?? '')?.[1] ?? null;
}

function timezone(root: string): string {
  const written = text(join(root, 'etc/timezone'))?.trim();
  const linked = /zoneinfo\/(.+)$/.exec(link(join(root, 'etc/localtime')) ?? '')?.[1];
  const name = linked ?? written ?? 'UTC';
  return /^[A-Za-z0-9_+/-]{1,60}$/.test(name) && name !== 'Etc/UTC' ? name : 'UTC';
}

const entries = (directory: string): readonly string[] => readOr([], () => readdirSync(directory)).toSorted();
const text = (file: string): string | null => readOr(null, () => readFileSync(file, 'utf8'));
const link = (file: string): string | null => readOr(null, () => readlinkSync(file));

/** A machine that lacks something is no error here: it is what is looked for. */
function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
