/** `all_clear`: somebody else says that all is well. No answer is no all-clear. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { AllClearSettings } from '../../config/schema/guards.ts';
import { inspectSecretFile } from '../../config/secret-files.ts';
import { pointed } from '../../sources/formats/map.ts';
import { printable } from '../../sources/excerpt.ts';
import { get } from '../notify/request.ts';
import type { Answer } from '../notify/request.ts';
import { readFile } from 'node:fs/promises';
import { clear } from './look.ts';
import type { Look } from './look.ts';

/** Longest answer, bytes. */
const MOST_ANSWER_BYTES = 1_048_576;
const NAMES_SHOWN = 5;
const SHOWN_CHARS = 200;

const alerts = z.array(
  z.looseObject({
    labels: z.record(z.string(), z.string()).default({}),
    status: z.looseObject({ state: z.string().default('') }).default({ state: '' }),
  }),
);

/** Asks. */
export async function askForAllClear(settings: AllClearSettings, stop: AbortSignal): Promise<Look> {
  const url = addressOf(settings);
  if (url === null) return unknown('nobody is asked', {});
  let answer: Answer;
  try {
    answer = await ask(url, settings, stop);
  } catch (error) {
    const { code, message, name } = error as NodeJS.ErrnoException;
    // Anything without a code, and not from a time-out, is a broken invariant.
    if (typeof code !== 'string' && name !== 'AbortError' && name !== 'TimeoutError') throw error;
    return unknown(`${url.origin} does not answer: ${printable(message, SHOWN_CHARS)}`, {});
  }
  const numbers = { status: answer.status };
  if (answer.status !== 200) {
    const why = `${url.origin} answered ${answer.status}, not 200`;
    // It said no itself; what an address cannot do (redirect, no such page, no right) says nothing about the sources.
    return answer.status >= 500
      ? { found: 'wrong', why, hint: hintOf(settings), numbers }
      : unknown(why, numbers);
  }
  return settings.alertmanager === undefined
    ? judgeDocument(answer.text, settings, url, numbers)
    : judgeAlerts(answer.text, settings, url, numbers);
}

function addressOf({ url, alertmanager, severity }: AllClearSettings): URL | null {
  if (url !== undefined) return new URL(url);
  if (alertmanager === undefined) return null;
  const address = new URL(`${alertmanager.replace(/\/+$/, '')}/api/v2/alerts`);
  for (const [key, value] of [
    ['active', 'true'],
    ['silenced', 'false'],
    ['inhibited', 'false'],
    ['filter', `severity="${severity}"`],
  ] as const)
    address.searchParams.append(key, value);
  return address;
}

async function ask(url: URL, settings: AllClearSettings, stop: AbortSignal): Promise<Answer> {
  const { token_file: tokenFile, ca_file: caFile, timeout: timeoutMs } = settings;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (tokenFile !== undefined) {
    const file = await inspectSecretFile(tokenFile);
    if (file.kind === 'unusable')
      throw Object.assign(new Error(`the token cannot be read: ${file.why}`), { code: 'TOKEN_FILE' });
    headers['authorization'] = `Bearer ${new TextDecoder().decode(file.bytes).trim()}`;
  }
  const ca = caFile === undefined ? null : await readFile(caFile, 'utf8');
  return get({ url, headers, ca, timeoutMs, mostAnswerBytes: MOST_ANSWER_BYTES }, stop);
}

function judgeDocument(text: string, settings: AllClearSettings, url: URL, numbers: Look['numbers']): Look {
  const { pointer, equals } = settings;
  if (pointer === undefined) return clear(numbers);
  const document = documentIn(text);
  if (document === undefined) return unknown(`${url.origin} did not answer with JSON`, numbers);
  const value = pointed(document, pointer);
  if (isDeepStrictEqual(value, equals)) return clear(numbers);
  const shown = printable(JSON.stringify(value) ?? 'nothing', SHOWN_CHARS);
  return {
    found: value === undefined ? 'unknown' : 'wrong',
    why: `${url.origin} says ${shown} at ${pointer}, not ${JSON.stringify(equals)}`,
    hint: hintOf(settings),
    numbers,
  };
}

function judgeAlerts(text: string, settings: AllClearSettings, url: URL, numbers: Look['numbers']): Look {
  const list = alerts.safeParse(documentIn(text));
  if (!list.success) return unknown(`${url.origin} did not answer with a list of alerts`, numbers);
  // Looked at here as well: a proxy that drops the question must not make it louder or quieter.
  const firing = list.data.filter(
    ({ labels, status }) =>
      labels['severity'] === settings.severity &&
      status.state !== 'suppressed' &&
      status.state !== 'unprocessed',
  );
  const counted = { ...numbers, alerts: firing.length };
  if (firing.length === 0) return clear(counted);
  const names = [...new Set(firing.map(({ labels }) => printable(labels['alertname'] ?? '?', 60)))];
  return {
    found: 'wrong',
    why: `${firing.length} ${settings.severity} alerts are firing at ${url.origin}: ${names.slice(0, NAMES_SHOWN).join(', ')}`,
    hint: hintOf(settings),
    numbers: counted,
  };
}

function documentIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // cut at the limit, or no JSON
  }
}

const hintOf = ({ alertmanager }: AllClearSettings): string =>
  alertmanager === undefined
    ? 'see what is wrong there'
    : 'settle the alerts, or silence those that are known';

const unknown = (why: string, numbers: Look['numbers']): Look => ({
  found: 'unknown',
  why,
  hint: 'see whether the address is right and whether it can be reached from here',
  numbers,
});
