/** Falco's `http_output` (falco.org/docs/concepts/outputs/channels, JSON output). */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** Reads one event. Falco knows no "resolved" and sends no test. */
export function readFalco(body: unknown): Message {
  if (!isGroup(body) || textAt(body, 'rule') === null || textAt(body, 'priority') === null)
    return unrecognised('it is no event of Falco: rule or priority is missing');
  return eventOf(body, 'firing');
}

/** An event with `rule`, `priority` and `output`; Falcosidekick adds `uuid`. */
export const eventOf = (body: unknown, status: 'firing' | 'test'): Message =>
  said({
    status,
    severity: at(body, 'priority'),
    rule: at(body, 'rule'),
    reason: firstSaid(at(body, 'output')),
    id: at(body, 'uuid'),
  });
