/** Events as sentences for tired people: what is wrong, where, what to do next. Pure. */
import type { EventLine, LinkStatus } from '../../protocol/messages.ts';
import { printable } from '../../sources/excerpt.ts';
import type { WindowReport } from '../report.ts';
import type { Draft, NoticeType, Severity } from './notice.ts';

/** Longest piece of text from outside in a sentence, characters. */
const QUOTED_CHARS = 300;
const MS_PER_SECOND = 1_000;
const MS_PER_MINUTE = 60_000;

/** Text from outside, bounded and escaped. */
export const words = (text: string): string => printable(text, QUOTED_CHARS);

/** ms for people. */
export function durationWords(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < MS_PER_SECOND) return `${Math.round(ms)} ms`;
  if (ms < 2 * MS_PER_MINUTE) return `${(ms / MS_PER_SECOND).toFixed(1)} s`;
  const minutes = Math.round(ms / MS_PER_MINUTE);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** True when the interlock shows evidence of isolation, not only a command. */
export const isProven = (link: LinkStatus): boolean => link.observed === 'isolated' && link.proof !== 'none';

/** What isolation rests on, in a sentence. */
export function proofWords(link: LinkStatus): string {
  const simulated =
    link.evidence_grade === 'simulated' ? ' (simulated board: proves nothing about hardware)' : '';
  if (!isProven(link)) return 'Isolation is NOT proven yet.';
  return link.proof === 'witness'
    ? `Isolation is shown by a witness${simulated}.`
    : `Isolation is shown by the board's own word only${simulated}.`;
}

/** The same for programs. */
export const proofData = (link: LinkStatus): Draft['data'] => ({
  state: link.state,
  observed: link.observed,
  proof: link.proof,
  proven: isProven(link),
  evidence_grade: link.evidence_grade,
});

/** What most notices say nothing about. */
export const NONE = { link: null, window: null, repeats: null, data: {} } as const;

/** The latch of a link was lifted. */
export const reset = (link: LinkStatus): Draft => ({
  ...NONE,
  type: 'portcullis.link.reset',
  severity: 'info',
  link: link.link,
  title: `${link.link} was reset`,
  text: `The latch is lifted; its windows may connect it again. ${proofWords(link)}`,
  hint: 'Who did it, and why, is in the journal: portcullis journal tail',
  data: proofData(link),
});

/** Isolation is not proven, or the link is stuck. `count` is 1 the first time, `forMs` how long it has been known; `fresh`: it says something new. */
export function unproven(link: LinkStatus, count: number, forMs: number, fresh: boolean): Draft {
  const stuck = link.state === 'stuck';
  const since = count === 1 ? '' : ` For ${durationWords(forMs)} now; told ${count} times.`;
  return {
    ...NONE,
    type: stuck ? 'portcullis.link.stuck' : 'portcullis.link.isolation-unproven',
    severity: 'critical',
    link: link.link,
    title: stuck
      ? `${link.link} is STUCK: told to isolate and still reads connected`
      : `${link.link}: isolation is NOT proven`,
    text: stuck
      ? `A welded contact or a lying board. It is told to isolate for ever.${since}`
      : `It reads ${link.observed} and is told to isolate for ever.${since}`,
    hint: 'Pull the cable to the vault by hand if in doubt, then look at the board, its supply and its cable.',
    data: { count, ...proofData(link) },
    repeats: fresh ? null : `unproven ${link.link}`,
  };
}

/** Isolation is proven again after `unproven` was told. */
export const provenAgain = (link: LinkStatus, forMs: number): Draft => ({
  ...NONE,
  type: 'portcullis.link.isolation-proven',
  severity: 'info',
  link: link.link,
  title: `${link.link}: isolation is proven again`,
  text: `${proofWords(link)} It was not for ${durationWords(forMs)}.`,
  hint: 'Find out why before you trust the link again: portcullis status',
  data: proofData(link),
});

/** Seconds, where a minute more or less is what counts. */
const secondWords = (ms: number): string => `${Math.round(ms / MS_PER_SECOND)} s`;

/** Code of the alarm that a heartbeat is silent. */
export const HEARTBEAT_LOST = 'heartbeat-lost';

/** A heartbeat that a link asks for is silent; like an alarm of the interlock. */
export const heartbeatLost = (
  link: string,
  { heartbeat, age_ms, max_age_ms }: LinkStatus['heartbeats'][number],
): Extract<EventLine, { event: 'alarm' }> => ({
  event: 'alarm',
  link,
  code: HEARTBEAT_LOST,
  why: `heartbeat ${heartbeat} was ${age_ms === null ? 'not heard since the interlock began' : `last heard ${secondWords(age_ms)} ago`}; ${secondWords(max_age_ms)} may pass`,
  hint: `look at what sends it to /trip/${heartbeat}; until then the link stays isolated`,
});

/** An alarm of the interlock that has a type of its own. Any other is a `portcullis.link.alarm` with its code. */
const ALARM_TYPES: ReadonlyMap<string, NoticeType> = new Map<string, NoticeType>([
  ['proof-failed', 'portcullis.link.proof-failed'],
  [HEARTBEAT_LOST, 'portcullis.heartbeat.lost'],
]);

/** An alarm, in the interlock's own words. `more`: how often it came again meanwhile without being told. */
export function alarm(
  line: { readonly link: string; readonly code: string; readonly why: string; readonly hint: string },
  more: number,
): Draft {
  const again = more === 0 ? '' : ` It came ${more} more time${more === 1 ? '' : 's'}.`;
  return {
    ...NONE,
    type: ALARM_TYPES.get(line.code) ?? 'portcullis.link.alarm',
    severity: 'warning',
    link: line.link,
    title: `${line.link}: ${words(line.code)}`,
    text: `${words(line.why)}.${again}`,
    hint: `${words(line.hint)}.`,
    data: { code: words(line.code), more },
  };
}

/** What a link's refusals say about its proof tests. */
export const proofOverdue = (link: LinkStatus, why: string, way: string): Draft => ({
  ...NONE,
  type: 'portcullis.link.proof-overdue',
  severity: 'warning',
  link: link.link,
  title: `${link.link}: a proof test is overdue, no window opens`,
  text: `${words(why)}.`,
  hint: `${words(way)}.`,
  data: { why: words(why) },
});

/** The exposure budget of a link. */
export function budget(link: LinkStatus, level: 'nearly' | 'spent'): Draft {
  const { last_24h_ms, budget_ms } = link.exposure;
  const used = `Connected for ${durationWords(last_24h_ms)} of ${durationWords(budget_ms)} in the last 24 hours.`;
  return {
    ...NONE,
    type: level === 'spent' ? 'portcullis.link.budget-spent' : 'portcullis.link.budget-nearly-spent',
    severity: 'warning',
    link: link.link,
    title:
      level === 'spent'
        ? `${link.link}: the exposure budget is spent`
        : `${link.link}: the exposure budget is nearly spent`,
    text: level === 'spent' ? `${used} No lease is granted or renewed.` : used,
    hint: 'Wait until older exposure is more than 24 hours ago, or see what made the windows so long.',
    data: { last_24h_ms: Math.round(last_24h_ms), budget_ms },
    repeats: `budget ${link.link}`,
  };
}

/** A window was opened by the interlock: for ping URLs. */
export const windowStarted = (window: string, link: string, occurrence: string): Draft => ({
  type: 'portcullis.window.started',
  severity: 'info',
  link,
  window,
  title: `window ${window} of ${link} was opened`,
  text: `Opening ${words(occurrence)}.`,
  hint: 'Nothing is to be done.',
  data: { occurrence: words(occurrence) },
  repeats: `window ${window}`,
});

/** A window is over. Whatever is not wholly done is a failure, or was skipped. */
export function windowEnded(report: WindowReport): Draft {
  const { window, link, occurrence, outcome, exposure_seconds, isolation_proven } = report;
  const proof = isolation_proven ? '' : ' Isolation after it was NOT proven.';
  const wrong = report.steps.flatMap(({ step, repository, outcome: ended }) =>
    'why' in ended ? [`${[step, repository].join(' ').trim()} ${ended.kind}: ${words(ended.why)}.`] : [],
  );
  const hooks = report.hooks.flatMap(({ phase, why: said }) =>
    phase === 'prepare' || said === undefined ? [] : [` The hook afterwards: ${words(said)}.`],
  );
  const ways = report.steps.flatMap(({ outcome: ended }) => ('hint' in ended ? [words(ended.hint)] : []));
  const why = report.why === null ? '' : ` ${words(report.why.why)}.`;
  const well = outcome === 'done' && isolation_proven;
  const way = report.why?.hint === undefined ? ways[0] : words(report.why.hint);
  const severity: Severity = well ? 'info' : isolation_proven ? 'warning' : 'critical';
  return {
    type: typeOf(outcome, well),
    severity,
    link,
    window,
    title: `window ${window} of ${link}: ${outcome}${isolation_proven ? '' : ', isolation NOT proven'}`,
    text: `Exposed for ${exposure_seconds.toFixed(1)} s.${proof}${why}${wrong.map((each) => ` ${each}`).join('')}${hooks.join('')}`,
    hint: well ? 'Nothing is to be done.' : `${way ?? 'See the report of the window and portcullis status'}.`,
    data: {
      occurrence: words(occurrence),
      outcome,
      code: report.why?.code ?? null,
      exposure_seconds,
      isolation_proven,
      steps: report.steps.map(({ step, repository, outcome: ended }) => ({
        step,
        repository,
        outcome: ended.kind,
      })),
      journal_head: report.journal_head,
    },
    repeats: null,
  };
}

function typeOf(outcome: WindowReport['outcome'], well: boolean): NoticeType {
  if (well) return 'portcullis.window.done';
  return outcome === 'skipped' ? 'portcullis.window.skipped' : 'portcullis.window.failed';
}

/** A window that no report will come of. */
export const windowMissed = (window: string, occurrence: string, why: string): Draft => ({
  type: 'portcullis.window.skipped',
  severity: 'warning',
  link: null,
  window,
  title: `window ${window} was skipped`,
  text: `${words(why)}.`,
  hint: 'See the log of the controller and portcullis status.',
  data: { occurrence: words(occurrence) },
  repeats: null,
});

/** Nobody can log in to the dashboard, and no token works, but those who were known when the file broke still cut. */
export const peopleUnreadable = (why: string): Draft => ({
  ...NONE,
  type: 'portcullis.people.unreadable',
  severity: 'critical',
  title: 'nobody can log in: accounts and tokens cannot be read',
  text: `${words(why)}. Windows go on; the button, the alarms and the page of the interlock cut as ever.`,
  hint: 'Restore people.json of the controller from a copy; docs/faults.md, people-unreadable, says how.',
});

/** Notices that never reached this destination. */
export const noticesLost = (repeats: number, others: number): Draft => ({
  ...NONE,
  type: 'portcullis.notices.lost',
  severity: 'warning',
  title: `${repeats + others} notices could not be delivered here and are lost`,
  text: `${repeats} were repeats of others, ${others} were not. What happened is in the journal and in the reports.`,
  hint: 'portcullis journal tail; find out why this destination did not take them.',
  data: { repeats, others },
});

/** What `notify test` sends. */
export const testNotice = (name: string): Draft => ({
  ...NONE,
  type: 'portcullis.test',
  severity: 'info',
  title: `a test of ${name}`,
  text: 'Somebody ran portcullis notify test. Nothing happened to any link.',
  hint: 'Nothing is to be done.',
  data: { destination: name },
});
