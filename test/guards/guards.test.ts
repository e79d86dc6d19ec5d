/** Each guard on real files and a real server: what it sees, what it makes of it, and what it cannot tell. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guard as guardSchema } from '../../src/config/schema/guards.ts';
import { askForAllClear } from '../../src/controller/guards/all-clear.ts';
import {
  canariesIn,
  canaryText,
  inspect,
  lookAtCanaries,
  plant,
} from '../../src/controller/guards/canary.ts';
import { surveyChanges } from '../../src/controller/guards/change-survey.ts';
import { outcomeOf } from '../../src/controller/guards/look.ts';
import type { Look } from '../../src/controller/guards/look.ts';
import { adoptDraft } from '../../src/controller/guards/manifest.ts';
import { mountPointsIn, sourcesPresent } from '../../src/controller/guards/source-present.ts';
import { nodeDisk } from '../../src/journal/disk.ts';

const never = new AbortController().signal;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-guards-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function settingsOf<Kind extends string>(kind: Kind, settings: Readonly<Record<string, unknown>>) {
  const parsed = guardSchema.parse({ [kind]: settings });
  return (parsed as unknown as Record<Kind, never>)[kind];
}

describe('outcomes', () => {
  const look = (found: Look['found']): Look => ({ found, why: '', hint: '', numbers: {} });
  test.each([
    ['clear', 'trip', 'clear'],
    ['wrong', 'trip', 'tripped'],
    ['wrong', 'skip', 'skipped'],
    ['wrong', 'warn', 'warned'],
    ['unknown', 'trip', 'skipped'],
    ['unknown', 'skip', 'skipped'],
    ['unknown', 'warn', 'warned'],
  ] as const)('%s with action %s is %s', (found, action, outcome) => {
    expect(outcomeOf(look(found), action)).toBe(outcome);
  });
});

describe('canaries', () => {
  async function planted() {
    const canaries = await plant(directory, '2026-11-21T00:00:00Z');
    writeFileSync(canariesIn(directory), canaryText(canaries));
    const [first, second] = canaries;
    if (first === undefined || second === undefined) throw new Error('two are planted');
    return { first, second, look: () => lookAtCanaries(nodeDisk, directory) };
  }

  test('intact; then changed, emptied, renamed, gone, replaced by a link', async () => {
    const { first, second, look } = await planted();
    expect(await look()).toMatchObject({ found: 'clear', numbers: { canaries: 2, intact: 2 } });
    const content = readFileSync(first.path);

    content[100] = (content[100] ?? 0) ^ 1;
    writeFileSync(first.path, content);
    expect(await look()).toMatchObject({ found: 'wrong', numbers: { intact: 1, changed: 1 } });
    expect((await look()).why).toContain(`${first.path} changed`);

    truncateSync(first.path);
    expect(await inspect(first)).toEqual({ kind: 'changed' });
    renameSync(second.path, `${second.path}.locked`);
    expect(await inspect(second)).toEqual({ kind: 'renamed', to: `${second.path}.locked` });
    rmSync(`${second.path}.locked`);
    expect(await inspect(second)).toEqual({ kind: 'missing' });
    symlinkSync(first.path, second.path);
    expect(await inspect(second)).toEqual({ kind: 'changed' });
    expect(await look()).toMatchObject({ found: 'wrong', numbers: { intact: 0, changed: 2 } });
  });

  test('none planted, and a list that is torn, are no reason to latch', async () => {
    expect(await lookAtCanaries(nodeDisk, directory)).toMatchObject({ found: 'unknown' });
    writeFileSync(canariesIn(directory), '{"format":1,');
    expect(await lookAtCanaries(nodeDisk, directory)).toMatchObject({ found: 'unknown' });
  });
});

describe('sources', () => {
  const look = (
    settings: Readonly<Record<string, unknown>>,
    last: { files: number; bytes: number } | null = null,
  ) =>
    sourcesPresent(
      { settings: settingsOf('source_present', settings), paths: [join(directory, 'data')], last },
      never,
    );
  beforeEach(() => {
    mkdirSync(join(directory, 'data/deep/deeper'), { recursive: true });
    for (let index = 0; index < 30; index += 1)
      writeFileSync(join(directory, `data/deep/deeper/file-${index}`), 'x'.repeat(100));
  });

  test('enough, too few, too little, less than half of the last time', async () => {
    expect(await look({})).toMatchObject({ found: 'clear', numbers: { files: 1 } });
    expect(await look({ minimum_files: 30, minimum_bytes: 3_000 })).toMatchObject({ found: 'clear' });
    expect(await look({ minimum_files: 31 })).toMatchObject({ found: 'wrong', numbers: { files: 30 } });
    expect(await look({ minimum_bytes: 3_001 })).toMatchObject({ found: 'wrong', numbers: { bytes: 3_000 } });
    const last = { files: 60, bytes: 6_000 };
    expect(await look({}, last)).toMatchObject({ found: 'clear', numbers: { files: 30 } });
    expect(await look({}, { ...last, files: 61 })).toMatchObject({ found: 'wrong' });
    expect(await look({}, { ...last, bytes: 6_002 })).toMatchObject({ found: 'wrong' });
    expect(await look({ least_share: 10 }, { files: 300, bytes: 30_000 })).toMatchObject({ found: 'clear' });
  });

  test('missing, and not mounted', async () => {
    expect(await look({ mount_points: ['/proc'] })).toMatchObject({ found: 'clear' });
    expect(await look({ mount_points: ['/proc/'] })).toMatchObject({ found: 'clear' });
    expect(await look({ mount_points: [directory] })).toMatchObject({
      found: 'wrong',
      why: `nothing is mounted on ${directory}`,
    });
    rmSync(join(directory, 'data'), { recursive: true });
    expect(await look({ minimum_files: 0 })).toMatchObject({ found: 'wrong' });
    expect(mountPointsIn('36 35 98:0 / /mnt/a\\040b rw - ext4 /dev/sda rw\n')).toEqual(['/mnt/a b']);
  });
});

describe('the survey of changes', () => {
  const manifest = () => join(directory, 'manifest.bin');
  const file = (index: number, kind = 'txt') => join(directory, `data/${index % 7}/file-${index}.${kind}`);
  const survey = (settings: Readonly<Record<string, unknown>> = {}) =>
    surveyChanges(
      {
        settings: settingsOf('change_survey', settings),
        paths: [join(directory, 'data')],
        manifest: manifest(),
        random: () => 0.5,
      },
      never,
    );
  beforeEach(async () => {
    for (let index = 0; index < 7; index += 1)
      mkdirSync(join(directory, `data/${index}`), { recursive: true });
    for (let index = 0; index < 200; index += 1)
      writeFileSync(file(index), `${index} all work and no play. `.repeat(400));
    await survey();
    await adoptDraft(manifest());
  });

  test('nothing, little, and a draft that was not adopted', async () => {
    expect(await survey()).toMatchObject({
      found: 'clear',
      numbers: { files: 200, removed: 0, changed: 0, touched: 0, added: 0 },
    });
    appendFileSync(file(1), 'more');
    rmSync(file(2));
    writeFileSync(join(directory, 'data/new.txt'), 'x');
    const little = { removed: 1, changed: 1, touched: 0, added: 1, files_before: 200 };
    expect(await survey()).toMatchObject({ found: 'clear', numbers: little });
    // Not adopted: what was seen counts for nothing.
    expect(await survey()).toMatchObject({ numbers: little });
    await adoptDraft(manifest());
    expect(await survey()).toMatchObject({ numbers: { removed: 0, changed: 0, added: 0 } });
  });

  test('many gone, many changed, many new', async () => {
    for (let index = 0; index < 41; index += 1) rmSync(file(index));
    expect(await survey()).toMatchObject({
      found: 'wrong',
      why: expect.stringContaining('41 of 200 files are gone') as string,
    });
    expect(await survey({ removed: 21 })).toMatchObject({ found: 'clear' });
    for (let index = 50; index < 155; index += 1) appendFileSync(file(index), 'more');
    expect(await survey({ removed: 21 })).toMatchObject({
      found: 'wrong',
      why: expect.stringContaining('105 of 200 files are changed') as string,
    });
    for (let index = 0; index < 500; index += 1) writeFileSync(join(directory, `data/0/new-${index}`), '');
    expect((await survey()).why).toContain('500 files are new');
  });

  test('encrypted with the old time: seen by the inode and by what is in it', async () => {
    const old = new Date('2026-01-01');
    for (let index = 0; index < 200; index += 1) utimesSync(file(index), old, old);
    await survey();
    await adoptDraft(manifest());
    for (let index = 0; index < 30; index += 1) {
      const { length } = readFileSync(file(index));
      writeFileSync(file(index), randomBytes(length));
      utimesSync(file(index), old, old);
    }
    const look = await survey();
    expect(look).toMatchObject({
      found: 'wrong',
      numbers: { changed: 0, touched: 30, sampled: 30, random: 30 },
    });
  });

  test('photos and archives are set aside by what they are; a photo that is none any more is not', async () => {
    const jpeg = Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), randomBytes(20_000)]);
    for (let index = 0; index < 40; index += 1) writeFileSync(file(index, 'jpg'), jpeg);
    for (let index = 0; index < 40; index += 1)
      writeFileSync(file(index, 'log.gz'), gzipSync(randomBytes(9_000)));
    for (let index = 0; index < 20; index += 1) writeFileSync(file(index, 'kdbx'), randomBytes(9_000));
    expect(await survey()).toMatchObject({
      found: 'clear',
      numbers: { added: 100, set_aside: 100, random: 0 },
    });
    for (let index = 0; index < 40; index += 1) writeFileSync(file(index, 'jpg'), randomBytes(20_000));
    const look = await survey();
    expect(look).toMatchObject({ found: 'wrong', numbers: { random: 40, type_changed: 40 } });
  });

  test('the first 4 KiB, or the middle', async () => {
    for (let index = 0; index < 20; index += 1) {
      const content = readFileSync(file(index));
      randomBytes(4_096).copy(content, index % 2 === 0 ? 0 : Math.floor(content.length / 2));
      writeFileSync(file(index), content);
    }
    expect(await survey()).toMatchObject({ found: 'wrong', numbers: { sampled: 20, random: 20 } });
  });

  test('what is excluded, what is not there, and no time', async () => {
    rmSync(join(directory, 'data/3'), { recursive: true });
    expect(await survey({ exclude: ['4', join(directory, 'data/5')] })).toMatchObject({ found: 'wrong' });
    expect((await survey({ exclude: ['4', join(directory, 'data/5')] })).numbers['files']).toBeLessThan(130);
    rmSync(join(directory, 'data'), { recursive: true });
    expect(await survey()).toMatchObject({
      found: 'wrong',
      why: expect.stringContaining('do not exist') as string,
    });
    const stopped = surveyChanges(
      {
        settings: settingsOf('change_survey', {}),
        paths: [directory],
        manifest: manifest(),
        random: () => 0,
      },
      AbortSignal.abort(),
    );
    expect(await stopped).toMatchObject({ found: 'unknown' });
  });

  test('a manifest that is torn or foreign is a new beginning', async () => {
    for (const content of [
      Buffer.from('PCMANI01'),
      randomBytes(500),
      readFileSync(manifest()).subarray(0, 1_001),
    ]) {
      writeFileSync(manifest(), content);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await survey()).toMatchObject({
        found: 'clear',
        why: expect.stringContaining('first look') as string,
      });
    }
  });
});

describe('the all-clear of somebody else', () => {
  let status = 200;
  let body = '';
  let asked: { url: string; token: string | undefined } = { url: '', token: undefined };
  const server = createServer((request, answer) => {
    asked = { url: request.url ?? '', token: request.headers.authorization };
    if (status === 0) return;
    answer.writeHead(status, { location: 'http://127.0.0.1:1/' });
    answer.end(body);
  });
  let origin = '';
  beforeEach(async () => {
    status = 200;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const ask = (settings: Readonly<Record<string, unknown>>) =>
    askForAllClear(settingsOf('all_clear', settings), never);

  test.each([
    [200, '', {}, 'clear'],
    [503, '', {}, 'wrong'],
    [404, '', {}, 'unknown'],
    [302, '', {}, 'unknown'],
    [0, '', { timeout: '200ms' }, 'unknown'],
    [200, '{"status":{"level":"ok"}}', { pointer: '/status/level', equals: 'ok' }, 'clear'],
    [200, '{"status":{"level":"bad"}}', { pointer: '/status/level', equals: 'ok' }, 'wrong'],
    [200, '{"incidents":0}', { pointer: '/incidents', equals: 0 }, 'clear'],
    [200, '{"incidents":"0"}', { pointer: '/incidents', equals: 0 }, 'wrong'],
    [200, '{}', { pointer: '/status', equals: 'ok' }, 'unknown'],
    [200, '<html>', { pointer: '/status', equals: 'ok' }, 'unknown'],
  ])('%i %s with %j: %s', async (answered, text, more, found) => {
    status = answered;
    body = text;
    expect(await ask({ url: `${origin}/health`, ...more })).toMatchObject({ found });
  });

  const alert = (alertname: string, severity: string, state = 'active') => ({
    labels: { alertname, severity },
    status: { state },
  });
  test.each([
    ['none', [], 'clear'],
    ['a critical one', [alert('Ransomware', 'critical')], 'wrong'],
    ['others', [alert('DiskFull', 'warning')], 'clear'],
    ['one that is silenced', [alert('Known', 'critical', 'suppressed')], 'clear'],
    ['no list', { error: 'no' }, 'unknown'],
  ])('Alertmanager with %s', async (_name, alerts, found) => {
    body = JSON.stringify(alerts);
    writeFileSync(join(directory, 'token'), 'sesame\n');
    const look = await ask({ alertmanager: `${origin}/`, token_file: join(directory, 'token') });
    expect(look).toMatchObject({ found });
    expect(asked.url).toBe(
      '/api/v2/alerts?active=true&silenced=false&inhibited=false&filter=severity%3D%22critical%22',
    );
    expect(asked.token).toBe('Bearer sesame');
    if (found === 'wrong') expect(look.why).toContain('Ransomware');
  });

  test('a server that is not there, and a token that is not', async () => {
    expect(await ask({ url: 'http://127.0.0.1:1/' })).toMatchObject({ found: 'unknown' });
    expect(await ask({ url: origin, token_file: join(directory, 'none') })).toMatchObject({
      found: 'unknown',
    });
  });
});
