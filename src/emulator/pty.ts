/** An emulated board on a pseudo-terminal, which Debian's `socat` provides. Baud rate and parity mean nothing there. */
import { spawn, type ChildProcess } from 'node:child_process';
import { lstat } from 'node:fs/promises';
import type { PlayedBoard } from './played.ts';

/** How long socat may take to make the terminal, ms. */
const PTY_BEGIN_MS = 10_000;
const PTY_POLL_MS = 10;
/** socat reads commas, colons and exclamation marks in a path as its own syntax. */
const PLAIN_PATH = /^[A-Za-z0-9._/-]{1,100}$/;
const MAX_STDERR = 2_000;

/** A board behind a terminal device. */
export interface PtyService {
  readonly path: string;
  readonly close: () => Promise<void>;
}

/** Serves `board` on a new pseudo-terminal to which `path` becomes a link. Rejects with a sentence for people. */
export async function servePty(board: PlayedBoard, path: string): Promise<PtyService> {
  if (!PLAIN_PATH.test(path)) {
    throw new Error(
      `pseudo-terminal path ${JSON.stringify(path.slice(0, 120))}: only letters, digits and . _ / - are possible`,
    );
  }
  if (await exists(path)) throw new Error(`${path} exists already; remove it or choose another path`);
  const child = spawn('socat', [`PTY,link=${path},raw,echo=0`, 'STDIO'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const { stdin, stdout, stderr } = child;
  const gone = ended(child);
  let words = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-MAX_STDERR);
  });
  const send = (bytes: Buffer): void => {
    if (stdin.writable) stdin.write(bytes);
  };
  const session = board.session({ send, reject: () => undefined }, 'rtu');
  stdout.on('data', (chunk: Buffer) => session.receive(chunk));
  // socat ended; `gone` tells why.
  stdin.on('error', () => session.end());
  const stopDrop = board.onDrop(() => session.end());
  const failure = await begun(path, gone);
  if (failure !== null) {
    stdin.destroy();
    child.kill();
    throw new Error(failure === '' ? `socat ended at once: ${words.trim()}` : failure);
  }
  return {
    path,
    close: async () => {
      stopDrop();
      session.end();
      stdin.destroy();
      child.kill();
      await gone;
    },
  };
}

/** Resolves when the process has ended, with its error, or with '' when it ran at all. Never rejects. */
const ended = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === 'ENOENT'
          ? 'socat is not installed, and a pseudo-terminal needs it: apt-get install socat, or use --tcp'
          : `socat cannot be started: ${error.code ?? error.message}`,
      ),
    );
    child.once('close', () => resolve(''));
  });

/** Waits until the terminal is there; `null`: it is, otherwise why not ('' when socat ended). */
async function begun(path: string, gone: Promise<string>): Promise<string | null> {
  let over: string | null = null;
  void gone.then((why) => {
    over = why;
  });
  for (let waited = 0; waited < PTY_BEGIN_MS; waited += PTY_POLL_MS) {
    if (over !== null) return over;
    if (await exists(path)) return null;
    await new Promise((resolve) => setTimeout(resolve, PTY_POLL_MS));
  }
  return `socat made no terminal at ${path} within ${PTY_BEGIN_MS} ms`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
