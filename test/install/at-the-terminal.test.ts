/** `portcullis setup` as a person meets it: keys on a pseudo-terminal, and what is on disk when it is over. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkCommand } from '../../src/config/schema/command.ts';
import { loadProfiles } from '../../src/contacts/profile-store.ts';
import { skipLoudly } from '../contacts/bench.ts';
import { build } from '../faults/build.ts';
import { isThere } from '../systemd/machine.ts';
import { fakeMachine, type Hardware } from './fake-machine.ts';
import { CTRL_C, CTRL_D, Terminal } from './terminal.ts';

const ENTER = '\r';
const DISK = '0c6f8f0e-2b5e-4d39-9d0a-6a1d4f1c9b11';
const BOX: Hardware = {
  serialById: { 'usb-FTDI_FT232R_USB_UART_A10K-if00-port0': 'ttyUSB0' },
  interfaces: ['eth0', 'eth1'],
  defaultRoute: 'eth0',
  disks: { [DISK]: 'sda1' },
};
const PORTS = 40;

const missing = isThere('script') ? null : 'script is missing (apt-get install bsdutils)';
skipLoudly('portcullis setup at a terminal', missing);

describe.skipIf(missing !== null).concurrent('portcullis setup at a terminal', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'portcullis-terminal-'));
  afterAll(() => rmSync(scratch, { recursive: true }));
  beforeAll(() => void build());

  /** A machine, a directory for its configuration, and a person before it. */
  function seated(name: string, hardware: Hardware, before?: string) {
    const machine = fakeMachine(hardware);
    const directory = join(scratch, name);
    mkdirSync(directory);
    const file = join(directory, 'portcullis.yaml');
    if (before !== undefined) writeFileSync(file, before);
    const line = '"$NODE" "$MAIN" setup --config "$FILE" --machine "$MACHINE"';
    const env = { NODE: process.execPath, MAIN: build().main, FILE: file, MACHINE: machine };
    const open = (): Terminal => new Terminal(line, env);
    return { machine, directory, file, open };
  }
  async function errorsIn(file: string): Promise<readonly string[]> {
    const { profiles } = await loadProfiles();
    const lines: string[] = [];
    await checkCommand(file, { json: false, profiles }, (text) => lines.push(text));
    // Its interfaces are not those of this machine.
    return lines.filter((text) => / error /.test(text) && !/interface/.test(text));
  }

  test('answers that will not do are asked again at once; what is written passes `check` and says what is next', async () => {
    const { file, directory, open } = seated('whole', BOX);
    const person = open();
    await person.answers('Where is the relay', `the blue one${ENTER}`);
    await person.reads('not the blue one: one of: /dev/serial/by-id/');
    await person.answers('', ENTER);
    await person.answers('Which board is it?', ENTER);
    await person.answers('Which channel', `99${ENTER}`);
    await person.answers('a whole number from 1 to 8', `  2 ${ENTER}`);
    await person.answers('Name of the link', `${'x'.repeat(5_000)}${ENTER}`);
    await person.answers('small letters, digits', `cellar${ENTER}`);
    await person.answers('What is behind it?', `1${ENTER}`);
    await person.answers('Which file system?', ENTER);
    await person.answers('What is backed up?', `srv${ENTER}`);
    await person.answers('absolute paths', `/srv/a  /srv/b${ENTER}`);
    await person.answers('When?', `61 2 * * *${ENTER}`);
    await person.answers('the field "minute" is wrong', `15 3 * * 1-5${ENTER}`);
    await person.answers('May other machines', ENTER);
    expect(readdirSync(directory)).toEqual([]);
    await person.answers('Write ', ENTER);
    await person.reads('sudo portcullis commission cellar');
    expect(await person.ended, person.text).toBe(0);
    expect(person.text).toContain('not xxxxxxxx');
    expect(await errorsIn(file)).toEqual([]);
    const written = readFileSync(file, 'utf8');
    expect(parse(written)).toMatchObject({
      links: { cellar: { contacts: [{ channel: 2 }], witnesses: [{ type: 'block-device' }] } },
      windows: {
        nightly: { opens: '15 3 * * 1-5', steps: [{ backup: { paths: ['/srv/a', '/srv/b'] } }, {}, {}, {}] },
      },
    });
    // Every part says why it is there.
    for (const part of ['buses:', 'links:', 'sources:', 'repositories:', 'windows:', 'notify:'])
      expect(written, part).toMatch(new RegExp(`^#.*\\n${part}`, 'm'));
  });

  test.each([
    ['Ctrl-C', CTRL_C],
    ['Ctrl-D', CTRL_D],
  ])('%s half way: nothing is written, and that is said', async (name, key) => {
    const { directory, open } = seated(name, BOX);
    const person = open();
    await person.answers('Where is the relay', ENTER);
    await person.answers('Which board', key);
    await person.reads('ended by you; nothing was written');
    expect(await person.ended).toBe(1);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('a configuration that is there: said before the first question, kept when the last answer is no', async () => {
    const { directory, file, open } = seated('there', {}, 'mine: true\n');
    const first = open();
    await first.reads('is there: it is copied before it is replaced');
    await first.answers('Where is the relay', ENTER);
    await first.answers('May other machines', ENTER);
    await first.answers('in place of what is there?', `no${ENTER}`);
    await first.reads('nothing was written');
    expect(await first.ended).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe('mine: true\n');
    expect(readdirSync(directory)).toEqual(['portcullis.yaml']);
  });

  test('no hardware: nothing is connected, and it says to come back', async () => {
    const { file, directory, open } = seated('nothing', {});
    const person = open();
    await person.reads('serial ports: none');
    await person.answers('Where is the relay', ENTER);
    await person.answers('May other machines', ENTER);
    await person.answers('Write ', `yes${ENTER}`);
    await person.reads('then portcullis setup again');
    expect(await person.ended).toBe(0);
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({ links: {} });
    expect(readdirSync(directory)).toEqual(['portcullis.yaml']);
    expect(await errorsIn(file)).toEqual([]);
  });

  test('many ports, and one whose name would write on the screen', async () => {
    const odd = 'usb-"Relay": #1 {Größe}\u001b[31m-if00';
    const ports = Array.from({ length: PORTS }, (_, index) => [`usb-Board_${index}-port0`, `ttyUSB${index}`]);
    const { file, machine, open } = seated('odd', {
      serialById: Object.fromEntries(ports),
      interfaces: ['eth0'],
    });
    symlinkSync('../../ttyACM0', join(machine, 'dev/serial/by-id', odd));
    const person = open();
    await person.answers('Where is the relay', `nonsense${ENTER}`);
    expect(person.raw).not.toContain('\u001b[31m');
    const number = /(\d+)\) \/dev\/serial\/by-id\/usb-"Relay"/.exec(person.text)?.[1] ?? '';
    expect(Number(number)).toBeGreaterThan(0);
    await person.answers('not nonsense', `${number}${ENTER}`);
    await person.answers('Which board', ENTER);
    await person.answers('Which channel', ENTER);
    await person.answers('Name of the link', ENTER);
    await person.answers('What is behind it?', `later${ENTER}`);
    await person.answers('What is backed up?', ENTER);
    await person.answers('When?', ENTER);
    await person.answers('May other machines', ENTER);
    await person.answers('Write ', ENTER);
    expect(await person.ended, person.text).toBe(0);
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
      buses: { board: { device: `/dev/serial/by-id/${odd}` } },
    });
  });
});
