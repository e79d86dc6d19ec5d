/** PagerDuty V3 webhooks (github.com/PagerDuty/developer-docs, docs/webhooks). */
import { at, firstSaid, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';
import type { Level } from '../severity.ts';

/** Other words than everywhere else: `low` is still somebody's incident. */
const URGENCIES: Readonly<Record<string, Level>> = { high: 'critical', low: 'warning' };

/** Reads one event of an incident. Everything but "resolved" and the ping says that it is not over. */
export function readPagerduty(body: unknown): Message {
  const type = textAt(body, 'event', 'event_type');
  if (type === null) return unrecognised('it is no V3 webhook of PagerDuty: event.event_type is missing');
  const data = at(body, 'event', 'data');
  if (type === 'pagey.ping')
    return said({
      status: 'test',
      state: type,
      reason: at(data, 'message'),
      id: at(body, 'event', 'id'),
    });
  if (!type.startsWith('incident.')) return unrecognised('the event is not about an incident');
  const urgency = textAt(data, 'urgency');
  const status = textAt(data, 'status');
  const resolved = type === 'incident.resolved';
  if (resolved && status !== null && status !== 'resolved')
    return unrecognised('it says resolved, and its incident is not');
  return said({
    status: resolved ? 'resolved' : 'firing',
    state: type,
    severity: urgency,
    level: urgency !== null && Object.hasOwn(URGENCIES, urgency) ? (URGENCIES[urgency] ?? null) : null,
    rule: at(data, 'service', 'summary'),
    reason: at(data, 'title'),
    id: firstSaid(at(data, 'id'), at(data, 'incident', 'id')),
  });
}
