/** What a source said, once its own format has been read. Pure. */
import { printable } from './excerpt.ts';
import { type Level, levelOf } from './severity.ts';

/** What a sender says about one thing that happened. Text is bounded and escaped. */
export interface Alert {
  /** `null` when the sender does not say; it counts as firing. */
  readonly status: 'firing' | 'resolved' | 'test' | null;
  /** The sender's own word for `status`. */
  readonly state: string | null;
  /** In the sender's words; `level` is what they mean, `null` when that is not known. */
  readonly severity: string | null;
  readonly level: Level | null;
  /** What found it: the name of a rule, a monitor, a check, a token. */
  readonly rule: string | null;
  readonly reason: string | null;
  /** The same for every message about the same event. */
  readonly id: string | null;
}

export type Message =
  | {
      readonly kind: 'recognised';
      /** At least one. */
      readonly alerts: readonly Alert[];
    }
  | {
      readonly kind: 'unrecognised';
      /** In a few words. */
      readonly why: string;
    };

/** An alert as a format finds it in a body: whatever is neither text nor number counts as not said. */
export interface AlertFound {
  readonly status: Alert['status'];
  readonly state?: unknown;
  readonly severity?: unknown;
  /** When the words of this sender mean something else than usual. */
  readonly level?: Level | null;
  readonly rule?: unknown;
  readonly reason?: unknown;
  /** The reason ends in an address that somebody has to visit: it is of no use when it is cut. */
  readonly hasAddress?: true;
  readonly id?: unknown;
}

/** Longest texts, UTF-16 units before escaping. */
const MAX_WORD_CHARS = 40;
const MAX_RULE_CHARS = 200;
const MAX_REASON_CHARS = 200;
const MAX_ADDRESS_CHARS = 1_000;
const MAX_ID_CHARS = 100;
/** Alerts of one message that are read. Those beyond count as firing: who does not look must not say that all is well. */
export const MAX_ALERTS = 500;

/** What a text ends in that was longer. */
export const CUT = '…';

/** Text from outside, or text that it is compared with: letters put together in one way (NFC), escaped, on one line. */
export const spelt = (text: string): string => printable(text.normalize('NFC'), Infinity);

/** Why a body says nothing that is understood. */
export const unrecognised = (why: string): Message => ({ kind: 'unrecognised', why });

/** One alert, bounded and escaped. */
export function alertOf(found: AlertFound): Alert {
  const severity = words(found.severity, MAX_WORD_CHARS);
  return {
    status: found.status,
    state: words(found.state, MAX_WORD_CHARS),
    severity,
    level: found.level === undefined ? levelOf(severity) : found.level,
    rule: words(found.rule, MAX_RULE_CHARS),
    reason: words(found.reason, found.hasAddress === true ? MAX_ADDRESS_CHARS : MAX_REASON_CHARS),
    id: words(found.id, MAX_ID_CHARS),
  };
}

/** A message of one alert. */
export const said = (found: AlertFound): Message => ({ kind: 'recognised', alerts: [alertOf(found)] });

/** A message of several; `unseen` is how many more the sender left out. */
export function saidTogether<T>(items: readonly T[], read: (item: T) => AlertFound, unseen: number): Message {
  const alerts = items.slice(0, MAX_ALERTS).map((item) => alertOf(read(item)));
  const more = unseen + Math.max(0, items.length - MAX_ALERTS);
  if (more > 0) alerts.push(alertOf({ status: null, reason: `${more} more alerts that were not shown` }));
  return alerts.length === 0 ? unrecognised('it is about nothing') : { kind: 'recognised', alerts };
}

function words(value: unknown, limit: number): string | null {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value === '') return null;
  // Cut first: putting letters together takes long where there are many.
  return value.length > limit ? `${spelt(value.slice(0, limit))}${CUT}` : spelt(value);
}
