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
  const line = await Promise.race([firstLine(), pause(REQUEST_TIMEOUT_MS, '', { ref: false })]);
  process.stdin.destroy();
  const { config } = await configured(file, 'none');
  say(await answerMount(config, ownHand, line));
  return 0;
}

async function firstLine(): Promise<string> {
  let text = '';
  for await (const piece of process.stdin.setEncoding('utf8')) {
    text += String(piece);
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
    if (text.length > REQUEST_LIMIT) break;
  }
  return text;
}
