/** Splunk's built-in *Webhook* alert action (help.splunk.com, "Use a webhook alert action"). */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** For want of a test button: the name of a saved search that is a drill. */
const DRILL = 'portcullis-drill';

/**
 * Reads one triggered search. Splunk knows no "resolved". The row of results is made of what was logged, so nothing in it
 * makes an alarm less: whoever can write a log could write a small severity into it.
 */
export function readSplunk(body: unknown): Message {
  const sid = textAt(body, 'sid');
  if (!isGroup(body) || sid === null || !Object.hasOwn(body, 'result'))
    return unrecognised('it is no webhook of Splunk: sid or result is missing');
  const search = textAt(body, 'search_name');
  return said({
    status: search === DRILL ? 'test' : 'firing',
    rule: search,
    reason: firstSaid(at(body, 'result', 'message'), at(body, 'result', '_raw'), at(body, 'app')),
    id: sid,
  });
}
