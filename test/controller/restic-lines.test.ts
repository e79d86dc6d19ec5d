import { describe, expect, test } from 'vitest';
import { parseResticLine } from '../../src/controller/restic/lines.ts';
import {
  OLDEST_RESTIC,
  isAtLeast,
  judgeExit,
  parseResticVersion,
  repairIndexCommand,
} from '../../src/controller/restic/verdict.ts';

const version = (text: string) => {
  const parsed = parseResticVersion(`restic ${text} compiled with go`);
  if (parsed === null) throw new Error(text);
  return parsed;
};

describe('lines', () => {
  test.each([
    [
      '{"message_type":"status","percent_done":0}',
      { kind: 'progress', progress: { filesDone: 0, bytesDone: 0, bytesTotal: 0 } },
    ],
    [
      '{"message_type":"status","percent_done":0.5,"total_files":4,"files_done":2,"total_bytes":10,"bytes_done":5,"current_files":["/a"]}',
      {
        kind: 'progress',
        progress: { filesDone: 2, filesTotal: 4, bytesDone: 5, bytesTotal: 10, currentFiles: ['/a'] },
      },
    ],
    ['\u001b[2Kplain {text}', { kind: 'text', text: '\\u{1b}[2Kplain {text}' }],
    ['{not json', { kind: 'text', text: '{not json' }],
    ['{"message_type":"from the future","x":1}', { kind: 'other' }],
    ['{"no":"type"}', { kind: 'text' }],
    ['[{"id":"00"}]', { kind: 'text' }],
    ['', { kind: 'other' }],
    ['/srv/a b does not exist, skipping', { kind: 'source-missing', path: '/srv/a b' }],
    [
      '{"message_type":"error","error":{},"during":"archival","item":"/x"}',
      { kind: 'item-error', item: '/x', text: '' },
    ],
    [
      '{"message_type":"error","error":{"message":"no"},"item":"/x\\n"}',
      { kind: 'item-error', item: '/x\\u{a}', text: 'no' },
    ],
    [
      '{"message_type":"exit_error","code":12,"message":"Fatal: wrong password"}',
      { kind: 'text', text: 'Fatal: wrong password' },
    ],
    ['{"message_type":"summary","num_errors":0,"broken_packs":null}', { kind: 'other' }],
    ['{"message_type":"status","bytes_done":"many"}', { kind: 'other' }],
    ['{"message_type":"summary","snapshot_id":"../../etc"}', { kind: 'other' }],
  ])('%s', (line, expected) => expect(parseResticLine(line)).toMatchObject(expected));

  test('files and scans of --verbose=2, as 0.14 and as later', () => {
    const file =
      '{"message_type":"verbose_status","action":"modified","item":"/a","data_size":3,"data_size_in_repo":85}';
    expect(parseResticLine(file)).toEqual({
      kind: 'file',
      file: { action: 'modified', path: '/a', dataBytes: 3, dataBytesInRepository: 85 },
    });
    for (const type of ['status', 'verbose_status'])
      expect(
        parseResticLine(`{"message_type":"${type}","action":"scan_finished","data_size":6,"total_files":2}`),
      ).toEqual({ kind: 'scan', scan: { files: 2, bytes: 6 } });
    // A file that is called like a word of restic is still a file.
    const odd = JSON.stringify({
      message_type: 'verbose_status',
      action: 'new',
      item: '/"action":"unchanged"',
      data_size: 1,
      data_size_in_repo: 1,
    });
    expect(parseResticLine(odd)).toMatchObject({ kind: 'file', file: { path: '/"action":"unchanged"' } });
    expect(parseResticLine('{"message_type":"verbose_status","action":"unchanged","item":"/a"}')).toEqual({
      kind: 'other',
    });
  });

  test('a summary without a snapshot: nothing had changed', () => {
    for (const id of ['', ',"snapshot_id":""'])
      expect(parseResticLine(`{"message_type":"summary","total_files_processed":1${id}}`)).toMatchObject({
        kind: 'backup-summary',
        summary: { snapshot_id: null },
      });
  });

  test('a summary, short id as in 0.14', () => {
    const line =
      '{"message_type":"summary","files_new":1,"data_added":1407,"total_files_processed":1,"total_bytes_processed":3,"snapshot_id":"22dacf9a"}';
    expect(parseResticLine(line)).toMatchObject({
      kind: 'backup-summary',
      summary: { files_new: 1, data_added: 1407, data_added_packed: null, snapshot_id: '22dacf9a' },
    });
  });
});

describe('versions', () => {
  test.each([
    ['restic 0.14.0 compiled with go1.19.8 on linux/amd64', { major: 0, minor: 14, patch: 0 }],
    ['restic 0.18.0 (v0.18.0-1-gabc) compiled with go1.24.4', { major: 0, minor: 18, patch: 0 }],
    ['restic 0.19.1-dev (compiled manually)', { major: 0, minor: 19, patch: 1 }],
    ['restic: not found', null],
    ['', null],
  ])('%s', (text, expected) => expect(parseResticVersion(text)).toEqual(expected));

  test('order', () => {
    expect(isAtLeast(version('0.14.0'), OLDEST_RESTIC)).toBe(true);
    expect(isAtLeast(version('0.13.9'), OLDEST_RESTIC)).toBe(false);
    expect(isAtLeast(version('1.0.0'), OLDEST_RESTIC)).toBe(true);
  });

  test('the index command by version', () => {
    expect(repairIndexCommand(version('0.15.2'))).toEqual(['rebuild-index']);
    expect(repairIndexCommand(version('0.16.0'))).toEqual(['repair', 'index']);
  });
});

describe('exits', () => {
  const refusedConnection =
    'Fatal: unable to open config file: client.Head: Head "http://127.0.0.1:9/config": dial tcp 127.0.0.1:9: connect: connection refused\nIs there a repository at the following location?\nrest:http://127.0.0.1:9/\n';
  test.each([
    ['0.14.0', 0, '', 'done'],
    ['0.14.0', 3, '', 'partly-done'],
    [
      '0.14.0',
      1,
      'Fatal: unable to open config file: stat /r/config: no such file or directory\nIs there',
      'repository-missing',
    ],
    [
      '0.14.0',
      1,
      'Fatal: unable to open config file: <config/> does not exist\nIs there',
      'repository-missing',
    ],
    [
      '0.14.0',
      1,
      'Fatal: unable to open config file: Lstat: file does not exist\nIs there',
      'repository-missing',
    ],
    ['0.14.0', 1, refusedConnection, 'failed'],
    [
      '0.14.0',
      1,
      'Fatal: unable to open config file: dial unix /run/x/config: no such file or directory',
      'failed',
    ],
    ['0.14.0', 1, 'Fatal: wrong password or no key found', 'wrong-password'],
    ['0.14.0', 1, 'unable to create lock in backend: repository is already locked by PID 1 on vm', 'locked'],
    ['0.14.0', 10, '', 'failed'],
    ['0.18.0', 1, 'Fatal: unable to open config file: <config/> does not exist', 'failed'],
    ['0.18.0', 10, '', 'repository-missing'],
    ['0.18.0', 11, '', 'locked'],
    ['0.18.0', 12, '', 'wrong-password'],
    ['0.17.0', 12, '', 'failed'],
    ['0.19.1', 2, '', 'failed'],
    ['0.19.1', 77, '', 'failed'],
    ['0.19.1', 130, '', 'failed'],
    ['0.19.1', null, '', 'failed'],
  ] as const)('%s ends with %s: %s', (text, code, stderr, expected) =>
    expect(judgeExit(version(text), code, stderr)).toBe(expected),
  );
});
