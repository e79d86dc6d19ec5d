/** Icinga Notifications' `webhook` channel with its preset body (icinga.com/docs/icinga-notifications, "Channels", NotificationRequest). */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** `incident.severity` of an incident that is over (icinga-go-library, notifications/event/severity.go). */
const OVER = 'ok';

/** Reads one notification of an incident. Whatever else happens to an incident says that it is not over. */
export function readIcinga(body: unknown): Message {
  const severity = textAt(body, 'incident', 'severity');
  const event = at(body, 'event');
  const object = textAt(body, 'object', 'name');
  if (!isGroup(event) || object === null || !isGroup(at(body, 'incident')))
    return unrecognised('it is no notification of Icinga: object, incident or event is missing');
  const over = severity === OVER;
  return said({
    status: over ? 'resolved' : 'firing',
    state: firstSaid(at(event, 'type')),
    severity: over ? null : severity,
    rule: object,
    reason: at(event, 'message'),
    id: firstSaid(at(body, 'incident', 'id')),
  });
}
