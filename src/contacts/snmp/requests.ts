/** The requests that move and read a port, and what their replies mean. Pure: the agent and the profiles' examples share them. */
import type { Verdict } from '../exchange.ts';
import { nameOf } from './lookup.ts';
import { confirms, judged, valueAt } from './objects.ts';
import { asked, type Reply, type Request, set, type Value } from './pdu.ts';

/** Where a port is. `nameObject`: what bears its name; `null` where the index is the name. */
export interface Place {
  readonly index: string;
  readonly nameObject: string | null;
}

/** Sets one object of a port. */
export const settingRequest = (object: string, { index }: Place, value: number): Request => ({
  type: 'set',
  varbinds: [set(`${object}.${index}`, value)],
});

/** Asks for one object of a port and for the name that its index bears just now. */
export function readingRequest(object: string, { index, nameObject }: Place): Request {
  const value = asked(`${object}.${index}`);
  return { type: 'get', varbinds: nameObject === null ? [value] : [value, asked(nameObject)] };
}

/** Whether a reply confirms every object and value that a request has set. */
export function readConfirmation(verdict: Verdict<Reply>, request: Request): Verdict<null> {
  return judged(verdict, (reply) =>
    confirms(reply, request.varbinds)
      ? { kind: 'answer', answer: null }
      : { kind: 'fault', why: 'it confirms something else than what was commanded' },
  );
}

/** The value in a reply to a reading; a fault when the index bears another name. */
export function readValue(
  verdict: Verdict<Reply>,
  object: string,
  place: Place,
  name: string,
): Verdict<number> {
  return judged(verdict, (reply) => {
    const { index, nameObject } = place;
    if (nameObject !== null && !bears(valueAt(reply, 1, nameObject), name))
      return {
        kind: 'fault',
        why: `index ${index} is no longer called ${JSON.stringify(name.slice(0, 60))}`,
      };
    const said = valueAt(reply, 0, `${object}.${index}`);
    if (said?.kind === 'integer') return { kind: 'answer', answer: said.value };
    return { kind: 'refused', why: `the agent shows no object ${object}.${index}` };
  });
}

/** Whether an object's value is this name. */
export const bears = (value: Value | null, name: string): boolean =>
  value?.kind === 'octets' && nameOf(value.value) === name;
