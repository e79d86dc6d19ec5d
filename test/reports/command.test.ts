/** `portcullis report` as it is called: from files alone, with no interlock and no controller running. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { monthDocument } from '../../src/controller/reports/month-document.ts';
import { signHead } from '../../src/journal/heads.ts';
import { occurrence, Story } from './story.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The configuration of the story as a file. */
function configFile({ directory }: Story): string {
  const file = join(directory, 'portcullis.yaml');
  writeFileSync(join(directory, 'password'), 'a password\n', { mode: 0o600 });
  writeFileSync(
    file,
    `state_directory: ${directory}
runtime_directory: ${directory}/run
interlock: { listen: "127.0.0.1:8470" }
controller: { listen: "127.0.0.1:8480", state_directory: ${directory}/controller }
buses: { board: { transport: modbus-tcp, host: 127.0.0.1, port: 5020, simulated: true } }
links:
  vault:
    contacts: [ { name: relay, profile: waveshare/modbus-rtu-relay-8ch-d, bus: board, unit: 1, channel: 1 } ]
    exposure_budget: 4h
repositories: { main: { url: ${directory}/vault, password_file: ${directory}/password } }
windows:
  nightly: { link: vault, opens: "30 12 * * *", timezone: UTC, lasts: 1h, steps: [ { check: { repository: main } } ] }
`,
  );
  return file;
}

function report(config: string, ...args: string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'report', ...args, '--config', config], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test('list, show, and a month with a head from elsewhere', { timeout: 60_000 }, async () => {
  const story = await Story.told();
  const config = configFile(story);
  const kept = await story.report(10);
  await story.report(1);
  const head = join(story.directory, 'kept.head');
  writeFileSync(
    head,
    signHead(
      story.headAfter(() => true),
      story.key,
    ),
  );
  const [list, newest, page, none, wrong, month, text] = await Promise.all([
    report(config, 'list', '--json'),
    report(config, 'show', 'nightly'),
    report(config, 'show', 'nightly', occurrence(1), '--html'),
    report(config, 'show', 'nightly', 'never'),
    report(config, 'month', '2026-13'),
    report(config, 'month', '2026-11', '--json', '--head', head, '--vkey', story.key.vkey),
    report(config, 'month', '2026-11'),
  ]);
  const occurrences = list.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { occurrence: string }).occurrence);
  expect(occurrences).toEqual([occurrence(10), occurrence(1)]);
  expect(JSON.parse(newest.stdout)).toEqual(kept);
  expect(page.stdout).toContain(`<title>Window nightly, ${occurrence(1)}</title>`);
  expect(none).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no such report') as string,
  });
  expect(wrong).toMatchObject({ code: 2 });
  expect(month).toMatchObject({ code: 0, stderr: '' });
  const made = monthDocument.parse(JSON.parse(month.stdout));
  expect(made.journal).toMatchObject({ state: 'verified', signed_head: null });
  expect(made.journal.heads_confirmed).toEqual(expect.arrayContaining([expect.stringContaining(head)]));
  expect(made.not_verified.join('\n')).not.toContain('no signed head that was kept elsewhere');
  expect(made.simulated).toEqual(['vault']);
  expect(text.code).toBe(0);
  for (const words of [
    'SIMULATED',
    'no signed head that was kept elsewhere',
    'MISSING',
    '1.25 ms',
    'restore of the ledger',
  ])
    expect(text.stdout).toContain(words);
});

test('a journal that does not verify, and a head that is none, end with 1', { timeout: 60_000 }, async () => {
  const story = await Story.told();
  const config = configFile(story);
  const head = join(story.directory, 'kept.head');
  writeFileSync(head, 'not a head\n');
  story.lines.splice(10, 1);
  story.save();
  const [broken, unusable] = await Promise.all([
    report(config, 'month', '2026-11', '--html'),
    report(config, 'month', '2026-11', '--head', head),
  ]);
  expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining('does not verify') as string });
  expect(broken.stdout).toContain('THE JOURNAL DOES NOT VERIFY');
  expect(unusable).toMatchObject({ code: 1, stdout: '' });
  expect(readFileSync(head, 'utf8')).toBe('not a head\n');
});
