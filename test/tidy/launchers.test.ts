import { execa } from 'execa';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const launchers = readdirSync(join(ROOT, 'bin'), { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `bin/${entry.name}`);

test.each([...launchers, '.ci/run'])('%s is a bash script that can be run', async (path) => {
  expect(statSync(join(ROOT, path)).mode & 0o111).not.toBe(0);
  expect(readFileSync(join(ROOT, path), 'utf8').split('\n')[0]).toBe('#!/usr/bin/env bash');
  await execa('bash', ['-n', join(ROOT, path)]);
});

test('continuous integration calls bin/test and nothing else', () => {
  const lines = readFileSync(join(ROOT, '.ci/run'), 'utf8').trim().split('\n');
  expect(lines.filter((line) => !line.startsWith('#'))).toEqual([
    'cd "$(dirname "${BASH_SOURCE[0]}")/.." && exec bin/test',
  ]);
});

describe('bin/prepare', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-launchers-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs a line of bash with the functions of bin/prepare, and commands of our own before those of the host. */
  const run = (line: string): Promise<{ exitCode?: number; stdout: string; stderr: string }> =>
    execa('bash', ['-c', `. "${ROOT}/bin/prepare"\n${line}`], {
      env: { PATH: `${folder}:${process.env['PATH']}` },
      reject: false,
    });

  const command = (name: string, script: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  };

  test.each([
    ['v18.20.4', false],
    ['v23.11.1', false],
    ['v24.6.0', false],
    ['v24.7.0', true],
    ['v24.21.0', true],
    ['v100.1.0', true],
    ['', false],
  ])('a host with Node.js %j will do: %s', async (version, enough) => {
    command('node', `echo ${version}`);
    expect((await run('is_new_enough')).exitCode === 0).toBe(enough);
  });

  test('a stamp fits only the content it was made of', async () => {
    const file = join(folder, 'lock');
    writeFileSync(file, 'one');
    const { stdout } = await run(
      `stamp_of "${file}" >"${folder}/stamp"; is_stamped "${folder}/stamp" "$(stamp_of "${file}")" && echo same
       echo two >>"${file}"; is_stamped "${folder}/stamp" "$(stamp_of "${file}")" || echo other
       is_stamped "${folder}/none" x || echo none`,
    );
    expect(stdout.split('\n')).toEqual(['same', 'other', 'none']);
  });

  test('apt is asked for what is missing and for nothing else', async () => {
    command('dpkg-query', 'case "$3" in held-by-dpkg) printf "ii ";; gone) printf "rc ";; *) exit 1;; esac');
    command('apt-get', `echo "$@" >>"${folder}/apt"`);
    const { stdout, stderr } = await run(
      'as_root() { "$@"; }\ninstall_debian held-by-dpkg bash && echo nothing\ninstall_debian held-by-dpkg gone missing-one',
    );
    expect(stdout).toBe('nothing');
    expect(stderr).toContain('installing with apt: gone missing-one');
    const asked = readFileSync(join(folder, 'apt'), 'utf8').trim().split('\n');
    expect(asked.map((line) => line.replace(/.*?(update|install .*)/, '$1'))).toEqual([
      'update',
      'install --no-install-recommends gone missing-one',
    ]);
  });

  test('what apt says is shown when it fails', async () => {
    command('apt-get', 'case "$*" in *install*) echo "no such package"; exit 100;; esac');
    const { exitCode, stderr } = await run('as_root() { "$@"; }\ninstall_debian missing-one\necho unreached');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/no such package\nportcullis: apt could not install missing-one/);
  });
});
