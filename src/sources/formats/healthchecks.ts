/** Healthchecks with the body of docs/sources/healthchecks.md (hc/integrations/webhook/transport.py). */
import { at, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** The name of the check that *Send Test Notification* makes up (hc/front/views.py). */
const TEST_NAME = 'TEST';

/** Reads one change of a check: `status` is `$STATUS`. */
export function readHealthchecks(body: unknown): Message {
  const status = textAt(body, 'status');
  if (!isGroup(body) || (status !== 'up' && status !== 'down'))
    return unrecognised('status is neither up nor down: set the body of the webhook as documented');
  const test = at(body, 'name') === TEST_NAME;
  return said({
    status: test ? 'test' : status === 'up' ? 'resolved' : 'firing',
    state: status,
    rule: at(body, 'name'),
    reason: at(body, 'tags'),
    id: at(body, 'code'),
  });
}
