/** Kibana's *Webhook* connector with the body of docs/sources/kibana.md (elastic.co/guide, "Webhook connector", "Rule action variables"). */
import { at, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** `{{alert.actionGroup}}` of an alert that is over. */
const OVER = 'recovered';
/** What the *Test* tab of the connector sends, which fills in no variables; an alert has a word here, or nothing. */
const UNFILLED = '{{alert.actionGroup}}';

/** Reads one alert of a rule. */
export function readKibana(body: unknown): Message {
  const group = textAt(body, 'action_group');
  const rule = textAt(body, 'rule_name');
  if (!isGroup(body) || group === null || group === '' || rule === null)
    return unrecognised('action_group or rule_name is missing: set the body of the action as documented');
  if (group === UNFILLED) return said({ status: 'test', reason: 'the Test tab of the connector' });
  return said({
    status: group === OVER ? 'resolved' : 'firing',
    state: group,
    severity: at(body, 'severity'),
    rule,
    reason: at(body, 'reason'),
    id: at(body, 'alert_uuid'),
  });
}
