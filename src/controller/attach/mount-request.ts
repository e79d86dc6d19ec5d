/**
 * The controller is not root and does not become it. Where it is not, a process that is mounts for it: systemd starts `portcullis mount-hand`
 * for each request at a Unix socket. It takes a verb and the name of a repository, nothing else; what is mounted where is in the
 * configuration that it reads itself. Decision: docs/decisions/0019-who-mounts.md.
 */
import { connect } from 'node:net';
import { z } from 'zod';
import type { Config } from '../../config/schema.ts';
import { lineReader } from '../../protocol/line-reader.ts';
import { ControllerFault } from '../fault.ts';
import { type MountHand, readOnly } from './mount-hand.ts';

/** Name of the socket in the runtime directory. */
export const MOUNT_SOCKET = 'mount.sock';
/** ms for an answer beyond what the disk may take to appear. */
const ANSWER_MARGIN_MS = 180_000;
/** ms for a lazy unmount, with a process start on a slow board in it. */
const LAZY_ANSWER_MS = 30_000;
const LINE_LIMIT = 10_000;

const request = z.strictObject({
  do: z.enum(['mount', 'mount-read-only', 'unmount', 'unmount-lazily']),
  repository: z.string().max(100),
});
type Request = z.output<typeof request>;

const answer = z.union([
  z.strictObject({ mounted: z.strictObject({ device: z.string().max(40), uuid: z.string().max(100) }) }),
  z.strictObject({ unmounted: z.enum(['orderly', 'lazy']) }),
  z.strictObject({
    fault: z.strictObject({
      code: z.enum(['MOUNT_POINT', 'MOUNT_FAILED', 'VAULT_ABSENT', 'OTHER_DEVICE']),
      what: z.string(),
      hint: z.string(),
    }),
  }),
]);
type Answer = z.output<typeof answer>;

const badly = (what: string): ControllerFault =>
  new ControllerFault(
    'MOUNT_FAILED',
    what,
    'see `systemctl status portcullis-mount.socket`; the controller is not root, so it needs it for a repository with `mount`',
  );

/** Asks at the socket. */
export function askedHand(socketPath: string): MountHand {
  return {
    async mount(repository, { timeout, options }, stop) {
      // What is mounted how is read from the configuration there; only this can be asked for.
      const verb = options.includes('ro') ? 'mount-read-only' : 'mount';
      const said = await ask(socketPath, { do: verb, repository }, timeout + ANSWER_MARGIN_MS, stop);
      if ('mounted' in said) return said.mounted;
      throw badly('the process that mounts gave the answer to another question');
    },
    async unmount(repository, _settings, manner) {
      const verb = manner === 'lazy' ? 'unmount-lazily' : 'unmount';
      const said = await ask(
        socketPath,
        { do: verb, repository },
        manner === 'lazy' ? LAZY_ANSWER_MS : ANSWER_MARGIN_MS,
      );
      if ('unmounted' in said) return said.unmounted;
      throw badly('the process that mounts gave the answer to another question');
    },
  };
}

async function ask(path: string, asked: Request, timeoutMs: number, stop?: AbortSignal): Promise<Answer> {
  const line = await new Promise<string>((resolve, reject) => {
    const socket = connect(path);
    const end = (why: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(badly(why));
    };
    const timer = setTimeout(
      () => end(`the process that mounts did not answer within ${timeoutMs} ms`),
      timeoutMs,
    );
    const reader = lineReader(LINE_LIMIT, (text) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    });
    stop?.addEventListener('abort', () => end('mounting was stopped'), { once: true });
    socket.setEncoding('utf8').on('data', (text: string) => reader.feed(text));
    socket.once('error', (error) =>
      end(`the process that mounts cannot be asked at ${path}: ${error.message}`),
    );
    socket.once('close', () => end('the process that mounts ended without an answer'));
    socket.write(`${JSON.stringify(asked)}\n`);
  });
  const said = answer.safeParse(parsed(line));
  if (!said.success) throw badly('the process that mounts answered something else');
  if (!('fault' in said.data)) return said.data;
  const { code, what, hint } = said.data.fault;
  throw new ControllerFault(code, what, hint);
}

/**
 * Does what one line asks for and gives the line that answers. For the process that is root. `gone`: nobody waits for the answer any
 * more; what would be mounted from then on, nobody would unmount.
 */
export async function answerMount(
  config: Config,
  hand: MountHand,
  line: string,
  gone: AbortSignal,
): Promise<string> {
  return JSON.stringify(await answered(config, hand, line, gone));
}

async function answered(config: Config, hand: MountHand, line: string, gone: AbortSignal): Promise<Answer> {
  const asked = request.safeParse(parsed(line));
  const settings = asked.success ? config.repositories[asked.data.repository]?.mount : undefined;
  if (!asked.success || settings === undefined)
    return faultOf(badly('no repository with a `mount` was named in the request'));
  const { do: verb, repository } = asked.data;
  try {
    if (verb === 'mount' || verb === 'mount-read-only')
      return {
        mounted: await hand.mount(
          repository,
          verb === 'mount' ? settings : readOnly(settings),
          AbortSignal.any([gone, AbortSignal.timeout(settings.timeout + ANSWER_MARGIN_MS)]),
        ),
      };
    return { unmounted: await hand.unmount(repository, settings, verb === 'unmount' ? 'orderly' : 'lazy') };
  } catch (error) {
    if (error instanceof ControllerFault) return faultOf(error);
    throw error;
  }
}

function faultOf({ code, message: what, hint }: ControllerFault): Answer {
  if (code === 'MOUNT_POINT' || code === 'VAULT_ABSENT' || code === 'OTHER_DEVICE')
    return { fault: { code, what, hint } };
  return { fault: { code: 'MOUNT_FAILED', what, hint } };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // every caller's schema refuses it
  }
}
