/** Commands whose reader goes before they have said anything, as behind `| head -1`: they end quietly, with the code they would have had. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../src/journal/file.ts';
import { eventually } from '../faults/child.ts';
import { note, realOptions, temporaryDirectory } from './rig.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** Closes the read end of the pipe before the child has begun. */
async function unread(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdout?.destroy();
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stderr };
}

test(
  'nobody reads: no stack trace, the usual code, and what only shows things ends',
  { timeout: 60_000 },
  async () => {
    const directory = await temporaryDirectory();
    const journal = await openJournal(realOptions(directory));
    for (let index = 0; index < 5; index += 1) await journal.append(note(`n${index}`));
    await journal.close();
    const broken = await temporaryDirectory();
    const file = 'journal-000001.jsonl';
    await writeFile(
      join(broken, file),
      (await readFile(join(directory, file), 'utf8')).replace('"n2"', '"N2"'),
    );
    const [exported, notVerified, followed] = await Promise.all([
      unread('journal', 'export', '--directory', directory),
      unread('journal', 'verify', '--directory', broken),
      unread('journal', 'tail', '--follow', '--directory', directory),
    ]);
    expect(exported).toEqual({ code: 0, stderr: '' });
    expect(notVerified).toEqual({ code: 1, stderr: '' });
    expect(followed).toEqual({ code: 0, stderr: '' });
  },
);

test('a terminal that is closed ends nobody half way who hears its SIGHUP', { timeout: 60_000 }, async () => {
  const directory = await temporaryDirectory();
  const [program, log] = [join(directory, 'attends.mjs'), join(directory, 'log')];
  const exit = pathToFileURL(join(import.meta.dirname, '../../src/command/exit.ts')).href;
  await writeFile(
    program,
    `import { appendFileSync } from 'node:fs';
import { bearLostReader, readerGone, warn } from ${JSON.stringify(exit)};
const noted = (what) => appendFileSync(${JSON.stringify(log)}, what + '\\n');
bearLostReader();
process.once('SIGHUP', () => undefined);
const lines = setInterval(() => warn('a line'), 20);
readerGone.addEventListener('abort', () => setTimeout(() => { clearInterval(lines); noted('in order'); }, 200));
noted(String(process.pid));
`,
  );
  const script = spawn('script', ['--quiet', '--command', `"${process.execPath}" "${program}"`, '/dev/null']);
  const text = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
  await eventually('the program on its terminal', () => /\d\n/.test(text()));
  const pid = Number(text());
  onTestFinished(() => {
    if (isAlive(pid) && !text().includes('in order')) process.kill(pid, 'SIGKILL');
  });
  script.kill('SIGKILL');
  await eventually(`the end of ${pid}, in order`, () => text().includes('in order') || !isAlive(pid));
  expect(text()).toContain('in order');
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
