/** GitLab's webhooks (docs.gitlab.com/user/project/integrations/webhook_events); signed as Standard Webhooks from 19.0 on. */
import { at, firstSaid, isGroup, textAt } from '../json-body.ts';
import { type Message, said, unrecognised } from '../message.ts';

/** `object_attributes.state` of a vulnerability that is over. */
const OVER: ReadonlySet<string> = new Set(['resolved', 'dismissed']);

/** Reads vulnerabilities, and whatever else a hook was subscribed to: what arrives was asked for, so it fires. */
export function readGitlab(body: unknown): Message {
  const kind = firstSaid(at(body, 'object_kind'), at(body, 'event_name'));
  if (!isGroup(body) || typeof kind !== 'string')
    return unrecognised('it is no webhook of GitLab: object_kind is missing');
  const about = at(body, 'object_attributes');
  const state = firstSaid(at(about, 'state'), at(about, 'status'), at(about, 'action'));
  const over = kind === 'vulnerability' && OVER.has(textAt(about, 'state') ?? '');
  return said({
    status: over ? 'resolved' : 'firing',
    state,
    severity: at(about, 'severity'),
    rule: kind,
    reason: firstSaid(
      at(about, 'title'),
      at(body, 'project', 'path_with_namespace'),
      at(body, 'path_with_namespace'),
    ),
    id: firstSaid(at(about, 'url'), at(about, 'id')),
  });
}
