/**
 * The virtual machine: its kernel and its cgroups are its own, its power can be cut. Emulated without KVM, so it is some
 * twenty times slower than this one. Its board hangs on its second serial port, its disk is `disk.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../faults/child.ts';
import { freePorts } from '../faults/ports.ts';
import { type Fate, type Loss, LossyDisk } from './disk.ts';
import { type Image, PORTS } from './image.ts';

/** ms for everything that waits for an emulated machine on a busy one. */
export const SLOW_MS = 900_000;
const MEMORY_MB = 1_024;
/** Marks the end of what a shell printed, and carries its exit code. */
const END = 'vm-shell-ended:';
/** What the firmware and the kernel draw with. */
const ESCAPES = new RegExp(`${String.fromCharCode(27)}(c|\\[[0-9;?]*[A-Za-z])`, 'g');

type PortName = keyof typeof PORTS;

export class Machine {
  readonly directory = mkdtempSync(join(tmpdir(), 'portcullis-vm-'));
  readonly disk: LossyDisk;
  /** Units that it does not start. */
  readonly masked: readonly string[];
  readonly #image: Image;
  /** Device of this machine at which the second serial port of the other ends. */
  readonly #serial: string;
  #process: ChildProcess | null = null;
  #ports: Readonly<Record<PortName, number>> | null = null;
  readonly #relays: Server[] = [];
  readonly #relayed = new Set<Socket>();
  #words = '';

  constructor(image: Image, serial: string, masked: readonly string[]) {
    this.#image = image;
    this.masked = masked;
    this.#serial = serial;
    this.disk = new LossyDisk(image.disk, join(this.directory, 'disk.sock'));
  }

  /** Makes the sockets of the interlock here, which lead to those in the machine, whichever boot it is in. */
  async prepare(): Promise<void> {
    await this.disk.serve();
    for (const name of ['interlock', 'presence'] as const) {
      const relay = createServer((socket) => this.#relay(socket, name));
      this.#relays.push(relay);
      // oxlint-disable-next-line no-await-in-loop -- two
      await new Promise<void>((resolve) => relay.listen(join(this.directory, `${name}.sock`), resolve));
    }
  }

  #relay(socket: Socket, name: PortName): void {
    const there = createConnection(this.port(name), '127.0.0.1');
    for (const each of [socket, there]) {
      this.#relayed.add(each);
      each.on('error', () => undefined); // its other end is told by the close
      each.once('close', () => {
        this.#relayed.delete(each);
        socket.destroy();
        there.destroy();
      });
    }
    socket.pipe(there).pipe(socket);
  }

  /** Port of this machine behind which a service of the other one listens. */
  port(name: PortName): number {
    if (this.#ports === null) throw new Error('the machine has no power');
    return this.#ports[name];
  }

  /** Power comes. Resolves at once; what the machine does with it is seen from outside. */
  async power(): Promise<void> {
    const [trip = 0, shell = 0, interlock = 0, presence = 0] = await freePorts(4);
    this.#ports = { trip, shell, interlock, presence };
    const forward = (Object.keys(PORTS) as PortName[]).map(
      (name) => `hostfwd=tcp:127.0.0.1:${this.port(name)}-10.0.2.15:${PORTS[name]}`,
    );
    const args = [
      '-accel',
      'tcg,thread=multi,tb-size=512',
      '-machine',
      'q35',
      '-cpu',
      'Nehalem',
      '-smp',
      '2',
    ];
    args.push('-m', String(MEMORY_MB), '-display', 'none', '-nodefaults', '-no-reboot', '-monitor', 'none');
    args.push('-serial', `file:${this.#console}`);
    args.push('-chardev', `serial,id=board,path=${this.#serial}`, '-serial', 'chardev:board');
    args.push('-blockdev', `driver=nbd,node-name=disk,server.type=unix,server.path=${this.disk.socket}`);
    args.push('-device', 'virtio-blk-pci,drive=disk,write-cache=on', '-device', 'virtio-rng-pci');
    args.push(
      '-netdev',
      `user,id=net,restrict=on,${forward.join(',')}`,
      '-device',
      'virtio-net-pci,netdev=net,romfile=',
    );
    args.push('-device', 'qemu-xhci,id=usb');
    args.push('-qmp', `unix:${this.#monitor},server=on,wait=off`);
    args.push('-kernel', this.#image.kernel, '-initrd', this.#image.initrd, '-append', this.#arguments);
    // A test run that is broken off must leave no machine behind.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#words = (this.#words + text).slice(-4_000);
    });
    this.#process = child;
  }

  get #console(): string {
    return join(this.directory, 'console');
  }

  get #arguments(): string {
    return [KERNEL_ARGUMENTS, ...this.masked.map((unit) => `systemd.mask=${unit}`)].join(' ');
  }

  get #monitor(): string {
    return join(this.directory, 'monitor.sock');
  }

  get isRunning(): boolean {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The last words of kernel and systemd, for messages. */
  words(): string {
    const text = existsSync(this.#console) ? readFileSync(this.#console, 'utf8') : '';
    return `${this.#words}\n${text.replaceAll(ESCAPES, '').slice(-4_000)}`;
  }

  /** Runs a line of bash as root in the machine; what it printed. Rejects when it fails. */
  async shell(line: string, withinMs = SLOW_MS): Promise<string> {
    const { code, output } = await this.#ask(line, withinMs);
    if (code !== 0) throw new Error(`in the machine: ${line} ended with ${code}: ${output.slice(-2_000)}`);
    return output;
  }

  #ask(line: string, withinMs: number): Promise<{ readonly code: number; readonly output: string }> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(this.port('shell'), '127.0.0.1');
      let output = '';
      const late = setTimeout(
        () =>
          over(() => reject(new Error(`no end within ${withinMs} ms of: ${line}\n${output.slice(-1_000)}`))),
        withinMs,
      );
      const over = (say: () => void): void => {
        clearTimeout(late);
        socket.destroy();
        say();
      };
      socket.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const found = new RegExp(`${END}(\\d+)\n`).exec(output);
        if (found !== null)
          over(() => resolve({ code: Number(found[1]), output: output.slice(0, found.index) }));
      });
      socket.on('error', (error) => over(() => reject(error)));
      socket.on('close', () => over(() => reject(new Error(`the machine hung up: ${line}`))));
      socket.write(`( ${line}\n) </dev/null\nprintf '%s%s\\n' '${END}' "$?"\n`);
    });
  }

  /** Waits until root in the machine answers. */
  async answers(): Promise<void> {
    await eventually(
      'the machine to answer',
      () => {
        if (!this.isRunning) throw new Error(`the machine ended: ${this.words()}`);
        return this.shell('true', 20_000).then(
          () => true,
          () => false,
        );
      },
      SLOW_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.words()}`, { cause: error });
    });
  }

  /** A command to QEMU itself (its QMP), for what is plugged in and torn out. */
  async order(execute: string, args: object = {}): Promise<void> {
    const socket = createConnection(this.#monitor);
    try {
      let heard = '';
      socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
      socket.write(`${JSON.stringify({ execute: 'qmp_capabilities' })}\n`);
      socket.write(`${JSON.stringify({ execute, arguments: args, id: 'asked' })}\n`);
      const answer = await eventually('an answer of QEMU', () =>
        heard.split('\r\n').find((line) => line.includes('"id": "asked"')),
      );
      if (answer.includes('"error"')) throw new Error(`${execute}: ${answer}`);
    } finally {
      socket.destroy();
    }
  }

  /** The power is cut: at once nothing runs any more, and what the disk had not written is lost as `fate` says. */
  async cutPower(fate: Fate): Promise<Loss> {
    await this.#kill();
    return this.disk.cut(fate);
  }

  /** Resolves when the machine has switched itself off (or restarts, which here is the same). */
  async ended(): Promise<void> {
    await eventually('the machine to end', () => !this.isRunning, SLOW_MS);
    this.#process = null;
    this.#ports = null;
  }

  async #kill(): Promise<void> {
    const child = this.#process;
    if (child !== null && this.isRunning) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    this.#process = null;
    this.#ports = null;
    for (const socket of this.#relayed) socket.destroy();
  }

  async end(): Promise<void> {
    await this.#kill();
    for (const relay of this.#relays) await new Promise((resolve) => relay.close(resolve));
    await this.disk.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** No screen, no log in, as little said as can be; what a Pi does otherwise does not matter here. */
const KERNEL_ARGUMENTS = [
  'console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on tsc=reliable nowatchdog',
  'systemd.show_status=0 systemd.log_level=warning systemd.default_timeout_start_sec=240',
].join(' ');
