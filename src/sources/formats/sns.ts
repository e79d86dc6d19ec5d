/**
 * Amazon SNS over HTTPS (docs.aws.amazon.com/sns/latest/dg, "HTTP/HTTPS notification JSON format"), with CloudWatch's alarms
 * as SNS carries them. Nothing is ever fetched: neither the certificate that signed a message, so the signature is not
 * looked at, nor the address that confirms a subscription, which a person is told.
 */
import { at, firstSaid, isGroup, readJson, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** Where a subscription is confirmed. People are asked to visit it, so it must be Amazon's. */
const SUBSCRIBE_URL =
  /^https:\/\/sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?\/\?Action=ConfirmSubscription&[\w:=&.%*+~-]{1,800}$/;
/** For want of a test button: the whole text of a message that is a drill. */
const DRILL = 'portcullis-drill';

/** Reads one delivery of a topic. */
export function readSns(body: unknown): Message {
  const type = textAt(body, 'Type');
  const topic = textAt(body, 'TopicArn');
  const message = textAt(body, 'Message');
  if (topic === null || message === null)
    return unrecognised('it is no delivery of SNS: TopicArn or Message is missing');
  const id = at(body, 'MessageId');
  switch (type) {
    case 'Notification':
      return readNotification(body, message, topic);
    case 'SubscriptionConfirmation': {
      const address = textAt(body, 'SubscribeURL');
      if (address === null || !SUBSCRIBE_URL.test(address))
        return unrecognised('it asks to confirm a subscription at an address that is not of SNS');
      const reason = `confirm the subscription of ${topic}, if it is yours, at ${address}`;
      return said({ status: 'test', state: type, reason, hasAddress: true, id });
    }
    case 'UnsubscribeConfirmation':
      // Whoever silences an alarm does what an attacker would do first: neither rules nor states keep this from tripping.
      return said({ status: 'firing', reason: `somebody ended the subscription of ${topic}`, id });
    default:
      return unrecognised('its Type is none of those that SNS sends');
  }
}

function readNotification(body: unknown, message: string, topic: string): Message {
  if (message === DRILL)
    return said({ status: 'test', state: DRILL, reason: topic, id: at(body, 'MessageId') });
  const inner = readJson(Buffer.from(message));
  const alarm = inner.ok && isGroup(inner.value) ? inner.value : null;
  const state = textAt(alarm, 'AlarmName') === null ? null : textAt(alarm, 'NewStateValue');
  const subject = firstSaid(at(body, 'Subject'), topic);
  if (!inner.ok || state === null)
    return said({ status: 'firing', rule: subject, reason: message, id: at(body, 'MessageId') });
  // A message within a message may say something twice as well.
  if (inner.repeats()) return said({ status: 'firing', reason: subject });
  return said({
    status: state === 'OK' ? 'resolved' : 'firing',
    state,
    rule: at(alarm, 'AlarmName'),
    reason: firstSaid(at(alarm, 'NewStateReason'), at(alarm, 'AlarmDescription')),
    id: at(alarm, 'AlarmArn'),
  });
}
