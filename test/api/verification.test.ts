/** The proof of the journal that the API makes: in a thread, over the socket, and able to fail. */
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Verifications } from '../../src/api/journal/verifications.ts';
import type { Verification } from '../../src/api/documents/journal.ts';
import { headKeyFromPem, signHead } from '../../src/journal/heads.ts';
import { generateKeyPairSync } from 'node:crypto';
import { BUILD_HEADER } from '../../src/protocol/messages.ts';
import type { KeptEntry } from '../../src/protocol/journal.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { SilentInterlock } from './bench.ts';

const BUILD = 'test';

describe('the proof of the journal', { timeout: 60_000 }, () => {
  const interlock = new SilentInterlock();
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-verification-'));
  const socketPath = join(directory, 'interlock.sock');
  const key = headKeyFromPem(
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  let server: Server;
  let ended: Verification | null;
  let proofs: Verifications;
  /** What the interlock gives instead of an entry. */
  let forged = new Map<number, KeptEntry | null>();
  /** What the interlock says of its journal, besides what is there. */
  let said: { size?: number; head?: string } = {};
  beforeEach(async () => {
    interlock.entries.splice(0);
    for (let i = 1; i <= 350; i += 1) interlock.write('link.isolated', { link: 'vault', n: i, text: 'ü' });
    forged = new Map();
    said = {};
    ended = null;
    server = createServer((request, answer) => {
      const url = new URL(request.url ?? '', 'http://x');
      if (url.pathname === '/v1/status') {
        answer.writeHead(200, { [BUILD_HEADER]: BUILD, 'content-type': 'application/json' });
        answer.end(
          JSON.stringify({ ...interlock.status(), journal: { ...interlock.status().journal, ...said } }),
        );
        return;
      }
      const after = Number(url.searchParams.get('after'));
      void interlock.client.entries(after, Number(url.searchParams.get('limit'))).then((page) => {
        const entries = page.entries.flatMap((entry) => {
          const other = forged.get(entry.seq);
          return other === null ? [] : [other ?? entry];
        });
        answer.writeHead(200, { [BUILD_HEADER]: BUILD, 'content-type': 'application/json' });
        answer.end(JSON.stringify({ ...page, entries }));
      });
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    proofs = new Verifications(
      () => ({ socketPath, build: BUILD, vkey: key.vkey }),
      (result) => {
        ended = result;
      },
    );
  });
  afterEach(async () => {
    await proofs.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const prove = async (head: string | null = null): Promise<Verification | null> => {
    proofs.begin('ada', head);
    expect(proofs.begin('eve', null)).toMatchObject({ state: 'running', by: 'ada' });
    await expect.poll(() => proofs.show()?.state, { timeout: 20_000 }).not.toBe('running');
    expect(ended).toEqual(proofs.show());
    return ended;
  };
  const entryOf = (seq: number): KeptEntry => {
    const entry = interlock.entries[seq - 1];
    if (entry === undefined) throw new Error('no such entry');
    return entry;
  };

  test('files that are shorter or other than the interlock wrote are not verified', async () => {
    said = { size: 352 };
    expect(await prove()).toMatchObject({
      state: 'broken',
      problems: [expect.stringContaining('entries 351 to 352 are not there')],
    });
    said = { head: 'a'.repeat(64) };
    expect(await prove()).toMatchObject({
      state: 'broken',
      problems: [expect.stringContaining('another one than the interlock wrote')],
    });
    said = { size: 7 };
    interlock.entries.splice(0);
    expect(await prove()).toMatchObject({ state: 'broken', entries: 0 });
  });

  test('a head that was handed in is never answered by a proof that does not look at it', async () => {
    proofs.begin('ada', null);
    expect(() => proofs.begin('eve', 'a head')).toThrow(/does not look at this head/);
    await expect.poll(() => proofs.show()?.state, { timeout: 20_000 }).not.toBe('running');
  });

  test('a whole journal is verified to its end', async () => {
    expect(await prove()).toMatchObject({
      state: 'verified',
      entries: 350,
      of: 350,
      head: { size: 350 },
      problems: [],
    });
  });

  test.each([
    [
      'an edit',
      () => forged.set(200, { ...entryOf(200), data: { link: 'vault', n: 0, text: 'ü' } }),
      'entry 201',
    ],
    ['a deletion', () => forged.set(150, null), 'entry 150'],
    ['a re-ordering', () => forged.set(150, entryOf(151)).set(151, entryOf(150)), 'entry 150'],
  ])('%s is found, with its place', async (_what, forge, place) => {
    forge();
    const result = await prove();
    expect(result?.state).toBe('broken');
    expect(result?.problems[0]).toContain(place);
  });

  test('a signed head that was kept elsewhere finds a rewrite and a cut-off end', async () => {
    const whole = await prove();
    const head = signHead({ size: 350, hash: whole?.head?.hash ?? '' }, key);
    expect(await prove(head)).toMatchObject({ state: 'verified' });
    interlock.entries.splice(340);
    expect(await prove(head)).toMatchObject({ state: 'broken', problems: [expect.stringContaining('350')] });
    for (let i = 341; i <= 360; i += 1) interlock.write('link.isolated', { link: 'vault', n: -i });
    expect(await prove(head)).toMatchObject({
      state: 'broken',
      problems: [expect.stringContaining('another one')],
    });
    expect(await prove(head.replace(/^3/m, '4'))).toMatchObject({ state: 'failed' });
  });

  test('an interlock that is away is said, and the next proof works', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await prove()).toMatchObject({
      state: 'failed',
      problems: [expect.stringContaining('interlock')],
    });
    rmSync(socketPath, { force: true });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    expect(await prove()).toMatchObject({ state: 'verified' });
  });
});
