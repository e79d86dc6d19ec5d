/** Netdata Cloud's *Webhook* integration (learn.netdata.cloud, "Webhook"). */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** Reads an alert, a host that is not reachable any more or again, and the test with its token. */
export function readNetdata(body: unknown): Message {
  if (!isGroup(body)) return unrecognised('the body is not a JSON object');
  const message = textAt(body, 'message');
  const alert = textAt(body, 'alert');
  const severity = textAt(body, 'severity');
  if (message === null) return unrecognised('it is no webhook of Netdata: message is missing');
  if (isGroup(at(body, 'status'))) return readReachability(body, message, severity);
  const token = textAt(body, 'token');
  if (token !== null && severity === null && !Object.hasOwn(body, 'alert'))
    return said({ status: 'test', reason: `the token to verify the webhook with is ${token}` });
  if (alert === null || severity === null)
    return unrecognised('it is no webhook of Netdata: alert or severity is missing');
  return said({
    status: severity === 'clear' ? 'resolved' : 'firing',
    state: severity,
    severity: severity === 'clear' ? null : severity,
    rule: alert,
    reason: message,
    id: [alert, textAt(body, 'chart') ?? '', textAt(body, 'space') ?? ''].join(' '),
  });
}

function readReachability(body: unknown, message: string, severity: string | null): Message {
  const reachable = at(body, 'status', 'reachable') === true;
  const text = textAt(body, 'status', 'text');
  if (reachable && (text !== 'reachable' || severity !== 'info'))
    return unrecognised('it says reachable, and its text or severity does not');
  return said({
    status: reachable ? 'resolved' : 'firing',
    state: text,
    severity: reachable ? null : severity,
    rule: 'reachability',
    reason: message,
    id: firstSaid(at(body, 'host')),
  });
}
