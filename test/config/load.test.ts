/** Loading from real files: what cannot be read, whose secrets are looked at, what the command prints and returns. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkCommand } from '../../src/config/schema/command.ts';
import { loadConfig, MAX_CONFIG_BYTES } from '../../src/config/load.ts';
import { inspectSecretFile, MAX_SECRET_FILE_BYTES } from '../../src/config/secret-files.ts';
import { profiles } from './machine.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string | Uint8Array, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const configuration = (token: string, password: string): string => `
buses: { board: { transport: modbus-tcp, host: 127.0.0.1 } }
links:
  vault:
    contacts: [{ name: relay, profile: waveshare/modbus-poe-eth-relay-8ch, bus: board, unit: 1, channel: 1 }]
    witnesses: [{ name: island, type: command, argv: [/bin/true], isolated_exit: 1 }]
sources:
  a: { verify: { type: bearer, token_file: ${token} }, format: generic, trips: all }
repositories:
  r: { url: /srv/repo, password_file: ${password} }
`;
const SECRET = 'a-secret-that-is-long-enough\n';

async function printed(file: string, json = false): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await checkCommand(file, { json, profiles }, (line) => lines.push(line));
  return { code, lines };
}

describe('portcullis check', () => {
  test('a good file: 0', async () => {
    const secret = written('good.secret', SECRET);
    const file = written('good.yaml', configuration(secret, secret));
    const contact =
      'contact vault/relay: fail-safe, indirect evidence. When the process dies, the device isolates by itself 10 s after the last renewal; commissioning shows whether it does.';
    expect(await printed(file)).toEqual({
      code: 0,
      lines: [`${file}: ${contact}`, `${file}: valid, 0 errors, 0 warnings`],
    });
  });

  test('warnings do not stop anything: 0', async () => {
    const secret = written('open.secret', SECRET, 0o644);
    const file = written('open.yaml', configuration(secret, secret));
    const { code, lines } = await printed(file);
    expect(code).toBe(0);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe(
      `${file}:8:44 warning sources.a.verify.token_file: everybody on this machine can read "${secret}" — chmod o-rwx "${secret}"`,
    );
  });

  test('errors: 1, sorted by line, also as JSON', async () => {
    const file = written(
      'bad.yaml',
      configuration('/nowhere/token', '/nowhere/password').replace('modbus-tcp', 'modbus'),
    );
    const { code, lines } = await printed(file);
    expect(code).toBe(1);
    expect(lines.map((line) => Number(line.slice(file.length + 1).split(':')[0]))).toEqual([
      2,
      8,
      10,
      Number.NaN,
    ]);
    expect(lines.at(-1)).toBe(`${file}: invalid, 3 errors, 0 warnings`);
    const json = await printed(file, true);
    expect(json.code).toBe(1);
    const objects = json.lines.map((line): unknown => JSON.parse(line));
    expect(objects[0]).toMatchObject({ file, severity: 'error', line: 2, path: 'buses.board.transport' });
    expect(objects.at(-1)).toEqual({ file, result: 'invalid', errors: 3, warnings: 0 });
  });

  test.each([
    ['missing', 'no such file'],
    ['.', 'EISDIR'],
    ['binary', 'not UTF-8'],
    ['huge', 'longer than'],
  ])('a file that cannot be read (%s): 2', async (name, why) => {
    if (name === 'binary') written(name, Uint8Array.of(0xff, 0xfe, 0x00));
    if (name === 'huge') written(name, '#'.repeat(MAX_CONFIG_BYTES + 1));
    const { code, lines } = await printed(join(folder, name));
    expect(code).toBe(2);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(why);
    expect((await printed(join(folder, name), true)).code).toBe(2);
  });
});

test('each process needs its own secrets only', async () => {
  const good = written('own.secret', SECRET);
  const interlocks = written('interlocks.yaml', configuration(good, '/nowhere/password'));
  const controllers = written('controllers.yaml', configuration('/nowhere/token', good));
  const kind = async (file: string, secretsOf: 'interlock' | 'controller' | 'all') =>
    (await loadConfig(file, { profiles, secretsOf })).kind;
  expect(await kind(interlocks, 'interlock')).toBe('valid');
  expect(await kind(interlocks, 'controller')).toBe('invalid');
  expect(await kind(controllers, 'controller')).toBe('valid');
  expect(await kind(controllers, 'interlock')).toBe('invalid');
  expect(await kind(controllers, 'all')).toBe('invalid');
});

describe('files with secrets', () => {
  test('as found', async () => {
    expect(await inspectSecretFile(written('s', 'abc', 0o640))).toEqual({
      kind: 'read',
      worldReadable: false,
      bytes: Buffer.from('abc'),
    });
    expect(await inspectSecretFile(written('w', 'abc', 0o604))).toMatchObject({
      kind: 'read',
      worldReadable: true,
    });
  });

  test('what is not a file with a secret', async () => {
    mkdirSync(join(folder, 'directory'));
    const why = async (path: string) => {
      const found = await inspectSecretFile(path);
      return found.kind === 'unusable' ? found.why : found.kind;
    };
    expect(await why(join(folder, 'none'))).toBe('there is no such file');
    expect(await why(join(folder, 'directory'))).toBe('it is a directory');
    expect(await why('/dev/zero')).toBe('it is not a regular file');
    expect(await why(written('long', 'x'.repeat(MAX_SECRET_FILE_BYTES + 1)))).toBe(
      'it is too long to be a secret',
    );
    expect(await why(join(written('file', 'x'), 'below'))).toBe('a part of the path is not a directory');
  });
});
