/** `portcullis reset` and `portcullis approver add`. */
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { dirname } from 'node:path';
import { base32, otpauthUri, SECRET_BYTES } from '../interlock/rights/totp.ts';
import { InterlockError } from '../protocol/interlock-error.ts';
import { approvalIn } from './approval.ts';
import { type AskOptions, interlock } from './ask.ts';
import { configured } from './configured.ts';
import { CommandError, say } from './exit.ts';

/** Options of a reset. */
export interface ResetOptions extends AskOptions {
  readonly reason: string;
  readonly cause?: string;
  /** `NAME:CODE`, once for each approver. */
  readonly approve?: readonly string[];
}

/** Lifts the latch of a link: at the box, or with the codes of two people. */
export async function resetLink(link: string, options: ResetOptions): Promise<void> {
  const { config, json, reason, cause, approve = [] } = options;
  const approvals = approve.map(approvalIn);
  const asked = {
    link,
    reason,
    by: userInfo().username,
    ...(cause === undefined ? {} : { cause }),
    ...(approvals.length === 0 ? {} : { approvals }),
  };
  if (approvals.length > 0) await (await interlock(config, false)).reset(asked);
  else
    await (await interlock(config, true)).reset(asked).catch(async (error: unknown) => {
      // Not root: the button may have been held, and the refusal says what else there is.
      if (!(error instanceof InterlockError) || error.code !== 'INTERLOCK_DENIED') throw error;
      await (await interlock(config, false)).reset(asked);
    });
  say(
    json === true
      ? JSON.stringify({ reset: link })
      : `${link}: reset; it is isolated and may be connected by its windows again`,
  );
}

/** Makes the secret of an approver and shows it once. An enrolled one is kept unless `again`. */
export async function addApprover(
  name: string,
  { config: file, again }: { config: string; again?: boolean },
): Promise<void> {
  const { config } = await configured(file, 'none');
  const path = Object.hasOwn(config.approvers, name) ? config.approvers[name]?.secret_file : undefined;
  if (path === undefined)
    throw new CommandError(
      1,
      `no approver ${name} in ${file}; write it under "approvers" with the secret_file that is to be made`,
    );
  // It belongs to whoever owns the state: the interlock, which alone is to read it.
  const owner = await stat(config.state_directory).catch(() => null);
  const secret = randomBytes(SECRET_BYTES);
  await mkdir(dirname(path), { recursive: true, mode: 0o711 });
  const fresh = again === true ? `${path}.new` : path;
  if (again === true) await rm(fresh, { force: true });
  const handle = await open(fresh, 'wx', 0o600).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'EEXIST'
        ? 'is enrolled already; --again makes a new secret, and the old one is void'
        : message;
    throw new CommandError(1, `${name} ${why}`);
  });
  try {
    await handle.chmod(0o600);
    await handle.writeFile(`${base32(secret)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (owner !== null && process.getuid?.() === 0) await chown(fresh, owner.uid, owner.gid);
  if (fresh !== path) await rename(fresh, path);
  say(`${name} is enrolled. Take this into an authenticator application now; it is not shown again:`);
  say(otpauthUri(name, hostname(), secret));
}
