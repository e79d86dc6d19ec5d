/** Which lines lead where: pure. What is typed to a switch is made here and nowhere else. */
import type { ConsoleDevice, Key, Reply, StateReading } from './fields.ts';
import { forbiddenLine } from './forbidden.ts';
import { anyMatches, pattern } from './pattern.ts';

/** Where the session stands. `port` is `null` when it is in the context of a port that we did not choose. */
export type Mode =
  | { readonly at: 'user' | 'privileged' | 'configure' }
  | { readonly at: 'interface'; readonly port: string | null };

/** What names of ports may consist of: nothing that ends a line, begins a command or opens a pipe. */
const PORT_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9 ./:_-]{0,46}[A-Za-z0-9])?$/;
const MARK = /^[a-z0-9]{1,16}$/;

/** What is wrong with the name of a port, or `null`. */
export function portProblem(device: ConsoleDevice, port: string): string | null {
  if (!PORT_NAME.test(port)) {
    return 'the name of a port has at most 48 letters, digits and . / : _ - or blanks, and begins and ends with a letter or a digit';
  }
  if (
    anyMatches(
      device.ports.map((each) => pattern(each)),
      port,
    )
  )
    return null;
  return `a port of this switch is named in full, like ${device.ports.join(' or ')}`;
}

/** The line that a template stands for. Throws a TypeError when it must never be typed: `consoleFindings` has ruled it out. */
export function spelled(device: ConsoleDevice, template: string, port: string | null): string {
  const line = template.replaceAll('{port}', port ?? '');
  if (port === null && template.includes('{port}')) throw new TypeError('a line needs a port');
  if (port !== null && !PORT_NAME.test(port)) throw new TypeError('this is not the name of a port');
  const why = forbiddenLine(line, storesIsolation(device, template));
  if (why !== null) throw new TypeError(`a line must never be typed: ${why}`);
  return line;
}

/** A switch that stores every change stores the shut port too; nothing else may be stored. */
export function storesIsolation(device: ConsoleDevice, template: string): boolean {
  return (
    device.persistence === 'stored' && device.isolate.includes(template) && !device.connect.includes(template)
  );
}

/** A line whose echo is found again. */
export function markerLine(device: ConsoleDevice, mark: string): string {
  if (!MARK.test(mark)) throw new TypeError('a mark is a short word');
  return spelled(device, device.marker.replaceAll('{mark}', mark), null);
}

/** Whether the lines for `port` can be typed in `mode`. */
export function isParked(device: ConsoleDevice, mode: Mode, port: string): boolean {
  if (device.interface !== undefined) return mode.at === 'interface' && mode.port === port;
  return mode.at === (device.configure === undefined ? 'privileged' : 'configure');
}

/** Where the lines for `port` are typed. */
export function parkedAt(device: ConsoleDevice, port: string): Mode {
  if (device.interface !== undefined) return { at: 'interface', port };
  return { at: device.configure === undefined ? 'privileged' : 'configure' };
}

/** The lines from `mode` to where the lines for `port` are typed; `null` from where no line leads there. */
export function way(device: ConsoleDevice, mode: Mode, port: string): readonly string[] | null {
  if (mode.at === 'user') return null;
  if (isParked(device, mode, port)) return [];
  const spell = (template: string): string => spelled(device, template, port);
  const context = device.interface === undefined ? [] : [spell(device.interface)];
  if (mode.at === 'configure') return context;
  const fromPrivileged = [...(device.configure === undefined ? [] : [spell(device.configure)]), ...context];
  if (mode.at === 'privileged') return fromPrivileged;
  if (device.interface_from === 'any-port') return context;
  return [...device.leave.map(spell), ...fromPrivileged];
}

/** The lines of one command, without the way to where they are typed. */
export function commandLines(
  device: ConsoleDevice,
  what: 'connect' | 'isolate',
  port: string,
): readonly string[] {
  return device[what].map((template) => spelled(device, template, port));
}

/** The fewest lines that isolate `port` from `mode`; `null` from where none do. */
export function cutLines(device: ConsoleDevice, mode: Mode, port: string): readonly string[] | null {
  const there = way(device, mode, port);
  return there === null ? null : [...there, ...commandLines(device, 'isolate', port)];
}

/** The line that reads a state in `mode`, or `null` when the mode must be left before. */
export function readingLine(
  device: ConsoleDevice,
  reading: Pick<StateReading, 'command' | 'parked'>,
  mode: Mode,
  port: string,
): string | null {
  if (mode.at === 'privileged') return spelled(device, reading.command, port);
  if (mode.at === 'user' || reading.parked === undefined) return null;
  return spelled(device, reading.parked, port);
}

const KEY_BYTES: Readonly<Record<Exclude<Key, 'enter'>, string>> = {
  'ctrl-c': '\u0003',
  'ctrl-u': '\u0015',
  'ctrl-z': '\u001A',
  space: ' ',
  q: 'q',
  n: 'n',
};
const LINE_ENDS: Readonly<Record<ConsoleDevice['line_end'], string>> = { cr: '\r', crlf: '\r\n', lf: '\n' };

/** The bytes of lines with their line ends. */
export function typedBytes(device: ConsoleDevice, lines: readonly string[]): Uint8Array {
  return Buffer.from(lines.map((line) => line + LINE_ENDS[device.line_end]).join(''), 'latin1');
}

/** The bytes of a key, or of an answer: keys one after the other. */
export function pressedBytes(device: ConsoleDevice, keys: Key | Reply): Uint8Array {
  const text = keys
    .split(' ')
    .map((key) => {
      if (key === 'enter') return LINE_ENDS[device.line_end];
      return key in KEY_BYTES ? KEY_BYTES[key as keyof typeof KEY_BYTES] : key;
    })
    .join('');
  return Buffer.from(text, 'latin1');
}
