import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildId, computeBuildId } from '../../src/protocol/build.ts';
import { interlockClient } from '../../src/protocol/client.ts';
import { lineReader } from '../../src/protocol/line-reader.ts';
import { BUILD_HEADER } from '../../src/protocol/messages.ts';
import type { EventLine } from '../../src/protocol/messages.ts';
import { eventually } from '../controller/appliance.ts';
import { FakeInterlock } from '../controller/fake-interlock.ts';

let directory: string;
let socketPath: string;
let interlock: FakeInterlock;
let server: Server | null = null;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-protocol-'));
  socketPath = join(directory, 'interlock.sock');
  interlock = new FakeInterlock(socketPath);
});
afterEach(async () => {
  await interlock.stop();
  server?.closeAllConnections();
  server?.close();
  server = null;
  rmSync(directory, { recursive: true, force: true });
});

const build = buildId();
const client = (more: { build?: string } = {}) => interlockClient({ socketPath, build, ...more });

/** Something that listens where the interlock should. */
async function stranger(answer: RequestListener): Promise<void> {
  const other = createServer(answer);
  server = other;
  await new Promise<void>((resolve) => other.listen(socketPath, resolve));
}

describe('what can go wrong has a code and a way out', () => {
  test('nobody there', async () =>
    expect(client().status()).rejects.toMatchObject({
      code: 'INTERLOCK_MISSING',
      hint: expect.stringContaining('is the interlock running?') as string,
    }));
  test('another build', async () => {
    await interlock.start();
    await expect(client({ build: '0.0.0+old' }).status()).rejects.toMatchObject({ code: 'INTERLOCK_BUILD' });
    interlock.build = '9.9.9+new';
    await expect(client().askLease({ link: 'vault', window: 'w', occurrence: 'o' })).rejects.toMatchObject({
      code: 'INTERLOCK_BUILD',
    });
  });
  test('refused', async () => {
    await interlock.start();
    await expect(client().askLease({ link: 'vault', window: 'w', occurrence: 'o' })).rejects.toMatchObject({
      code: 'INTERLOCK_REFUSED',
      refusals: [{ code: 'outside-window' }],
    });
  });
  test.each([
    ['no JSON', 200, 'hello'],
    ['another shape', 200, '{"build":1}'],
    ['a refusal without reasons', 409, '{}'],
    ['an error page', 500, '<html>'],
    ['nothing', 200, ''],
    ['too much', 200, 'x'.repeat(5_000_000)],
  ])('%s', async (_name, code, body) => {
    await stranger((_request, answer) => answer.writeHead(code, { [BUILD_HEADER]: build }).end(body));
    await expect(client().status()).rejects.toMatchObject({ code: 'INTERLOCK_GARBLED' });
  });
  test('hangs up', async () => {
    await stranger((request) => request.socket.destroy());
    await expect(client().status()).rejects.toMatchObject({ code: 'INTERLOCK_CLOSED' });
  });
  test.each([
    ['says nothing', () => undefined],
    [
      'stops in the middle',
      (
        _request: unknown,
        answer: { writeHead(code: number, headers: object): { write(text: string): void } },
      ) => answer.writeHead(200, { [BUILD_HEADER]: build }).write('{'),
    ],
  ])('%s', async (_name, answer) => {
    await stranger(answer as RequestListener);
    await expect(client().status()).rejects.toMatchObject({ code: 'INTERLOCK_SILENT' });
  });
});

describe('events', () => {
  async function collect(stop: AbortSignal, seen: EventLine[]): Promise<void> {
    for await (const event of client().events(stop)) seen.push(event);
  }

  test('begin with hello, and end when told to', async () => {
    await interlock.start();
    const stop = new AbortController();
    const seen: EventLine[] = [];
    const ended = collect(stop.signal, seen);
    await eventually('alive', () => seen.some((event) => event.event === 'alive'));
    expect(seen[0]?.event).toBe('hello');
    stop.abort();
    await ended;
  });
  test('silence is noticed', async () => {
    await interlock.start();
    const seen: EventLine[] = [];
    const ended = collect(new AbortController().signal, seen);
    await eventually('hello', () => seen.length > 0);
    interlock.answers = false;
    await expect(ended).rejects.toMatchObject({ code: 'INTERLOCK_SILENT' });
  });
  test('so is an end, and a line that is none of ours', async () => {
    await stranger((_request, answer) =>
      answer.writeHead(200, { [BUILD_HEADER]: build }).end('{"event":"alive","journal_size":7}\n'),
    );
    const seen: EventLine[] = [];
    await expect(collect(new AbortController().signal, seen)).rejects.toMatchObject({
      code: 'INTERLOCK_CLOSED',
    });
    expect(seen).toEqual([{ event: 'alive', journal_size: 7 }]);
    server?.removeAllListeners('request');
    server?.on('request', (_request, answer) =>
      answer.writeHead(200, { [BUILD_HEADER]: build }).end('{"event":"new"}\n'),
    );
    await expect(collect(new AbortController().signal, seen)).rejects.toMatchObject({
      code: 'INTERLOCK_GARBLED',
    });
  });
});

describe('a lease', () => {
  const ask = () => {
    interlock.window = { window: 'w', occurrence: 'o', endsAtMs: performance.now() + 60_000 };
    return client().askLease({ link: 'vault', window: 'w', occurrence: 'o' });
  };

  test('renews itself, says when connected, is given back', async () => {
    await interlock.start();
    const lease = await ask();
    await lease.connected;
    await eventually('renewals', () => interlock.renewals >= 3);
    expect(lease.endsInMs()).toBeGreaterThan(30_000);
    expect(lease.endsInMs()).toBeLessThanOrEqual(60_000);
    await lease.release();
    await lease.release();
    expect(await lease.lost).toMatchObject({ code: 'released' });
    expect(interlock.ends).toEqual(['released']);
    const { renewals } = interlock;
    await new Promise((resolve) => setImmediate(resolve));
    expect(interlock.renewals).toBe(renewals);
  });
  test('says why it was lost', async () => {
    await interlock.start();
    const lease = await ask();
    interlock.trip('button', 'pressed');
    expect(await lease.lost).toMatchObject({ code: 'tripped' });
  });
  test('is lost when the interlock dies', async () => {
    await interlock.start();
    const lease = await ask();
    await interlock.stop();
    expect(await lease.lost).toMatchObject({ code: 'stream-closed' });
    await lease.release();
  });
  test('is lost when the interlock hangs', async () => {
    await interlock.start();
    const lease = await ask();
    interlock.answers = false;
    expect(await lease.lost).toMatchObject({ code: 'renewal-failed' });
  });
  test('lapses when the event loop of its holder is blocked: nobody renews it from elsewhere', async () => {
    await interlock.start();
    interlock.adoptsBuild = true;
    interlock.window = { window: 'w', occurrence: 'o', endsAtMs: performance.now() + 60_000 };
    const source = join(import.meta.dirname, '../../src/protocol/client.ts');
    const script = `import { interlockClient } from ${JSON.stringify(source)};
      const client = interlockClient({ socketPath: ${JSON.stringify(socketPath)}, build: 'x' });
      await client.askLease({ link: 'vault', window: 'w', occurrence: 'o' });
      setTimeout(() => { for (;;); }, 1_000);`;
    const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: 'ignore',
    });
    try {
      await eventually('a renewal', () => interlock.renewals > 0);
      await eventually('the lease to lapse', () => interlock.ends.length > 0);
      expect(interlock.ends).toEqual(['lease-lapsed']);
      expect(holder.exitCode).toBeNull();
    } finally {
      holder.kill('SIGKILL');
    }
  });
});

describe('the build id', () => {
  test('is the version and a digest of the sources', () => {
    expect(build).toMatch(/^\d+\.\d+\.\d+\+[0-9a-f]{16}$/);
    expect(computeBuildId(join(import.meta.dirname, '../../src'), '.ts')).toMatch(/\+[0-9a-f]{16}$/);
  });
});

describe('lines', () => {
  const read = (limit: number, pieces: readonly string[]): [string, boolean][] => {
    const lines: [string, boolean][] = [];
    const reader = lineReader(limit, (line, cut) => lines.push([line, cut]));
    for (const piece of pieces) reader.feed(piece);
    reader.finish();
    return lines;
  };
  test('in any pieces', () => {
    expect(read(10, ['a', 'b\nc', '\n', '\nd'])).toEqual([
      ['ab', false],
      ['c', false],
      ['', false],
      ['d', false],
    ]);
  });
  test('too long ones lose their end and nothing else', () => {
    expect(read(3, ['abcd', 'efgh\nab\n', 'abc\n'])).toEqual([
      ['abc', true],
      ['ab', false],
      ['abc', false],
    ]);
  });
});
