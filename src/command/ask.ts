/** `status`, `trip`, `reset` and `window`: what a person asks a running interlock. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { ratingTexts } from '../core/rating.ts';
import { buildId } from '../protocol/build.ts';
import { interlockClient, type InterlockClient } from '../protocol/client.ts';
import {
  INTERLOCK_SOCKET,
  PRESENCE_SOCKET,
  type CommissioningStatus,
  type ContactProof,
  type LinkStatus,
  type SourceStatus,
  type Status,
} from '../protocol/messages.ts';
import { InterlockError } from '../protocol/interlock-error.ts';
import { approvalIn } from './approval.ts';
import { buttonLines } from './button-lines.ts';
import { configured } from './configured.ts';
import { say } from './exit.ts';
import { lampLines } from './lamp-lines.ts';

/** Options that every one of these commands takes. */
export interface AskOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** The interlock of this configuration; with presence, over the socket that only root of this box can open. */
export async function interlock(file: string, presence: boolean): Promise<InterlockClient> {
  const { config } = await configured(file, 'none');
  const socket = presence ? PRESENCE_SOCKET : INTERLOCK_SOCKET;
  return interlockClient({ socketPath: join(config.runtime_directory, socket), build: buildId() });
}

/** Prints where every link stands, how that is known, and what would refuse a lease. */
export async function showStatus({ config, json }: AskOptions): Promise<void> {
  const status = await (await interlock(config, false)).status();
  if (json === true) say(JSON.stringify(status));
  else for (const line of [...statusLines(status), ...buttonLines(status), ...lampLines(status)]) say(line);
}

/** Isolates and latches links, all when none is named. */
export async function tripLinks(
  links: string[],
  reason: string,
  { config, json }: AskOptions,
): Promise<void> {
  const client = await interlock(config, false);
  await client.trip({ links, reason, by: userInfo().username });
  const { links: after } = await client.status();
  const told = after.filter((each) => links.length === 0 || links.includes(each.link));
  if (json === true) say(JSON.stringify({ tripped: told.map((each) => each.link) }));
  else for (const link of told) say(`${link.link}: ${link.state}; ${proofWords(link)}`);
}

/** Prints the signed head of the journal: keep it where the box cannot reach, `journal verify --head` compares. */
export async function showHead({ config, json }: AskOptions): Promise<void> {
  const head = await (await interlock(config, false)).head();
  if (json === true) say(JSON.stringify({ head }));
  else process.stdout.write(head);
}

/** Lists windows: when each opens next, or until when it is open. */
export async function listWindows({ config, json }: AskOptions): Promise<void> {
  const { windows } = await (await interlock(config, false)).status();
  if (json === true) return say(JSON.stringify(windows));
  for (const { window, link, next_opens, open } of windows) {
    const state = open === null ? 'not in progress' : `in progress, ends in ${seconds(open.ends_in_ms)}`;
    say(`${window}  link ${link}  ${state}  next ${next_opens ?? 'never'}`);
  }
}

/** Opens a window now, at the box or with the codes of two people; the controller then does its work. */
export async function runWindow(
  name: string,
  reason: string,
  { config, json, approve = [] }: AskOptions & { readonly approve?: readonly string[] },
): Promise<void> {
  const approvals = approve.map(approvalIn);
  const asked = { reason, by: userInfo().username, ...(approvals.length === 0 ? {} : { approvals }) };
  const over = async (presence: boolean) => (await interlock(config, presence)).runWindow(name, asked);
  const opened = await over(approvals.length === 0).catch((error: unknown) => {
    // Not root: the button may have been held, and the refusal says what else there is.
    if (!(error instanceof InterlockError) || error.code !== 'INTERLOCK_DENIED') throw error;
    return over(false);
  });
  say(
    json === true
      ? JSON.stringify({ window: name, ...opened })
      : `${name}: open for ${seconds(opened.ends_in_ms)} (${opened.occurrence}); follow it with \`portcullis journal tail --follow\``,
  );
}

function statusLines(status: Status): string[] {
  const clock = status.clock.synchronised ? '' : `clock: ${status.clock.detail}\n`;
  const journal = status.journal.writable
    ? `${status.journal.size} entries`
    : 'CANNOT BE WRITTEN; nothing is connected';
  const disk = status.journal.disk?.low === true ? '; ITS DISK RUNS LOW' : '';
  const windows = status.windows.map(({ window, next_opens, open }) =>
    open === null
      ? `window ${window}: next ${next_opens ?? 'never'}`
      : `window ${window}: in progress, ends in ${seconds(open.ends_in_ms)}`,
  );
  const sources = status.sources.map(sourceLine);
  return [...status.links.flatMap(linkLines), ...windows, ...sources, `${clock}journal: ${journal}${disk}`];
}

/** What it can prove, and when it was last heard: a source that nobody heard of for months is worth a drill. */
function sourceLine({ source, tier, heartbeat, last, unverified }: SourceStatus): string {
  const what = heartbeat ? 'heartbeat' : 'source';
  const heard = last === null ? 'not heard since the interlock began' : `last ${last.verdict} at ${last.at}`;
  const refused = unverified === 0 ? '' : `; ${unverified} NOT VERIFIED`;
  return `${what} ${source}: tier ${tier}, ${heard}${refused}`;
}

/** One link, for people. */
export function linkLines(link: LinkStatus): string[] {
  const indicators = link.indicators.map(({ name, kind, position, age_ms, detail }) => {
    const age = age_ms === null ? 'never read' : `${seconds(age_ms)} ago`;
    const rating = kind === 'contact' ? link.ratings[name] : undefined;
    const trust = rating === undefined ? '' : `, ${ratingTexts[rating]}`;
    return `  ${kind} ${name}${trust}: ${position} (${age}; ${detail})`;
  });
  const latch =
    link.latch === null
      ? []
      : [
          `  latched since ${link.latch.at} by ${link.latch.by}: ${link.latch.reason} (cause ${link.latch.cause ?? 'unknown'})`,
        ];
  const trip =
    link.last_trip === null ? [] : [`  last trip at ${link.last_trip.at}: ${tripWords(link.last_trip)}`];
  const session =
    link.session === null
      ? []
      : [
          `  attended session of ${link.session.by} (${link.session.authority}): ${link.session.reason}; ends in ${seconds(link.session.ends_in_ms)}`,
        ];
  const lease =
    link.lease === null ? [] : [`  lease of ${link.lease.holder}, ends in ${seconds(link.lease.ends_in_ms)}`];
  const heartbeats = link.heartbeats.map(({ heartbeat, state, age_ms, max_age_ms }) => {
    const heard = age_ms === null ? 'not heard since the interlock began' : `${seconds(age_ms)} ago`;
    return `  heartbeat ${heartbeat}: ${state} (${heard}; ${seconds(max_age_ms)} may pass)`;
  });
  const refusals = link.refusals.map(({ why, hint }) => `  not now: ${why}; ${hint}`);
  const { last_24h_ms, budget_ms } = link.exposure;
  return [
    `${link.link}: ${link.state.toUpperCase()} since ${link.since}; ${proofWords(link)}`,
    `  commanded ${link.commanded}, observed ${link.observed}`,
    ...indicators,
    `  commissioning: ${commissioningWords(link.commissioning)}`,
    ...link.proofs.map(
      (each) => `  proof test of ${proofTestWords(each)}${each.outcome === 'passed' ? gradeWords(link) : ''}`,
    ),
    ...latch,
    ...trip,
    ...session,
    ...lease,
    ...heartbeats,
    ...refusals,
    `  exposure: ${seconds(last_24h_ms)} of ${seconds(budget_ms)} in the last 24 hours`,
  ];
}

/** How fast a trip was, and how its isolation was proven. */
function tripWords({ cut_ms, proven_ms, proof }: NonNullable<LinkStatus['last_trip']>): string {
  const cut = cut_ms === null ? 'a board was not there when it was cut' : `cut within ${cut_ms} ms`;
  const by = proof === 'witness' ? 'by a witness' : "by the board's own word only";
  return proven_ms === null
    ? `${cut}, isolation NOT PROVEN since`
    : `${cut}, isolation proven ${proven_ms} ms later ${by}`;
}

/** Never more than is known: simulated evidence is called simulated wherever the proof is shown. */
export function proofWords(link: LinkStatus): string {
  const grade = gradeWords(link);
  switch (link.proof) {
    case 'witness':
      return `shown by a witness${grade}`;
    case 'read-back':
      return `by the board's own word only${grade}`;
    case 'none':
      return 'not proven';
  }
}

const gradeWords = ({ evidence_grade }: LinkStatus): string =>
  evidence_grade === 'simulated' ? ' (simulated board: proves nothing about hardware)' : '';

function commissioningWords({ state, at, grade }: CommissioningStatus): string {
  const when = at === null ? '' : ` at ${at}`;
  const played = grade === 'simulated' ? ' on an EMULATED board: shows nothing about hardware' : '';
  switch (state) {
    case 'passed':
      return `passed${when}${played}`;
    case 'failed':
      return `FAILED${when}`;
    case 'outdated':
      return `OUTDATED: passed${when}${played}, something was changed since`;
    case 'never':
      return 'NEVER: no window is opened';
    case 'unreadable':
      return 'the record is NOT TO BE BELIEVED';
  }
}

function proofTestWords({ contact, outcome, basis, took_ms, at, by }: ContactProof): string {
  switch (outcome) {
    case 'none':
      return `${contact}: none yet`;
    case 'failed':
      return `${contact}: FAILED at ${at ?? 'an unknown time'}`;
    case 'passed': {
      const how = basis === 'witness' ? 'shown by a witness' : "by the board's own word only";
      return `${contact}: passed in ${took_ms ?? 0} ms, ${how} (${by ?? 'window'}, ${at ?? ''})`;
    }
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
