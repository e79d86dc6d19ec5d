/** The SNMP codec by itself: published vectors, properties, and messages that must not count. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BerFault,
  BerReader,
  identifierOf,
  integer,
  integerOf,
  objectIdentifier,
  TAG,
} from '../../src/contacts/snmp/ber.ts';
import { decodeCommunity, encodeCommunity, encodeRequest, set } from '../../src/contacts/snmp/pdu.ts';
import { EXPIRY_S, localizedKey, Security, TIME_WINDOW_S, type User } from '../../src/contacts/snmp/usm.ts';
import { discoveryReport, responseTo, timeOf } from './fake-agent.ts';

const OID = '1.3.6.1.2.1.2.2.1.7.5';
const user: User = {
  name: 'airgap',
  auth: 'sha256',
  authPassword: Buffer.from('authentication'),
  privacy: 'aes',
  privacyPassword: Buffer.from('privacy-of-ours'),
};

describe('BER', () => {
  test('integers and object identifiers come back as they went', () => {
    fc.assert(
      fc.property(fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }), (value) => {
        expect(integerOf(new BerReader(integer(value)).expect(TAG.integer))).toBe(value);
      }),
    );
    const arc = fc.nat({ max: 0xffff_ffff });
    fc.assert(
      fc.property(
        fc.constantFrom('0.39', '1.3', '2.100', '2.4294967295'),
        fc.array(arc, { maxLength: 40 }),
        (top, rest) => {
          const oid = [top, ...rest].join('.');
          expect(identifierOf(new BerReader(objectIdentifier(oid)).expect(TAG.oid))).toBe(oid);
        },
      ),
    );
  });

  test('integers take as few bytes as X.690 demands', () => {
    expect([0, 127, 128, -128, -129, 32_767].map((value) => integer(value).toString('hex'))).toEqual([
      '020100',
      '02017f',
      '02020080',
      '020180',
      '0202ff7f',
      '02027fff',
    ]);
  });

  test('no bytes make the reader do anything but answer or fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeCommunity(Buffer.from('x'), Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(BerFault);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('a real answer that is changed in any one byte faults or still parses, and never throws otherwise', () => {
    const community = Buffer.from('community');
    const answer = responseTo(
      encodeCommunity(community, encodeRequest(7, { type: 'set', varbinds: [set(OID, 2)] })),
    );
    for (let at = 0; at < answer.length; at += 1) {
      for (const value of [0x00, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(answer);
        changed[at] = value;
        try {
          decodeCommunity(community, changed);
        } catch (error) {
          expect(error).toBeInstanceOf(BerFault);
        }
      }
    }
  });
});

describe('the user-based security model', () => {
  test('keys are those of RFC 3414 A.3.2', () => {
    const engine = Buffer.from('000000000000000000000002', 'hex');
    const key = localizedKey('sha', Buffer.from('maplesyrup'), engine).toString('hex');
    expect(key).toBe('6695febc9288e36282235fc7151f128497b38f3f');
  });

  function met(seconds: () => number = () => 0): Security {
    const security = new Security(user, seconds);
    security.meet(discoveryReport(1), 1);
    return security;
  }

  test('what one side seals the other opens; every changed byte of it is refused', () => {
    const [ours, theirs] = [met(), met()];
    const sealed = ours.seal(9, { type: 'set', varbinds: [set(OID, 2)] }, false);
    // A request is no answer, but everything up to that point must have been sound.
    expect(() => theirs.open(sealed)).toThrow('neither a response nor a report');
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      expect(() => theirs.open(changed), `byte ${at}`).toThrow(BerFault);
      expect(() => theirs.open(changed), `byte ${at}`).not.toThrow('neither a response nor a report');
    }
  });

  test('an answer in clear, without authentication, is none', () => {
    const clear = discoveryReport(9, 0xa2);
    expect(() => met().open(clear)).toThrow('an answer without authentication');
  });

  test('an expiring message is dated back so far that it soon leaves the time window', () => {
    let now = 0;
    const security = met(() => now);
    const agent = met();
    // The engine's clock is learnt from an authentic message: here one of our own making.
    const hello = agent.seal(1, { type: 'get', varbinds: [] }, false);
    expect(() => security.open(hello)).toThrow('neither a response nor a report');
    expect(timeOf(security.seal(2, { type: 'get', varbinds: [] }, true))).toBe(0);
    now = 10_000;
    expect(timeOf(security.seal(3, { type: 'get', varbinds: [] }, false))).toBe(10_000);
    expect(timeOf(security.seal(4, { type: 'get', varbinds: [] }, true))).toBe(
      10_000 - TIME_WINDOW_S + EXPIRY_S,
    );
  });

  test('a message of an earlier time of the engine is too old', () => {
    let now = 0;
    const engine = met(() => now);
    const manager = met(() => now);
    const before = engine.seal(1, { type: 'get', varbinds: [] }, false);
    expect(() => engine.open(before)).toThrow('neither');
    now = 1000;
    const present = engine.seal(2, { type: 'get', varbinds: [] }, false);
    expect(() => manager.open(present)).toThrow('neither');
    expect(() => manager.open(before)).toThrow('too old');
  });
});
