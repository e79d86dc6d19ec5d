/** Zabbix with the media type of docs/sources/zabbix.md (zabbix.com/documentation, "Webhook", "Supported macros"). */
import { at, firstSaid, isGroup } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';
import type { Level } from '../severity.ts';

/** `{EVENT.NSEVERITY}`: not classified (nobody knows how bad), information, warning, average, high, disaster. */
const LEVELS: readonly (Level | null)[] = [null, 'info', 'warning', 'warning', 'error', 'critical'];

/** Numbers come as text from a macro, and as numbers from scripts that convert them. */
const numberOf = (value: unknown): number | null => {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d$/.test(value) ? Number(value) : null;
};

/** Reads one event: `event_value` is 1 for a problem and 0 when it is over. */
export function readZabbix(body: unknown): Message {
  const value = numberOf(at(body, 'event_value'));
  if (!isGroup(body) || (value !== 0 && value !== 1))
    return unrecognised('event_value is neither 0 nor 1: use the media type as documented');
  // An update (a comment, an acknowledgement) is never an end, and what may be one is none either.
  const over = value === 0 && numberOf(at(body, 'event_update_status')) === 0;
  const level = numberOf(at(body, 'event_nseverity'));
  return said({
    status: over ? 'resolved' : 'firing',
    state: over ? 'RESOLVED' : value === 0 ? 'UPDATE' : 'PROBLEM',
    severity: firstSaid(at(body, 'event_severity'), at(body, 'event_nseverity')),
    level: level === null ? null : (LEVELS[level] ?? null),
    rule: at(body, 'event_name'),
    reason: firstSaid(at(body, 'host_name'), at(body, 'event_opdata')),
    id: at(body, 'event_id'),
  });
}
