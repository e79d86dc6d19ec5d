import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findRestic } from '../../src/controller/restic/program.ts';

/** What is wrong with this restic, or `null`. */
const resticProblem = (configured: string | undefined): Promise<unknown> =>
  findRestic(configured).then(
    () => null,
    (error: unknown) => error,
  );

let directory: string;
const path = process.env['PATH'];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-restic-'));
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(directory, { recursive: true, force: true });
});

function fakeRestic(body: string): string {
  const file = join(directory, 'restic');
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return file;
}

test('none in PATH', async () => {
  symlinkSync(
    execFileSync('sh', ['-c', 'command -v setpriv'], { encoding: 'utf8' }).trim(),
    join(directory, 'setpriv'),
  );
  process.env['PATH'] = directory;
  const problem = await resticProblem(undefined);
  expect(problem).toMatchObject({
    code: 'RESTIC_MISSING',
    hint: expect.stringContaining('apt-get install restic') as string,
  });
});

test('none where the configuration says', async () =>
  expect(await resticProblem('/nonexistent/restic')).toMatchObject({
    code: 'RESTIC_MISSING',
    message: expect.stringContaining('/nonexistent/restic') as string,
  }));

test('too old', async () =>
  expect(await resticProblem(fakeRestic('echo "restic 0.12.1 compiled with go1.16"'))).toMatchObject({
    code: 'RESTIC_TOO_OLD',
    message: expect.stringContaining('0.12.1') as string,
  }));

test('something else by that name', async () =>
  expect(await resticProblem(fakeRestic('echo hello'))).toMatchObject({ code: 'RESTIC_UNREADABLE' }));

test('no setpriv', async () => {
  process.env['PATH'] = directory;
  expect(await resticProblem(fakeRestic('echo'))).toMatchObject({
    code: 'SETPRIV_MISSING',
    hint: 'install util-linux',
  });
});

test('good enough', async () => {
  const program = await findRestic(fakeRestic('echo "restic 0.14.0 compiled with go1.19.8"'));
  expect(program.version).toEqual({ major: 0, minor: 14, patch: 0 });
  expect(await resticProblem(program.path)).toBeNull();
});
