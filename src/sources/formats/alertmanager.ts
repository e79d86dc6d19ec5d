/** Prometheus Alertmanager, webhook version 4 (prometheus.io/docs/alerting/latest/configuration, `webhook_config`). */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type AlertFound, type Message, saidTogether, unrecognised } from '../message.ts';

/** The label that makes an alert a drill, for want of a test button: `portcullis="drill"`. */
const DRILL = 'drill';

/** Reads a group of alerts: each with its own status; one that fires among others that are over fires. */
export function readAlertmanager(body: unknown): Message {
  if (!isGroup(body) || textAt(body, 'version') !== '4' || textAt(body, 'groupKey') === null)
    return unrecognised('it is no webhook of Alertmanager (version 4)');
  return readGroup(body, isDrill);
}

/** The part of the body that Alertmanager and Grafana share. */
export function readGroup(body: unknown, isTest: (alert: unknown) => boolean): Message {
  const alerts = at(body, 'alerts');
  const status = statusOf(at(body, 'status'));
  if (!Array.isArray(alerts) || status === undefined)
    return unrecognised('it has no alerts or no status that is known');
  const statuses = alerts.map((alert) => statusOf(at(alert, 'status')));
  if (status === 'firing' && alerts.length > 0 && statuses.every((each) => each === 'resolved'))
    return unrecognised('the group fires and every alert in it is resolved');
  // Alertmanager works out the status of the group from the alerts that it shows.
  const unseen = at(body, 'truncatedAlerts') ?? 0;
  const hidden = typeof unseen === 'number' && unseen >= 0 ? unseen : 1;
  const read = (alert: unknown): AlertFound => alertIn(body, alert, statusOf(at(alert, 'status')), isTest);
  return saidTogether<unknown>(alerts, read, hidden);
}

function alertIn(
  body: unknown,
  alert: unknown,
  status: 'firing' | 'resolved' | undefined,
  isTest: (alert: unknown) => boolean,
): AlertFound {
  const labelled = (name: string): unknown =>
    firstSaid(at(alert, 'labels', name), at(body, 'commonLabels', name));
  const test = status === 'firing' && isTest(alert);
  return {
    status: test ? 'test' : (status ?? null),
    state: at(alert, 'status'),
    severity: labelled('severity'),
    rule: labelled('alertname'),
    reason: firstSaid(
      at(alert, 'annotations', 'summary'),
      at(alert, 'annotations', 'description'),
      at(alert, 'annotations', 'message'),
    ),
    id: at(alert, 'fingerprint'),
  };
}

const isDrill = (alert: unknown): boolean => at(alert, 'labels', 'portcullis') === DRILL;

const statusOf = (word: unknown): 'firing' | 'resolved' | undefined =>
  word === 'firing' || word === 'resolved' ? word : undefined;
