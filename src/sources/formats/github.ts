/** GitHub's webhooks (docs.github.com/webhooks/webhook-events-and-payloads). By the body alone: the header that names the event is not signed. */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** Actions after which an alert (Dependabot, code scanning, secret scanning) is over. */
const OVER: ReadonlySet<string> = new Set([
  'fixed',
  'resolved',
  'dismissed',
  'auto_dismissed',
  'closed_by_user',
]);
const OVER_STATES: ReadonlySet<unknown> = new Set(['fixed', 'resolved', 'dismissed', 'auto_dismissed']);

/** Reads alerts, and whatever else a hook was subscribed to: what arrives was asked for, so it fires. */
export function readGithub(body: unknown): Message {
  if (!isGroup(body)) return unrecognised('the body is not a JSON object');
  if (textAt(body, 'zen') !== null && typeof at(body, 'hook_id') === 'number' && isGroup(at(body, 'hook')))
    return said({ status: 'test', state: 'ping', reason: at(body, 'zen'), id: at(body, 'hook_id') });
  const action = textAt(body, 'action');
  const alert = at(body, 'alert');
  const place = firstSaid(at(body, 'repository', 'full_name'), at(body, 'organization', 'login'));
  if (place === undefined) return unrecognised('it names neither a repository nor an organization');
  if (!isGroup(alert)) return said({ status: 'firing', state: action, rule: eventOf(body), reason: place });
  const state = at(alert, 'state');
  const over = action !== null && OVER.has(action);
  if (over && state !== undefined && !OVER_STATES.has(state))
    return unrecognised('its action says that the alert is over, and its state does not');
  return said({
    status: over ? 'resolved' : 'firing',
    state: action,
    severity: firstSaid(
      at(alert, 'security_advisory', 'severity'),
      at(alert, 'rule', 'security_severity_level'),
      at(alert, 'rule', 'severity'),
    ),
    rule: firstSaid(
      at(alert, 'secret_type'),
      at(alert, 'rule', 'id'),
      at(alert, 'security_advisory', 'ghsa_id'),
    ),
    reason: firstSaid(
      at(alert, 'secret_type_display_name'),
      at(alert, 'rule', 'description'),
      at(alert, 'security_advisory', 'summary'),
      place,
    ),
    id: firstSaid(at(alert, 'html_url'), at(alert, 'url')),
  });
}

/** Keys of the body by which events without an alert are told apart, and the names they get. */
const EVENTS: readonly (readonly [string, string])[] = [
  ['ref_type', 'ref'],
  ['commits', 'push'],
  ['key', 'deploy_key'],
  ['personal_access_token_request', 'personal_access_token_request'],
  ['member', 'member'],
  ['membership', 'membership'],
  ['workflow_run', 'workflow_run'],
];

/** Most events carry a group of their own name; a repository alone is the event `repository`. */
const eventOf = (body: unknown): string =>
  EVENTS.find(([key]) => at(body, key) !== undefined)?.[1] ?? 'repository';
