/** `portcullis at-rest`: an upgrade goes on only when this says yes, so what it does not understand is a no. */
import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { restOf } from '../../src/command/at-rest.ts';

const resting = { link: 'vault', state: 'isolated', observed: 'isolated', lease: null, session: null };
const closed = { window: 'nightly', open: null };

let directory: string;
let server: Server | null;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-rest-'));
  server = null;
});
afterEach(() => {
  server?.close();
  rmSync(directory, { recursive: true });
});

/** A contact that cannot be driven: what is asked of the boards comes to "not proven", and at once. */
const UNKNOWN_BOARD = `
buses: { board: { transport: modbus-tcp, host: 127.0.0.1, port: 1 } }
links: { vault: { contacts: [ { name: relay, profile: nobody/nothing, bus: board, unit: 1, channel: 1 } ] } }
`;

function config(links: string): string {
  const file = join(directory, 'portcullis.yaml');
  writeFileSync(file, `runtime_directory: ${directory}\n${links}`);
  return file;
}

async function interlock(status: number, body: unknown): Promise<void> {
  server = createServer((_, answer) => {
    answer.statusCode = status;
    answer.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => {
    server?.listen(join(directory, 'interlock.sock'), resolve);
  });
}

describe('the interlock answers', () => {
  test.each([
    ['every link isolated', {}, {}, []],
    ['a trip that is isolated', { state: 'tripped' }, {}, []],
    ['connected', { state: 'connected', observed: 'connected' }, {}, ['link vault is connected', /seen as/]],
    ['connecting', { state: 'connecting' }, {}, ['link vault is connecting']],
    ['stuck', { state: 'stuck', observed: 'connected' }, {}, ['link vault is stuck', /seen as connected/]],
    ['tripped and not seen', { state: 'tripped', observed: 'unknown' }, {}, [/seen as unknown/]],
    ['a state of another build', { state: 'resting' }, {}, ['link vault is resting']],
    ['a lease', { lease: { id: '1' } }, {}, ['somebody holds a lease of link vault']],
    ['a session', { session: { by: 'ada' } }, {}, ['an attended session of link vault is in progress']],
    [
      'an open window',
      {},
      { open: { ends_in_ms: 90_500 } },
      ['window nightly is open, for another 91 s at most'],
    ],
    ['a window of another build', {}, { open: true }, ['window nightly is open']],
  ])('%s', async (_, link, window, against) => {
    await interlock(200, { links: [{ ...resting, ...link }], windows: [{ ...closed, ...window }] });
    const found = await restOf(config('links: {}\n'));
    expect(found.asked).toBe('interlock');
    expect(found.against).toHaveLength(against.length);
    for (const [index, each] of against.entries())
      expect(found.against[index]).toEqual(typeof each === 'string' ? each : expect.stringMatching(each));
  });
});

describe('without an answer the boards are driven', () => {
  test.each([
    ['nobody listens', null, null],
    ['an error', 500, { links: [], windows: [] }],
    ['no JSON', 200, 'ok'],
    ['a status that lacks the windows', 200, { links: [resting] }],
    [
      'a link that does not say whether it is leased',
      200,
      { links: [{ ...resting, lease: undefined }], windows: [] },
    ],
  ])('%s', async (_, status, body) => {
    if (status !== null) await interlock(status, body);
    const { asked, against } = await restOf(config(UNKNOWN_BOARD));
    expect(asked).toBe('boards');
    expect(against).toEqual([
      expect.stringMatching(/^contact relay.*is not proven isolated|^contact .*not proven/),
    ]);
  });

  test('a whole file without links is at rest', async () => {
    await expect(restOf(config('links: {}\n'))).resolves.toEqual({ asked: 'boards', against: [] });
  });
});
