/** What is asked of an SNMP agent and what it says (RFC 3416), and its version 2c wrapping (RFC 1901). Pure. */
import {
  BerFault,
  BerReader,
  element,
  identifierOf,
  integer,
  integerOf,
  objectIdentifier,
  octets,
  TAG,
} from './ber.ts';

/** A value of one object. `absent`: the agent does not have it, or does not show it to us. */
export type Value =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'octets'; readonly value: Buffer }
  | { readonly kind: 'absent' }
  | { readonly kind: 'other' };

/** One object and its value. */
export interface Varbind {
  readonly oid: string;
  readonly value: Value;
}

/** A question or command, without its id. `get-bulk` asks for `repetitions` objects after each. */
export type Request =
  | { readonly type: 'get'; readonly varbinds: readonly Varbind[] }
  | { readonly type: 'get-bulk'; readonly repetitions: number; readonly varbinds: readonly Varbind[] }
  | { readonly type: 'set'; readonly varbinds: readonly Varbind[] };

/** What an agent says. `report`: version 3 telling what is wrong with a request, often without authentication. */
export interface Reply {
  readonly type: 'response' | 'report';
  readonly requestId: number;
  /** 0: no error. */
  readonly errorStatus: number;
  /** From 1; 0: none in particular. */
  readonly errorIndex: number;
  readonly varbinds: readonly Varbind[];
}

const VERSION_2C = 1;
const REQUEST_TAG = { get: 0xa0, set: 0xa3, 'get-bulk': 0xa5 } as const;
const RESPONSE_TAG = 0xa2;
const REPORT_TAG = 0xa8;
/** Most objects in one reply that are looked at; a datagram cannot hold more of any size that we ask for. */
const MAX_VARBINDS = 512;

/** An object to ask for. */
export const asked = (oid: string): Varbind => ({ oid, value: { kind: 'nothing' } });

/** An object to set to a number. */
export const set = (oid: string, value: number): Varbind => ({ oid, value: { kind: 'integer', value } });

/** The PDU of a request. */
export function encodeRequest(requestId: number, request: Request): Buffer {
  const second = request.type === 'get-bulk' ? request.repetitions : 0;
  const varbinds = request.varbinds.map(({ oid, value }) =>
    element(TAG.sequence, objectIdentifier(oid), encodeValue(value)),
  );
  return element(
    REQUEST_TAG[request.type],
    integer(requestId),
    integer(0),
    integer(second),
    element(TAG.sequence, ...varbinds),
  );
}

function encodeValue(value: Value): Buffer {
  switch (value.kind) {
    case 'integer':
      return integer(value.value);
    case 'octets':
      return octets(value.value);
    case 'nothing':
    case 'absent':
    case 'other':
      return element(TAG.null);
  }
}

/** Reads a response or report; throws BerFault when it is neither. */
export function decodeReply(reader: BerReader): Reply {
  const { tag, content } = reader.next();
  if (tag !== RESPONSE_TAG && tag !== REPORT_TAG) throw new BerFault('neither a response nor a report');
  const fields = new BerReader(content);
  const requestId = fields.integer();
  const errorStatus = fields.integer();
  const errorIndex = fields.integer();
  const list = new BerReader(fields.expect(TAG.sequence));
  fields.end();
  const varbinds: Varbind[] = [];
  while (!list.done) {
    if (varbinds.length >= MAX_VARBINDS) throw new BerFault('more objects than anybody asked for');
    const pair = new BerReader(list.expect(TAG.sequence));
    const oid = identifierOf(pair.expect(TAG.oid));
    const found = pair.next();
    pair.end();
    varbinds.push({ oid, value: decodeValue(found.tag, found.content) });
  }
  return { type: tag === REPORT_TAG ? 'report' : 'response', requestId, errorStatus, errorIndex, varbinds };
}

function decodeValue(tag: number, content: Buffer): Value {
  switch (tag) {
    case TAG.integer:
    case TAG.counter32:
    case TAG.gauge32:
    case TAG.timeTicks:
      return { kind: 'integer', value: integerOf(content) };
    case TAG.octets:
      return { kind: 'octets', value: content };
    case TAG.null:
      return { kind: 'nothing' };
    case TAG.noSuchObject:
    case TAG.noSuchInstance:
    case TAG.endOfMibView:
      return { kind: 'absent' };
    default:
      return { kind: 'other' };
  }
}

/** A version 2c message. */
export const encodeCommunity = (community: Uint8Array, pdu: Uint8Array): Buffer =>
  element(TAG.sequence, integer(VERSION_2C), octets(community), pdu);

/** Reads a version 2c message of our community; throws BerFault when it is none. */
export function decodeCommunity(community: Uint8Array, datagram: Buffer): Reply {
  const outer = new BerReader(datagram);
  const fields = new BerReader(outer.expect(TAG.sequence));
  outer.end();
  if (fields.integer() !== VERSION_2C) throw new BerFault('not version 2c');
  if (!fields.expect(TAG.octets).equals(community)) throw new BerFault('another community');
  const reply = decodeReply(fields);
  fields.end();
  if (reply.type === 'report') throw new BerFault('a report in version 2c');
  return reply;
}
