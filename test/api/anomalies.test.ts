/** What is held, as pages see it, and its release by a person. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { State } from '../../src/api/documents/state-document.ts';
import { AnomalyBook } from '../../src/controller/anomalies/book.ts';
import { Sentries } from '../../src/controller/sentries.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { ApiBench } from './bench.ts';

const FOUND = {
  window: 'nightly',
  occurrence: 'one',
  link: 'vault',
  repository: 'main',
  rule: 'removed',
  action: 'hold',
  why: 'half of the files are gone',
  numbers: { share: 0.5 },
  snapshot: '996c8af7',
} as const;

describe('anomalies', { timeout: 60_000 }, () => {
  let bench: ApiBench;
  let book: AnomalyBook;
  let operator: Record<string, string>;
  beforeEach(async () => {
    bench = new ApiBench();
    await bench.start();
    book = new AnomalyBook(nodeDisk, bench.directory);
    operator = await bench.personOf('operator');
  });
  afterEach(() => bench.stop());

  const state = async (): Promise<State> =>
    (await bench.ask('GET', '/api/v1/state', { headers: operator })).json();
  const release = (id: string, body: object) =>
    bench.ask('POST', `/api/v1/anomalies/${id}/release`, { headers: operator, body });

  test('what is found is in the state at once, with what it froze; a release lifts it in the name of who asked', async () => {
    expect((await state()).anomalies).toEqual([]);
    const { id } = await book.add(FOUND, '2026-11-21T02:40:00.000Z');
    await bench.face.ledger.note({ main: { frozen: { why: FOUND.why, at: '2026-11-21T02:40:00.000Z' } } });
    expect(await state()).toMatchObject({
      anomalies: [{ id, repository: 'main', rule: 'removed', action: 'hold', times: 1, why: FOUND.why }],
      repositories: [{ frozen: { why: FOUND.why, window: 'nightly', anomaly: id } }],
    });
    const answer = await release(id, { reason: ' a clean-up, announced by ops ' });
    expect(answer.json()).toMatchObject({
      id,
      by: 'person:the-operator',
      reason: 'a clean-up, announced by ops',
      expected: false,
    });
    expect((await state()).anomalies).toEqual([]);
    const journal: unknown[] = [];
    const sentries = new Sentries({
      config: bench.face.config,
      client: bench.interlock.client,
      ledger: bench.face.ledger,
      disk: nodeDisk,
      voice: { note: () => undefined },
      now: () => new Date(),
      journal: (type, data) => void journal.push({ type, data }),
    });
    await sentries.settle();
    expect(journal).toMatchObject([
      { type: 'controller.anomaly-released', data: { id, by: 'person:the-operator', repository: 'main' } },
    ]);
    expect((await state()).repositories[0]?.frozen).toBeNull();
    expect((await release(id, { reason: 'once more' })).json()).toMatchObject({
      status: 409,
      code: 'anomaly-released',
    });
  });

  test('a release needs its reason, and an anomaly that there is', async () => {
    const { id } = await book.add(FOUND, '2026-11-21T02:40:00.000Z');
    expect((await release(id, { reason: '  ' })).statusCode).toBe(400);
    expect((await release(id, {})).statusCode).toBe(400);
    expect((await release('a20261121-000000', { reason: 'x' })).json()).toMatchObject({
      status: 404,
      code: 'anomaly-unknown',
    });
    expect((await release('..%2Fpeople', { reason: 'x' })).statusCode).toBe(404);
    expect((await book.all())[0]?.release).toBeNull();
  });

  test('what is found again is told again, and what cannot be read is not shown as nothing', async () => {
    const { id } = await book.add(FOUND, '2026-11-21T02:40:00.000Z');
    expect((await state()).anomalies).toMatchObject([{ times: 1 }]);
    await book.add(FOUND, '2026-11-22T02:40:00.000Z');
    expect((await state()).anomalies).toMatchObject([{ id, times: 2, last_at: '2026-11-22T02:40:00.000Z' }]);
    const directory = join(bench.directory, 'anomalies');
    rmSync(directory, { recursive: true });
    writeFileSync(directory, '');
    expect((await state()).anomalies).toBeNull();
    rmSync(directory);
    mkdirSync(directory);
    expect((await state()).anomalies).toEqual([]);
  });
});
