/** Sentry's integration platform webhooks (docs.sentry.io/integrations/integration-platform/webhooks). */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

const METRIC_ACTIONS: ReadonlySet<string> = new Set(['critical', 'warning', 'resolved']);

/** Reads metric alerts, issue alerts and issues. Sentry's test notifications look like the real thing. */
export function readSentry(body: unknown): Message {
  const action = textAt(body, 'action');
  const data = at(body, 'data');
  if (action === null || !isGroup(data))
    return unrecognised('it is no webhook of Sentry: action or data is missing');
  if (isGroup(at(data, 'metric_alert'))) return readMetric(action, data);
  const event = at(data, 'event');
  if (isGroup(event))
    return said({
      status: action === 'triggered' ? 'firing' : null,
      state: action,
      severity: at(event, 'level'),
      rule: at(data, 'triggered_rule'),
      reason: at(event, 'title'),
      id: firstSaid(at(event, 'issue_id'), at(event, 'event_id')),
    });
  const issue = at(data, 'issue');
  if (!isGroup(issue)) return unrecognised('it is about neither an alert nor an issue');
  const over = action === 'resolved' && at(issue, 'status') === 'resolved';
  return said({
    status: over ? 'resolved' : 'firing',
    state: action,
    severity: at(issue, 'level'),
    reason: at(issue, 'title'),
    id: at(issue, 'id'),
  });
}

function readMetric(action: string, data: unknown): Message {
  if (!METRIC_ACTIONS.has(action)) return unrecognised('its action is none of critical, warning, resolved');
  const over = action === 'resolved';
  return said({
    status: over ? 'resolved' : 'firing',
    state: action,
    severity: over ? null : action,
    rule: at(data, 'metric_alert', 'alert_rule', 'name'),
    reason: firstSaid(at(data, 'description_title'), at(data, 'description_text')),
    id: at(data, 'metric_alert', 'id'),
  });
}
