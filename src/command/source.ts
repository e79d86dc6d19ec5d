/** `source test`: takes a message of a source the whole way, up to the contacts, without cutting. */
import { open } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { secretFileOf } from '../config/schema/sources.ts';
import { inspectSecretFile } from '../config/secret-files.ts';
import { buildId } from '../protocol/build.ts';
import { interlockClient } from '../protocol/client.ts';
import { type DrillReport, INTERLOCK_SOCKET } from '../protocol/messages.ts';
import { MAX_BODY_BYTES } from '../sources/json-body.ts';
import { secretsIn } from '../sources/secrets.ts';
import { signedRequest } from '../sources/sign.ts';
import type { VerificationRule } from '../sources/verify.ts';
import type { AskOptions } from './ask.ts';
import { configured } from './configured.ts';
import { CommandError, type ExitCode, say } from './exit.ts';

const MS_PER_SECOND = 1_000;

/** Sends the body as this source would; prints what it would have done and how fast. 1 when it does not verify. */
export async function testSource(name: string, bodyFile: string, options: AskOptions): Promise<ExitCode> {
  const { config } = await configured(options.config, 'none');
  const source = Object.hasOwn(config.sources, name) ? config.sources[name] : undefined;
  if (source === undefined) {
    const known = Object.keys(config.sources).join(', ');
    throw new CommandError(2, `there is no source ${JSON.stringify(name)}; there are: ${known || 'none'}`);
  }
  const body = await readBody(bodyFile);
  const secret = await secretOf(source.verify);
  const rule: VerificationRule = source.verify;
  const signed = signedRequest(rule, secret, body, Math.floor(Date.now() / MS_PER_SECOND), randomUUID());
  const { headers, pathSecret } = signed.ok ? signed.request : { headers: {}, pathSecret: null };
  const client = interlockClient({
    socketPath: join(config.runtime_directory, INTERLOCK_SOCKET),
    build: buildId(),
  });
  const report = await client.drill(name, {
    by: userInfo().username,
    headers: Object.fromEntries(
      Object.entries(headers).map(([header, value]) => [header, typeof value === 'string' ? value : '']),
    ),
    path_secret: pathSecret,
    body_base64: Buffer.from(body).toString('base64'),
    unsigned: !signed.ok,
  });
  if (options.json === true) say(JSON.stringify(report));
  else for (const line of reportLines(report)) say(line);
  return report.verdict === null ? 1 : 0;
}

async function readBody(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file === '-' ? '/dev/stdin' : file, 'r');
    try {
      const body = Buffer.alloc(MAX_BODY_BYTES + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await handle.read(body, length, body.length - length, null);
        length += bytesRead;
        if (bytesRead === 0 || length === body.length) break;
      }
      if (length <= MAX_BODY_BYTES) return body.subarray(0, length);
    } finally {
      await handle.close();
    }
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new CommandError(2, `cannot read the body: ${why}`);
  }
  throw new CommandError(
    2,
    `${file} is longer than ${MAX_BODY_BYTES} bytes, the most that is read of a body`,
  );
}

/** The current secret of a source, as its file spells it. */
async function secretOf(rule: Parameters<typeof secretFileOf>[0]): Promise<Uint8Array | null> {
  const named = secretFileOf(rule);
  if (named === null) return null;
  const file = await inspectSecretFile(named.file);
  if (file.kind === 'unusable')
    throw new CommandError(
      1,
      `cannot read ${named.file}: ${file.why}; a drill is signed like the real thing`,
    );
  const found = secretsIn(file.bytes);
  if (!found.ok) throw new CommandError(1, `${named.file}: ${found.why}`);
  return found.secrets[0] ?? null;
}

const WOULD = {
  trip: 'would CUT',
  drill: "is the sender's test: would run as a drill",
  annotate: 'would only be written down',
  refuse: 'would be refused',
  beat: 'counts as a sign of life',
} as const;

function reportLines(report: DrillReport): string[] {
  const { source, verdict, reason, why_not, tier, note, decided_ms, links } = report;
  if (verdict === null) return [`${source}: NOT VERIFIED: ${why_not ?? ''}; nothing was read`];
  const verified = tier === null ? `not verified: ${why_not ?? ''}` : `verified, tier ${tier}`;
  return [
    `${source}: ${verified}${note === null ? '' : ` (${note})`}`,
    `  ${WOULD[verdict]}: ${reason}`,
    `  decided after ${decided_ms} ms`,
    ...links.flatMap(({ link, contacts }) =>
      contacts.map(({ contact, position, answered_ms }) =>
        answered_ms === null
          ? `  ${link} ${contact}: DID NOT ANSWER`
          : `  ${link} ${contact}: ${position}, answered after ${answered_ms} ms`,
      ),
    ),
    '  nothing was cut',
  ];
}
