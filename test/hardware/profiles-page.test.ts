/** docs/profiles.md, followed to the letter: every profile, every command and every message on it, in a tree of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { profileCheck } from '../../src/contacts/profile-command.ts';
import { skipLoudly } from '../contacts/bench.ts';

const TOP = join(import.meta.dirname, '../..');
const READY_MS = 20_000;
const page = readFileSync(join(TOP, 'docs/profiles.md'), 'utf8');
const [modbus = '', serial = ''] = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(
  (match) => match[1] ?? '',
);
const sessions = [...page.matchAll(/^```console\n(.*?)^```$/gms)].map((match) => match[1] ?? '');

let tree: string;
let emulator: ChildProcess | null = null;
beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'portcullis-profiles-page-'));
  for (const part of ['src', 'firmware-profiles', 'package.json'])
    cpSync(join(TOP, part), join(tree, part), { recursive: true });
  symlinkSync(join(TOP, 'node_modules'), join(tree, 'node_modules'));
});
afterEach(async () => {
  if (emulator === null || emulator.exitCode !== null || emulator.signalCode !== null) return;
  const gone = once(emulator, 'exit');
  emulator.kill('SIGTERM');
  await gone;
});
afterAll(() => rmSync(tree, { recursive: true, force: true }));

/** `bin/portcullis …` in the tree. The pages say /tmp/board; here it is in the tree. */
const portcullis = (...args: string[]) =>
  execa(process.execPath, [join(tree, 'src/main.ts'), ...args], { cwd: tree, reject: false, all: true });

function put(profile: string): string {
  const id = /^id: (.+)$/m.exec(profile)?.[1] ?? '';
  const file = `firmware-profiles/${id}.yaml`;
  mkdirSync(dirname(join(tree, file)), { recursive: true });
  writeFileSync(join(tree, file), profile);
  return file;
}

/** Writes the configuration that the page types, with places in the tree. */
function configure(name: string, board: string): string {
  const text = new RegExp(`^\\$ cat >${name} <<'END'\\n(.*?)^END$`, 'ms').exec(page)?.[1] ?? '';
  const file = join(tree, name);
  writeFileSync(file, text.replace('/tmp/board', board).replaceAll('/tmp/portcullis-try', tree));
  return file;
}

/** What the page shows below a command. */
function shown(command: string): string[] {
  for (const session of sessions) {
    const lines = session.trimEnd().split('\n');
    const at = lines.indexOf(`$ ${command}`);
    if (at < 0) continue;
    const rest = lines.slice(at + 1);
    const end = rest.findIndex((line) => line.startsWith('$ '));
    return end < 0 ? rest : rest.slice(0, end);
  }
  throw new Error(`the page does not show: ${command}`);
}

async function play(file: string): Promise<{ board: string; heard: () => string }> {
  const board = join(tree, 'board');
  emulator = spawn(process.execPath, [join(tree, 'src/main.ts'), 'emulate', file, '--pty', board], {
    cwd: tree,
  });
  let heard = '';
  for (const stream of [emulator.stdout, emulator.stderr])
    stream?.on('data', (data) => (heard += String(data)));
  await expect.poll(() => heard, { timeout: READY_MS }).toContain('"event":"ready"');
  return { board, heard: () => heard };
}

/** A change to a profile, and what the check must say about it. */
type Change = readonly [from: RegExp, to: string, says: string];
const BOARDS: readonly { name: string; profile: string; changes: readonly Change[] }[] = [
  {
    name: 'the Modbus board',
    profile: modbus,
    changes: [
      [
        /08 3D CC, reply: 01 01 01 00/,
        '08 3D CD, reply: 01 01 01 00',
        'the profile computes 01 01 00 00 00 08 3D CC',
      ],
      [/8C 3A, means/, '8C 3B, means', 'not a reply to this request (CRC: wanted 0x3a8c, got 0x3b8c)'],
      [
        /(isolate: .*)0x0000 \}/,
        '$10x5500 }',
        '0x5500 toggles: after a lost reply nobody knows where the contact stands',
      ],
      [/^.*ask: read.*\n/gm, '', 'missing: an example of read in rtu framing'],
      [/^unit: 1\n/m, '', 'unit is missing'],
    ],
  },
  {
    name: 'the serial board',
    profile: serial,
    changes: [
      [/(connect: .*)\{channel\}/, '$1{chanel}', '{chanel} is no placeholder'],
      [/01 A3,/, '01 A4,', 'not a reply to this request (A4 where A3 should be)'],
      [/A0 01 00 A1, means: n/, 'A0 02 00 A2, means: n', 'the profile computes A0 01 00 A1'],
    ],
  },
];

describe.each(BOARDS)('$name', ({ profile, changes }) => {
  test('is sound, and the check says what the page shows', async () => {
    const file = put(profile);
    const { exitCode, all } = await portcullis('profile', 'check', file);
    expect(all.replace(`${file}: `, '').split('\n')).toEqual(shown(`bin/portcullis profile check ${file}`));
    expect(exitCode).toBe(0);
  });

  test.each<Change>([...changes])('%s → %s', async (from, to, says) => {
    expect(page).toContain(`| \`${says}\` |`);
    const changed = profile.replace(from, to);
    expect(changed).not.toBe(profile);
    let said = '';
    const write = (text: string): void => void (said += text);
    const file = join(tree, put(changed));
    expect(await profileCheck(file, { write, writeError: write })).toBe(1);
    expect(said).toContain(says);
    put(profile);
  });
});

const missing = (await execa('sh', ['-c', 'command -v socat && command -v mbpoll'], { reject: false })).failed
  ? 'socat or mbpoll is not installed'
  : null;

describe.skipIf(skipLoudly('playing the board of docs/profiles.md', missing))('playing', () => {
  test('mbpoll moves a relay of the emulated board, and the product isolates it', async () => {
    const file = put(modbus);
    const { board, heard } = await play(file);
    const ready = shown(`bin/portcullis emulate ${file} --pty /tmp/board`).map((line) =>
      line.replaceAll('/tmp/board', board),
    );
    expect(heard()).toContain(ready.join('\n'));

    for (const command of [
      'mbpoll -m rtu -a 1 -b 9600 -P none -t 0 -r 1 -q /tmp/board 1',
      'mbpoll -m rtu -a 1 -b 9600 -P none -t 0 -r 1 -c 8 -1 -q /tmp/board',
    ]) {
      const [program = '', ...args] = command.replace('/tmp/board', board).split(' ');
      const { stdout } = await execa(program, args);
      for (const line of shown(command)) expect(stdout).toContain(line);
    }
    await expect
      .poll(heard, { timeout: READY_MS })
      .toContain('channel 1 connected (frame 01 05 00 00 FF 00 8C 3A)');

    const { exitCode, all } = await portcullis('isolate', '--all', '--config', configure('try.yaml', board));
    expect(all.split('\n')).toEqual(shown('bin/portcullis isolate --all --config try.yaml'));
    expect(exitCode).toBe(0);
    await expect.poll(heard, { timeout: READY_MS }).toContain('channel 1 isolated');
  });

  test('bytes move a relay of the emulated serial board, and the product isolates it', async () => {
    const file = put(serial);
    const { board, heard } = await play(file);
    const [ready = '', connected = '', isolated = ''] = shown(
      `bin/portcullis emulate ${file} --pty /tmp/board`,
    ).map((line) => line.replaceAll('/tmp/board', board));
    expect(heard()).toContain(ready);
    const typed = /^\$ (printf .*)$/m.exec(page)?.[1] ?? '';
    await execa('sh', ['-c', typed.replace('/tmp/board', board)]);
    await expect.poll(heard, { timeout: READY_MS }).toContain(connected);

    const config = configure('try-serial.yaml', board);
    const { exitCode, all } = await portcullis('isolate', '--all', '--config', config);
    expect(all.split('\n')).toEqual(shown('bin/portcullis isolate --all --config try-serial.yaml'));
    expect(exitCode).toBe(0);
    await expect.poll(heard, { timeout: READY_MS }).toContain(isolated);
  });

  test('the faults that the page names exist', async () => {
    const { all } = await portcullis('emulate', put(modbus), '--fault', 'help');
    for (const fault of ['silence', 'garbled-reply', 'wrong-echo', 'late-reply']) {
      expect(page).toContain(fault);
      expect(all).toContain(fault);
    }
  });
});
