/** Grafana alerting, webhook contact point (grafana.com/docs/grafana/latest/alerting, "Configure webhook notifications"). */
import { at, isGroup, textAt } from '../json-body.ts';
import { type Message, unrecognised } from '../message.ts';
import { readGroup } from './alertmanager.ts';

/** Reads a group of alerts; like Alertmanager's with another version, an organisation and a state. */
export function readGrafana(body: unknown): Message {
  const ours = isGroup(body) && textAt(body, 'version') === '1' && typeof at(body, 'orgId') === 'number';
  if (!ours) return unrecognised('it is no webhook of Grafana alerting (version 1)');
  return readGroup(body, isTest);
}

/** What the *Test* button of a contact point sends, unless somebody fills in labels of his own. */
const isTest = (alert: unknown): boolean =>
  (at(alert, 'labels', 'alertname') === 'TestAlert' && at(alert, 'labels', 'instance') === 'Grafana') ||
  at(alert, 'labels', 'portcullis') === 'drill';
