/** Uptime Kuma's *Webhook* notification with the preset JSON body (server/notification-providers/webhook.js). */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** heartbeat.js: DOWN, UP, PENDING, MAINTENANCE. */
const UP = 1;
const STATES = ['DOWN', 'UP', 'PENDING', 'MAINTENANCE'] as const;
/** How the message of the *Test* button ends, after the name of the notification (server.js). */
const TEST_ENDING = ' Testing';

/** Reads one beat of a monitor. */
export function readUptimeKuma(body: unknown): Message {
  const message = textAt(body, 'msg');
  if (!isGroup(body) || message === null)
    return unrecognised('it is no webhook of Uptime Kuma: msg is missing');
  const beat = at(body, 'heartbeat');
  const monitor = at(body, 'monitor');
  if (beat === null && monitor === null)
    // Certificates that run out come this way, too.
    return said({ status: message.endsWith(TEST_ENDING) ? 'test' : 'firing', reason: message });
  const status = at(beat, 'status');
  if (typeof status !== 'number' || STATES[status] === undefined)
    return unrecognised('heartbeat.status is none of 0 to 3');
  return said({
    status: status === UP ? 'resolved' : 'firing',
    state: STATES[status],
    rule: at(monitor, 'name'),
    reason: firstSaid(at(beat, 'msg'), message),
    id: at(monitor, 'id'),
  });
}
