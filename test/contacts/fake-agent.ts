/** Datagrams as an agent would send them, made from our own bricks: for what no real agent does on request. */
import { BerReader, element, integer, objectIdentifier, octets, TAG } from '../../src/contacts/snmp/ber.ts';

const ENGINE = Buffer.from('80001f888001020304', 'hex');
const NONE = Buffer.alloc(0);
const RESPONSE = 0xa2;
const REPORT = 0xa8;

/** A version 2c request turned into its answer: the same objects and values. */
export function responseTo(request: Buffer): Buffer {
  const fields = new BerReader(new BerReader(request).expect(TAG.sequence));
  const [version, community, pdu] = [fields.next(), fields.next(), fields.next()];
  return element(
    TAG.sequence,
    element(version.tag, version.content),
    element(community.tag, community.content),
    element(RESPONSE, pdu.content),
  );
}

/** The unauthenticated report that tells an engine's name; with another `pdu` tag, something that it must not be. */
export function discoveryReport(messageId: number, pdu = REPORT): Buffer {
  const security = element(
    TAG.sequence,
    octets(ENGINE),
    integer(0),
    integer(0),
    ...[NONE, NONE, NONE].map(octets),
  );
  const counter = element(
    TAG.sequence,
    objectIdentifier('1.3.6.1.6.3.15.1.1.4.0'),
    element(TAG.counter32, Buffer.from([1])),
  );
  const body = element(pdu, integer(messageId), integer(0), integer(0), element(TAG.sequence, counter));
  return element(
    TAG.sequence,
    integer(3),
    element(TAG.sequence, integer(messageId), integer(65_507), octets(Buffer.from([0])), integer(3)),
    octets(security),
    element(TAG.sequence, octets(ENGINE), octets(NONE), body),
  );
}

/** The engine time that a version 3 message bears. */
export function timeOf(message: Buffer): number {
  const fields = new BerReader(new BerReader(message).expect(TAG.sequence));
  fields.integer();
  fields.expect(TAG.sequence);
  const security = new BerReader(new BerReader(fields.expect(TAG.octets)).expect(TAG.sequence));
  security.expect(TAG.octets);
  security.integer();
  return security.integer();
}
