/** Datadog's webhooks integration with the payload of docs/sources/datadog.md (docs.datadoghq.com/integrations/webhooks). */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** Values of `$ALERT_TRANSITION` that say it is over; all others (`Triggered`, `Warn`, `No Data`, `Renotify`, …) do not. */
const OVER: ReadonlySet<string> = new Set(['recovered', 'no data recovered', 'warn recovered']);
/** How the title of a monitor begins that was sent with *Test Notifications*. */
const TEST_TITLE = /^\[TEST\]/i;

/** Reads one transition of a monitor. */
export function readDatadog(body: unknown): Message {
  const transition = textAt(body, 'alert_transition');
  if (!isGroup(body) || transition === null || transition === '')
    return unrecognised('alert_transition is missing: set the payload of the webhook as documented');
  const title = textAt(body, 'alert_title');
  const over = OVER.has(transition.toLowerCase());
  const test = !over && title !== null && TEST_TITLE.test(title);
  return said({
    status: over ? 'resolved' : test ? 'test' : 'firing',
    state: transition,
    severity: firstSaid(at(body, 'alert_priority')),
    rule: title,
    reason: firstSaid(at(body, 'text_only_msg'), at(body, 'alert_status')),
    id: firstSaid(at(body, 'alert_cycle_key'), at(body, 'aggreg_key')),
  });
}
