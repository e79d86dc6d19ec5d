/** Commands whose reader goes before they have said anything, as behind `| head -1`: they end quietly, with the code they would have had. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../src/journal/file.ts';
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
