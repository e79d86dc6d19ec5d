/** What an SNMP profile of the right shape may still say wrongly. Pure. */
import type { Verdict } from '../exchange.ts';
import { bytesOf, spelledBytes } from '../hex.ts';
import type { Finding } from '../profile-finding.ts';
import { BerFault } from './ber.ts';
import { OBJECT } from './objects.ts';
import { decodeCommunity, encodeCommunity, encodeRequest, type Reply, type Request } from './pdu.ts';
import type { SnmpExample, SnmpProfile } from './profile.ts';
import { type Place, readConfirmation, readingRequest, readValue, settingRequest } from './requests.ts';

/** A port in the PoE table: group and number. */
export const POE_PORT = /^[0-9]{1,10}\.[0-9]{1,10}$/;

/** Everything that contradicts itself or SNMP. */
export function snmpFindings(profile: SnmpProfile): readonly Finding[] {
  const findings: Finding[] = [];
  if (profile.connect === profile.isolate) {
    const what = `${profile.isolate} both connects and isolates`;
    findings.push({ path: ['isolate'], what, hint: 'take the two values from the MIB' });
  }
  if (profile.contact === 'fail-safe') {
    findings.push({
      path: ['contact'],
      what: 'a switch keeps its ports as they are when nobody speaks to it',
      hint: 'call it holding, and put a fail-safe contact in series',
    });
  }
  findings.push(...profile.examples.flatMap((example, index) => exampleFindings(profile, example, index)));
  for (const ask of ['connect', 'isolate', 'read'] as const) {
    if (profile.examples.some((example) => example.ask === ask)) continue;
    const hint = 'add request and reply, byte for byte';
    findings.push({ path: ['examples'], what: `missing: an example of ${ask}`, hint });
  }
  return findings;
}

function exampleFindings(profile: SnmpProfile, example: SnmpExample, at: number): readonly Finding[] {
  const found = (field: string, what: string, hint: string): Finding => ({
    path: ['examples', at, field],
    what,
    hint,
  });
  if (profile.ports === 'poe-port' && example.port !== example.index)
    return [found('index', 'a PoE port is its own index', 'write the same as port')];
  const place: Place = {
    index: example.index,
    nameObject: profile.ports === 'poe-port' ? null : `${OBJECT.ifName}.${example.index}`,
  };
  const request = requestOf(profile, example, place);
  const community = Buffer.from(example.community);
  const computed = encodeCommunity(community, encodeRequest(example.request_id, request));
  const findings: Finding[] = [];
  if (!bytesOf(example.request).equals(computed)) {
    const hint = 'one of the two is wrong; compare both with the MIB';
    findings.push(found('request', `the profile computes ${spelledBytes(computed)}`, hint));
  }
  const reply = replyOf(example, community);
  if (reply.kind !== 'answer') {
    return [...findings, found('reply', `not a reply to this request (${reply.why})`, 'check it')];
  }
  const meaning = meaningOf(profile, example, { request, place, reply });
  if (meaning !== example.means) {
    findings.push(found('means', `the reply means ${meaning}`, 'correct it, or the values of the profile'));
  }
  return findings;
}

function requestOf(profile: SnmpProfile, example: SnmpExample, place: Place): Request {
  switch (example.ask) {
    case 'connect':
      return settingRequest(profile.object, place, profile.connect);
    case 'isolate':
      return settingRequest(profile.object, place, profile.isolate);
    case 'read':
      return readingRequest(profile.object, place);
  }
}

function replyOf(
  example: SnmpExample,
  community: Uint8Array,
): Extract<Verdict<Reply>, { kind: 'answer' | 'fault' }> {
  try {
    const reply = decodeCommunity(community, bytesOf(example.reply));
    if (reply.requestId === example.request_id) return { kind: 'answer', answer: reply };
    return { kind: 'fault', why: `it answers request ${reply.requestId}` };
  } catch (error) {
    if (error instanceof BerFault) return { kind: 'fault', why: error.message };
    throw error;
  }
}

function meaningOf(
  profile: SnmpProfile,
  example: SnmpExample,
  parts: { readonly request: Request; readonly place: Place; readonly reply: Verdict<Reply> },
): SnmpExample['means'] {
  if (example.ask !== 'read') {
    const verdict = readConfirmation(parts.reply, parts.request);
    if (verdict.kind === 'answer') return 'accepted';
    return verdict.kind === 'refused' ? 'refused' : 'unknown';
  }
  const verdict = readValue(parts.reply, profile.object, parts.place, example.port);
  if (verdict.kind !== 'answer') return 'unknown';
  if (verdict.answer === profile.connect) return 'connected';
  return verdict.answer === profile.isolate ? 'isolated' : 'unknown';
}
