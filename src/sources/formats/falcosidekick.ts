/** Falcosidekick's `webhook` output (github.com/falcosecurity/falcosidekick, docs/outputs/webhook.md). */
import { at, isGroup, textAt } from '../json-body.ts';
import { type Message, unrecognised } from '../message.ts';
import { eventOf } from './falco.ts';

/** What `POST /test` of Falcosidekick sends on (handlers.go). */
const TEST_RULE = 'Test rule';
const TEST_OUTPUT = 'This is a test from falcosidekick';

/** Reads one event of Falco as Falcosidekick passes it on. */
export function readFalcosidekick(body: unknown): Message {
  if (!isGroup(body) || textAt(body, 'rule') === null || textAt(body, 'priority') === null)
    return unrecognised('it is no event of Falco: rule or priority is missing');
  const test = at(body, 'rule') === TEST_RULE && at(body, 'output') === TEST_OUTPUT;
  return eventOf(body, test ? 'test' : 'firing');
}
