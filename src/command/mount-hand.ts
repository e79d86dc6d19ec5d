/** `portcullis mount-hand`: mounts for a controller that is not root. systemd starts it for one request and it ends with that. */
import { setTimeout as pause } from 'node:timers/promises';
import { ownHand } from '../controller/attach/mount-hand.ts';
import { answerMount } from '../controller/attach/mount-request.ts';
import { configured } from './configured.ts';
import { CommandError, type ExitCode, say } from './exit.ts';

/** How long the request may take to arrive, ms. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Characters of a request. */
const REQUEST_LIMIT = 1_000;

/** Answers the one request on standard input. */
export async function mountForController(file: string): Promise<ExitCode> {
  if (process.getuid?.() !== 0)
    throw new CommandError(2, 'only root mounts: systemd calls this, see docs/attach.md');
  const gone = new AbortController();
  const line = await Promise.race([firstLine(gone), pause(REQUEST_TIMEOUT_MS, '', { ref: false })]);
  const { config } = await configured(file, 'none');
  const text = await answerMount(config, ownHand, line, gone.signal);
  process.stdin.destroy();
  // Nobody reads it, and writing would end this process with an error.
  if (!gone.signal.aborted) say(text);
  return 0;
}

/** The request; empty when none comes. Whoever asks stays until he has his answer: when he hangs up, `gone` aborts. */
function firstLine(gone: AbortController): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const over = (): void => {
      gone.abort();
      resolve('');
    };
    process.stdin
      .setEncoding('utf8')
      .on('data', (piece: string) => {
        if (text.length > REQUEST_LIMIT) return;
        text += piece;
        const end = text.indexOf('\n');
        if (end >= 0 || text.length > REQUEST_LIMIT) resolve(end < 0 ? '' : text.slice(0, end));
      })
      .once('end', over)
      .once('error', over);
  });
}
