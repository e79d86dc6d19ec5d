/** What a verified message does. Pure. In doubt it trips: only what is positively understood as harmless does less. */
import { printable } from './excerpt.ts';
import { type Alert, CUT, type Message, spelt } from './message.ts';
import { isAtLeast, type Level } from './severity.ts';
import type { Verification } from './verify.ts';

/** What an alert must be to trip; every condition that is given must hold. What the sender does not say counts as held. */
export interface TripOn {
  /** In the sender's words, in whatever case. */
  readonly severity?: readonly string[];
  readonly severity_at_least?: Level;
  /** Names; `*` stands for any text. */
  readonly rules?: readonly string[];
  /** The sender's own words for the state of an alert, in whatever case. */
  readonly status?: readonly string[];
}

export interface SourcePolicy {
  /** What a verified body does that nobody understands. */
  readonly on_unrecognised: 'trip' | 'refuse';
  readonly trip_on?: TripOn;
}

export interface Verdict {
  /**
   * `drill`: go through everything but the cut. `annotate`: only write it down; a resolved alert never resets. `beat`: a
   * heartbeat says that all is well.
   */
  readonly verdict: 'trip' | 'drill' | 'annotate' | 'refuse' | 'beat';
  readonly about: 'firing' | 'resolved' | 'test' | 'unrecognised';
  /** For the latch and the journal. Bounded, escaped. */
  readonly reason: string;
  /** The sender's names for what it is about, to recognise it when it comes again; `null` when the sender gives none. */
  readonly key: string | null;
}

export type Note = Extract<Verification, { ok: true }>['note'];

/** Longest reason, UTF-16 units before the escaping of what the sender said. */
const MAX_REASON_CHARS = 300;
/** Names that are kept of one message. */
const MAX_KEYS = 20;

/** How a note reads in a reason. */
const NOTES: Readonly<Record<NonNullable<Note>, string>> = {
  'stale-timestamp': 'clock skew or replay (its signed time is too old or too new): ',
  'unreadable-timestamp': 'clock skew or replay (its signed time is no number of seconds): ',
  'ambiguous-signature':
    'clock skew or replay (its id has a full stop, so another time may have been signed): ',
};

const noted = (note: Note): string => (note === undefined ? '' : NOTES[note]);

/** Judges one verified message. `note`: what verification found remarkable; it never makes a message do less. */
export function verdictOf(policy: SourcePolicy, message: Message, note?: Note): Verdict {
  const judge = (
    verdict: Verdict['verdict'],
    about: Verdict['about'],
    reason: string,
    alerts: readonly Alert[],
  ): Verdict => ({ verdict, about, reason: noted(note) + reason, key: keyOf(alerts) });
  if (message.kind === 'unrecognised')
    return judge(policy.on_unrecognised, 'unrecognised', notUnderstood(message.why), []);
  const { alerts } = message;
  const firing = alerts.filter(({ status }) => status === 'firing' || status === null);
  const tripping = firing.filter((alert) => belowThreshold(policy.trip_on ?? {}, alert) === null);
  if (tripping.length > 0) return judge('trip', 'firing', reasonOf('firing', tripping), tripping);
  const tests = alerts.filter(({ status }) => status === 'test');
  if (tests.length > 0) return judge('drill', 'test', reasonOf('test', tests), tests);
  const [small] = firing;
  if (small === undefined) return judge('annotate', 'resolved', reasonOf('resolved', alerts), alerts);
  const why = belowThreshold(policy.trip_on ?? {}, small) ?? '';
  return judge('annotate', 'firing', reasonOf(`does not trip (${why})`, firing), firing);
}

/** Judges one verified request of a heartbeat. `message`: `null` when any verified request counts. In doubt it is no sign of life. */
export function heartbeatOf(message: Message | null, note?: Note): Verdict {
  const judge = (verdict: Verdict['verdict'], about: Verdict['about'], reason: string): Verdict => ({
    verdict,
    about,
    reason: noted(note) + reason,
    key: null,
  });
  // Whoever repeats an old sign of life must not make a dead system look alive.
  if (note !== undefined) return judge('refuse', 'unrecognised', 'not a sign of life');
  if (message === null) return judge('beat', 'firing', 'heartbeat');
  if (message.kind === 'unrecognised') return judge('refuse', 'unrecognised', notUnderstood(message.why));
  const { alerts } = message;
  const firing = alerts.filter(({ status }) => status === 'firing');
  if (firing.length > 0) return judge('beat', 'firing', reasonOf('heartbeat', firing));
  return alerts.some(({ status }) => status === 'test')
    ? judge('drill', 'test', reasonOf('test', alerts))
    : judge('annotate', 'resolved', reasonOf('not firing', alerts));
}

const notUnderstood = (why: string): string => printable(`unrecognised: ${why}`, MAX_REASON_CHARS);

/** Why an alert that fires does not trip, or `null`. */
function belowThreshold(on: TripOn, alert: Alert): string | null {
  const { severity, severity_at_least: least, rules, status } = on;
  if (severity !== undefined && alert.severity !== null && !among(severity, alert.severity))
    return 'its severity is not listed';
  if (least !== undefined && alert.level !== null && !isAtLeast(alert.level, least))
    return `less than ${least}`;
  const { rule } = alert;
  if (rules !== undefined && rule !== null && !speltAll(rules).some((pattern) => mayMatch(pattern, rule)))
    return 'its rule is not listed';
  return status !== undefined && alert.state !== null && !among(status, alert.state)
    ? 'its status is not listed'
    : null;
}

/** Lists of the configuration as the words of senders are kept; they are asked of every alert before the cut. */
const speltLists = new WeakMap<readonly string[], readonly string[]>();
function speltAll(listed: readonly string[]): readonly string[] {
  const known = speltLists.get(listed) ?? listed.map(spelt);
  speltLists.set(listed, known);
  return known;
}

function among(listed: readonly string[], word: string): boolean {
  const small = word.toLowerCase();
  return speltAll(listed).some((each) => {
    const other = each.toLowerCase();
    return other === small || (word.endsWith(CUT) && other.startsWith(certain(small)));
  });
}

/** Characters before the end of a text that was cut which may have been read otherwise with what came after them. */
const EDGE_CHARS = 12;
const certain = (text: string): string => text.slice(0, -(EDGE_CHARS + CUT.length));

/** True also when the text was cut and might have matched: whoever did not see all of it must not take it for less. */
function mayMatch(pattern: string, text: string): boolean {
  if (matches(pattern, text)) return true;
  if (!text.endsWith(CUT)) return false;
  const seen = certain(text);
  const [first = '', ...rest] = pattern.split('*');
  return rest.length === 0 ? first.startsWith(seen) : first.startsWith(seen) || seen.startsWith(first);
}

/** `*` stands for any text, also for none. */
export function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}

/** The sender's words are escaped already; escaping them again would double their backslashes. */
function reasonOf(status: string, alerts: readonly Alert[]): string {
  const [first] = alerts;
  const parts = [first?.severity, first?.rule, first?.reason].filter((part) => typeof part === 'string');
  const more = alerts.length > 1 ? ` (and ${alerts.length - 1} more)` : '';
  return [status, ...parts].join(': ') + more;
}

function keyOf(alerts: readonly Alert[]): string | null {
  const ids = alerts.map(({ id }) => id).filter((id) => id !== null);
  return ids.length === alerts.length && ids.length > 0 && ids.length <= MAX_KEYS
    ? JSON.stringify(ids.toSorted())
    : null;
}
