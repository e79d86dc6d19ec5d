/**
 * A switch with the grammar of IOS, written by hand from the fact sheet, on a console that keeps its session whoever listens.
 * What it does wrong is asked for by a test: half-typed lines, pagers, log lines, questions, silence, late answers, a restart.
 */
import type { Transport, Wire, WireEvents } from '../../src/contacts/transport.ts';

type Mode =
  | 'asleep'
  | 'username'
  | 'password'
  | 'secret'
  | 'user'
  | 'privileged'
  | 'configure'
  | 'interface'
  | 'pager'
  | 'setup'
  | 'save'
  | 'starting';

/** What a test may want of the switch. */
export interface FakeSettings {
  /** How it was left behind. */
  readonly mode?: Mode;
  readonly typed?: string;
  readonly context?: string;
  /** Bytes per piece of output, a piece per turn of the loop. */
  readonly pieceBytes?: number;
  /** Old output that is still on its way when somebody comes to the line. */
  readonly stale?: string;
  /** What is printed after a line was carried out, before or after the prompt. */
  readonly log?: { readonly text: string; readonly place: 'before-prompt' | 'after-prompt' };
  /** Questions to whoever logs out after a change. */
  readonly asksToSave?: boolean;
  readonly login?: { readonly username: string; readonly password: string; readonly secret: string };
  /** Takes any name of a port for a new one. */
  readonly takesAnyPort?: boolean;
  /** Pages although it was told not to. */
  readonly alwaysPages?: boolean;
  /** Ports that do not obey `shutdown`, though nothing is said. */
  readonly welded?: readonly string[];
  /** Ports whose section of the stored configuration does not shut them. */
  readonly storedConnected?: readonly string[];
}

const SAVE = 'Would you like to save them now? (y/n) ';
const PORTS = ['GigabitEthernet1/0/1', 'GigabitEthernet1/0/2'];

export class FakeSwitch {
  /** Lines that were carried out, with the mode in which they were. */
  readonly obeyed: string[] = [];
  /** Everything that was typed, as it came. */
  keys = '';
  /** What was handed over in one write each, at the moment of the write. */
  readonly writes: string[] = [];
  saved = false;
  /** Nothing is read nor answered while true; what is typed meanwhile waits. */
  silent = false;
  #settings: FakeSettings;
  #mode: Mode;
  #line: string;
  #context: string;
  #shut = new Map(PORTS.map((port) => [port, true]));
  #changed = false;
  #length = 24;
  #waiting: Buffer[] = [];
  #output: Buffer[] = [];
  #events: WireEvents | null = null;
  #rest: string[] = [];
  #afterPager: Mode = 'privileged';
  #draining = false;

  constructor(settings: FakeSettings = {}) {
    this.#settings = settings;
    this.#mode = settings.mode ?? 'asleep';
    this.#line = settings.typed ?? '';
    this.#context = settings.context ?? '';
    if (this.#mode === 'pager') this.#rest = ['one more line', 'and another'];
  }

  get mode(): Mode {
    return this.#mode;
  }

  isShut(port: string): boolean | undefined {
    return this.#shut.get(port);
  }

  /** The wire to its console. What is written after `discard` never arrives. */
  get transport(): Transport {
    return {
      where: 'a console for tests',
      byteMs: 0,
      quietMs: 0,
      open: (events) => {
        this.#events = events;
        if (this.#settings.stale !== undefined) this.#say(this.#settings.stale);
        const wire: Wire = {
          write: (bytes) => {
            this.writes.push(Buffer.from(bytes).toString('latin1'));
            this.#waiting.push(Buffer.from(bytes));
            setImmediate(() => this.#read());
            return true;
          },
          drain: () => 0,
          discard: () => {
            if (this.#events === events) this.#events = null;
          },
        };
        return Promise.resolve(wire);
      },
    };
  }

  /** Goes on after silence: what was typed is carried out now. */
  speak(): void {
    this.silent = false;
    this.#read();
    this.#drain();
  }

  /** What was typed in the silence is lost. */
  forget(): void {
    this.#waiting = [];
  }

  /** Somebody else connects a port. */
  meddle(port: string): void {
    this.#shut.set(port, false);
  }

  /** Prints something that nobody asked for. */
  print(text: string): void {
    this.#say(text);
  }

  /** Power fails and returns: what was not stored is gone. */
  restart(): void {
    for (const port of this.#shut.keys()) this.#shut.set(port, true);
    this.#mode = 'starting';
    this.#line = '';
    this.#length = 24;
    this.#say('\r\nBoot ROM 1.2\r\nHit any key to stop autoboot: 3\r\n');
  }

  /** The restart is over. */
  started(): void {
    this.#mode = 'asleep';
    this.#say('\r\nPress RETURN to get started!\r\n');
  }

  #read(): void {
    if (this.silent) return;
    for (const bytes of this.#waiting.splice(0)) {
      const text = bytes.toString('latin1');
      this.keys += text;
      for (const key of text) this.#key(key);
    }
  }

  #key(key: string): void {
    if (this.#mode === 'starting') {
      this.obeyed.push('a key stopped the boot loader');
      return;
    }
    if (this.#mode === 'pager') {
      this.#page(key);
      return;
    }
    if (this.#mode === 'save') {
      this.#answer(key);
      return;
    }
    if (key === '\u0003') this.#interrupt();
    else if (key === '\u0015') this.#erase();
    else if (key === '\r') this.#enter();
    else {
      this.#line += key;
      if (this.#mode !== 'password' && this.#mode !== 'secret') this.#say(key);
    }
  }

  /** Only y, n and enter are answers, and enter is yes. */
  #answer(key: string): void {
    if (!'yn\r'.includes(key)) {
      this.#say(`\r\n${SAVE}`);
      return;
    }
    this.saved ||= key !== 'n';
    this.#say(`${key}\r\n`);
    this.#sleep();
  }

  #interrupt(): void {
    this.#line = '';
    if (this.#mode === 'configure' || this.#mode === 'interface') this.#mode = 'privileged';
    this.#prompt('^C\r\n');
  }

  #erase(): void {
    this.#say('\b \b'.repeat(this.#line.length));
    this.#line = '';
  }

  #enter(): void {
    const line = this.#line.trim();
    this.#line = '';
    this.#say('\r\n');
    switch (this.#mode) {
      case 'asleep':
        this.#mode = this.#settings.login === undefined ? 'user' : 'username';
        break;
      case 'username':
        this.#mode = 'password';
        break;
      case 'password':
        this.#mode = line === this.#settings.login?.password ? 'user' : 'username';
        if (this.#mode === 'username') this.#say('% Login invalid\r\n\r\n');
        break;
      case 'secret':
        this.#mode = line === this.#settings.login?.secret ? 'privileged' : 'user';
        if (this.#mode === 'user') this.#say('% Bad secrets\r\n\r\n');
        break;
      case 'setup':
        if (line === 'no') this.#mode = 'user';
        break;
      case 'user':
      case 'privileged':
      case 'configure':
      case 'interface':
        this.#obey(line);
        if (
          this.#mode === ('pager' as Mode) ||
          this.#mode === ('save' as Mode) ||
          this.#mode === ('asleep' as Mode)
        )
          return;
        break;
      case 'pager':
      case 'save':
      case 'starting':
        return;
    }
    const { log } = this.#settings;
    const speaks = log !== undefined && /shutdown/.test(line);
    this.#prompt(speaks && log.place === 'before-prompt' ? log.text : '');
    if (speaks && log.place === 'after-prompt') this.#say(log.text);
  }

  #prompt(before = ''): void {
    const prompts: Partial<Record<Mode, string>> = {
      username: 'Username: ',
      password: 'Password: ',
      secret: 'Password: ',
      user: 'core-sw1>',
      privileged: 'core-sw1#',
      configure: 'core-sw1(config)#',
      interface: 'core-sw1(config-if)#',
      setup: 'Would you like to enter the initial configuration dialog? [yes/no]: ',
    };
    this.#say(before + (prompts[this.#mode] ?? ''));
  }

  #obey(line: string): void {
    if (line === '' || line.startsWith('!')) return;
    this.obeyed.push(line);
    const command = line.startsWith('do ') ? line.slice(3) : line;
    if (command.startsWith('show ')) this.#show(command);
    else if (line === 'enable') this.#mode = this.#settings.login === undefined ? 'privileged' : 'secret';
    else if (line === 'terminal length 0') this.#length = 0;
    else if (line === 'terminal width 511') return;
    else if (line === 'configure terminal') this.#mode = 'configure';
    else if (line.startsWith('interface ')) this.#enterPort(line.slice('interface '.length));
    else if (line === 'end') this.#mode = 'privileged';
    else if (line === 'exit') this.#exit();
    else if (/^(no )?shutdown$/.test(line) && this.#mode === 'interface') this.#change(line === 'shutdown');
    else this.#say("                ^\r\n% Invalid input detected at '^' marker.\r\n\r\n");
  }

  #enterPort(port: string): void {
    if (this.#shut.has(port)) {
      this.#context = port;
      this.#mode = 'interface';
    } else if (this.#settings.takesAnyPort === true) {
      this.#context = port;
      this.#mode = 'interface';
    } else this.#say("             ^\r\n% Invalid input detected at '^' marker.\r\n\r\n");
  }

  #change(shut: boolean): void {
    this.#changed = true;
    if (!this.#shut.has(this.#context) || (shut && this.#settings.welded?.includes(this.#context) === true))
      return;
    this.#shut.set(this.#context, shut);
  }

  #exit(): void {
    if (this.#settings.asksToSave === true && this.#changed) {
      this.#mode = 'save';
      this.#say(`The system has unsaved changes.\r\n${SAVE}`);
    } else this.#sleep();
  }

  #sleep(): void {
    this.#mode = 'asleep';
    this.#say('\r\ncore-sw1 con0 is now available\r\n\r\nPress RETURN to get started.\r\n');
  }

  #show(command: string): void {
    const port = PORTS.find((each) => command.split(' ').includes(each));
    const lines =
      port === undefined ? ["% Invalid input detected at '^' marker."] : this.#shown(command, port);
    const paged = this.#settings.alwaysPages === true || this.#length > 0;
    if (!paged || lines.length < 3) {
      this.#say(lines.map((line) => `${line}\r\n`).join(''));
      return;
    }
    this.#say(`${lines[0]}\r\n --More-- `);
    this.#rest = lines.slice(1);
    this.#afterPager = this.#mode;
    this.#mode = 'pager';
  }

  #shown(command: string, port: string): readonly string[] {
    if (command.includes('startup-config')) {
      const shut = this.#settings.storedConnected?.includes(port) !== true;
      return [`interface ${port}`, ' switchport mode access', ...(shut ? [' shutdown'] : []), 'end'];
    }
    const shut = this.#shut.get(port) === true;
    return [
      shut
        ? `${port} is administratively down, line protocol is down (disabled)`
        : `${port} is up, line protocol is up (connected)`,
      '  Hardware is Gigabit Ethernet, address is 0011.2233.4455 (bia 0011.2233.4455)',
      '  MTU 1500 bytes, BW 1000000 Kbit/sec, DLY 10 usec,',
    ];
  }

  #page(key: string): void {
    if (key !== ' ' && key !== 'q' && key !== '\r') return;
    const next = key === 'q' ? [] : this.#rest.splice(0, key === '\r' ? 1 : this.#rest.length);
    this.#say(`\r          \r${next.map((line) => `${line}\r\n`).join('')}`);
    if (key !== 'q' && this.#rest.length > 0) this.#say(' --More-- ');
    else {
      this.#mode = this.#afterPager;
      this.#prompt();
    }
  }

  #say(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    const piece = this.#settings.pieceBytes ?? Math.max(1, bytes.length);
    for (let at = 0; at < bytes.length; at += piece) this.#output.push(bytes.subarray(at, at + piece));
    this.#drain();
  }

  #drain(): void {
    if (this.#draining || this.silent || this.#output.length === 0) return;
    this.#draining = true;
    setImmediate(() => {
      this.#draining = false;
      const next = this.#output.shift();
      if (next !== undefined) this.#events?.onBytes(next);
      this.#drain();
    });
  }
}
