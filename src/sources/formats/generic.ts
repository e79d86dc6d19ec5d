/** The `generic` format: a JSON object with any of `status`, `severity`, `rule`, `reason` (or `message`, `title`) and `id`. */
import { at, isGroup } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

const STATUSES = ['firing', 'resolved', 'test'] as const;
const REASONS = ['reason', 'message', 'title'] as const;

const isWord = (value: unknown): boolean =>
  value === undefined || value === null || typeof value === 'string' || typeof value === 'number';

/** Reads what scripts and programs send that can choose their own words. */
export function readGeneric(body: unknown): Message {
  if (!isGroup(body)) return unrecognised('the body is not a JSON object');
  const word = at(body, 'status');
  const status = STATUSES.find((known) => known === word) ?? null;
  if (word !== undefined && status === null)
    return unrecognised('its status is none of firing, resolved, test');
  const severity = at(body, 'severity');
  const rule = at(body, 'rule');
  const reason = REASONS.map((name) => at(body, name)).find((value) => value !== undefined);
  const id = at(body, 'id');
  const all = [severity, rule, reason, id];
  if (!all.every(isWord)) return unrecognised('severity, rule, reason and id must be text or numbers');
  if (status === null && all.every((value) => value === undefined || value === null))
    return unrecognised('it has none of the known fields');
  return said({ status, state: word, severity, rule, reason, id });
}
