/** Wazuh 4.x: an alert as integratord hands it to a custom script, or as its Shuffle script wraps it. */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';
import type { Level } from '../severity.ts';

/** `rule.level` from which a level begins (documentation.wazuh.com, "Rules classification"). */
const LEVELS: readonly (readonly [number, Level])[] = [
  [12, 'critical'],
  [7, 'error'],
  [4, 'warning'],
  [0, 'info'],
];
/** What the Shuffle script makes of levels: up to 4, 5 to 7, 8 and more. */
const SHUFFLE: Readonly<Record<number, Level>> = { 1: 'info', 2: 'warning', 3: 'error' };

/** Reads one alert. Wazuh knows no "resolved" and sends no test. */
export function readWazuh(body: unknown): Message {
  if (!isGroup(body)) return unrecognised('the body is not a JSON object');
  if (textAt(body, 'pretext') === 'WAZUH Alert') return readShuffle(body);
  const level = at(body, 'rule', 'level');
  if (
    typeof level !== 'number' ||
    textAt(body, 'rule', 'description') === null ||
    !isGroup(at(body, 'agent'))
  )
    return unrecognised('it is no alert of Wazuh: rule or agent is missing');
  return said({
    status: 'firing',
    severity: level,
    level: LEVELS.find(([least]) => level >= least)?.[1] ?? null,
    rule: at(body, 'rule', 'id'),
    reason: at(body, 'rule', 'description'),
    id: at(body, 'id'),
  });
}

function readShuffle(body: unknown): Message {
  const level = at(body, 'all_fields', 'rule', 'level');
  if (typeof level === 'number') return readWazuh(at(body, 'all_fields'));
  const severity = at(body, 'severity');
  return said({
    status: 'firing',
    severity,
    level: typeof severity === 'number' ? (SHUFFLE[severity] ?? null) : null,
    rule: at(body, 'rule_id'),
    reason: firstSaid(at(body, 'title'), at(body, 'text')),
    id: at(body, 'id'),
  });
}
