/** Objects of standard MIBs, and what agents mean by their refusals. */
import type { Reply, Value, Varbind } from './pdu.ts';
import type { Verdict } from '../exchange.ts';

/** IF-MIB (RFC 2863) and SNMPv2-MIB (RFC 3418); columns without their index. */
export const OBJECT = {
  sysUpTime: '1.3.6.1.2.1.1.3.0',
  ifDescr: '1.3.6.1.2.1.2.2.1.2',
  ifAdminStatus: '1.3.6.1.2.1.2.2.1.7',
  ifOperStatus: '1.3.6.1.2.1.2.2.1.8',
  ifName: '1.3.6.1.2.1.31.1.1.1.1',
} as const;

const WRITE_ACCESS = 'give our community or user write access to this one object';
/** error-status (RFC 3416 section 3) of a request that the agent surely did not carry out. */
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'tooBig: the answer does not fit into one datagram',
  2: `noSuchName: the object does not exist or may not be written; ${WRITE_ACCESS}`,
  3: 'badValue: the agent does not take this value',
  4: `readOnly: ${WRITE_ACCESS}`,
  6: `noAccess: ${WRITE_ACCESS}`,
  7: 'wrongType: the profile does not fit this agent',
  8: 'wrongLength: the profile does not fit this agent',
  9: 'wrongEncoding: the profile does not fit this agent',
  10: 'wrongValue: the agent does not take this value; the profile does not fit it',
  11: 'noCreation: the agent has no such port',
  12: 'inconsistentValue: the port cannot be moved now',
  13: 'resourceUnavailable: the agent is out of resources; try again',
  16: `authorizationError: ${WRITE_ACCESS}`,
  17: `notWritable: ${WRITE_ACCESS}, or choose a profile that fits this agent`,
  18: 'inconsistentName: the agent has no such port now',
};

/** Judges a reply by its error status; only a clean one goes on to `read`. */
export function judged<A>(verdict: Verdict<Reply>, read: (reply: Reply) => Verdict<A>): Verdict<A> {
  if (verdict.kind !== 'answer') return verdict;
  const { errorStatus, errorIndex } = verdict.answer;
  if (errorStatus === 0) return read(verdict.answer);
  const refusal = REFUSALS[errorStatus];
  // genErr, commitFailed, undoFailed and what nobody knows: it may have been carried out, wholly or in part.
  if (refusal === undefined)
    return { kind: 'fault', why: `error status ${errorStatus}: nobody knows what was carried out` };
  return { kind: 'refused', why: `the agent refuses (object ${errorIndex}): ${refusal}` };
}

/** Whether a reply to a SET bears exactly the objects and values that were set. */
export function confirms(reply: Reply, commanded: readonly Varbind[]): boolean {
  return (
    reply.varbinds.length === commanded.length &&
    commanded.every(({ oid, value }, index) => {
      const said = reply.varbinds[index];
      return said?.oid === oid && same(said.value, value);
    })
  );
}

const same = (one: Value, other: Value): boolean =>
  one.kind === 'integer' && other.kind === 'integer' && one.value === other.value;

/** The value of `oid` at its place in a reply, or `null` when another object stands there. */
export const valueAt = (reply: Reply, index: number, oid: string): Value | null => {
  const varbind = reply.varbinds[index];
  return varbind?.oid === oid ? varbind.value : null;
};
