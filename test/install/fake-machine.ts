/** Directories that look like a machine: what `portcullis setup` finds there. */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What such a machine has. */
export interface Hardware {
  readonly serialById?: Readonly<Record<string, string>>;
  readonly serialByPath?: Readonly<Record<string, string>>;
  readonly chips?: Readonly<Record<string, string>>;
  readonly interfaces?: readonly string[];
  readonly defaultRoute?: string;
  readonly disks?: Readonly<Record<string, string>>;
  readonly types?: Readonly<Record<string, string>>;
  readonly mounted?: readonly string[];
}

/** Makes it; whoever asked removes it. */
export function fakeMachine(hardware: Hardware): string {
  const root = mkdtempSync(join(tmpdir(), 'portcullis-machine-'));
  const file = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const link = (path: string, target: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  };
  for (const [name, tty] of Object.entries(hardware.serialById ?? {}))
    link(`dev/serial/by-id/${name}`, `../../${tty}`);
  for (const [name, tty] of Object.entries(hardware.serialByPath ?? {}))
    link(`dev/serial/by-path/${name}`, `../../${tty}`);
  for (const [index, [label, lines]] of Object.entries(hardware.chips ?? {}).entries()) {
    file(`sys/class/gpio/gpiochip${512 + index}/label`, `${label}\n`);
    file(`sys/class/gpio/gpiochip${512 + index}/base`, `${512 + index}\n`);
    file(`sys/class/gpio/gpiochip${512 + index}/ngpio`, `${lines}\n`);
  }
  file('sys/class/net/lo/address', '00:00:00:00:00:00\n');
  for (const name of hardware.interfaces ?? []) file(`sys/class/net/${name}/device/vendor`, '0x1\n');
  file('proc/net/route', `Iface\tDestination\tGateway\n${hardware.defaultRoute ?? 'none'}\t00000000\t01\n`);
  for (const [index, [uuid, device]] of Object.entries(hardware.disks ?? {}).entries()) {
    link(`dev/disk/by-uuid/${uuid}`, `../../${device}`);
    file(`sys/class/block/${device}/dev`, `8:${index}\n`);
    const type = hardware.types?.[uuid];
    if (type !== undefined)
      file(`run/udev/data/b8:${index}`, `S:disk/by-uuid/${uuid}\nE:ID_FS_TYPE=${type}\n`);
  }
  file('proc/mounts', (hardware.mounted ?? []).map((each) => `/dev/${each} / ext4 rw 0 0\n`).join(''));
  file('etc/timezone', 'Europe/Berlin\n');
  return root;
}
