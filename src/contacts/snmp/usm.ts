/**
 * SNMP version 3 with the user-based security model (RFC 3412, 3414, 3826, 7860), always authenticated and encrypted.
 *
 * A reply counts only when it is authenticated and encrypted too, bears the id of our message, comes from the engine that
 * was found, and is timely. A report is believed without authentication only for what it cannot be used for: the engine's
 * name when we begin (a wrong one makes every key wrong), and a sentence for people. The clock of the engine is taken from
 * authenticated messages alone.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { BerFault, BerReader, element, integer, octets, TAG } from './ber.ts';
import { decodeReply, encodeRequest, type Reply, type Request } from './pdu.ts';

/** Authentication protocols: RFC 3414 (sha) and RFC 7860. */
export type AuthProtocol = 'sha' | 'sha256' | 'sha512';
/** Privacy protocols: RFC 3826 (aes), and the same with a key of 256 bits. */
export type PrivacyProtocol = 'aes' | 'aes256';

/** A user whose keys are known. */
export interface User {
  readonly name: string;
  readonly auth: AuthProtocol;
  readonly authPassword: Uint8Array;
  readonly privacy: PrivacyProtocol;
  readonly privacyPassword: Uint8Array;
}

/** Least length of a password (RFC 3414 section 11.2). */
export const MIN_PASSWORD_BYTES = 8;
/** Seconds by which a message may differ from what its engine's clock should say (RFC 3414 section 2.2.3). */
export const TIME_WINDOW_S = 150;
/**
 * Seconds after which an expiring message is refused by its engine, give or take the second that clocks of whole seconds
 * differ by: it is dated back so far that it then leaves the time window.
 */
export const EXPIRY_S = 4;
const VERSION_3 = 3;
const USM = 3;
const MAX_MESSAGE_BYTES = 65_507;
const MAX_CLOCK = 0x7fff_ffff;
const AUTH_FLAG = 1;
const PRIVACY_FLAG = 2;
const REPORTABLE_FLAG = 4;
const HASH = {
  sha: { name: 'sha1', codeBytes: 12 },
  sha256: { name: 'sha256', codeBytes: 24 },
  sha512: { name: 'sha512', codeBytes: 48 },
} as const;
const CIPHER = {
  aes: { name: 'aes-128-cfb', keyBytes: 16 },
  aes256: { name: 'aes-256-cfb', keyBytes: 32 },
} as const;
const PASSWORD_STREAM_BYTES = 1_048_576;
const NONE = Buffer.alloc(0);

/** The key of a password at one engine (RFC 3414 section 2.6). */
export function localizedKey(auth: AuthProtocol, password: Uint8Array, engineId: Uint8Array): Buffer {
  const { name } = HASH[auth];
  const key = createHash(name).update(Buffer.alloc(PASSWORD_STREAM_BYTES, password)).digest();
  return createHash(name).update(key).update(engineId).update(key).digest();
}

/** What a version 3 message says. `secured`: authenticated, encrypted, timely. */
export interface Opened {
  readonly messageId: number;
  readonly secured: boolean;
  readonly reply: Reply;
}

interface Engine {
  readonly id: Buffer;
  readonly authKey: Buffer;
  readonly privacyKey: Buffer;
}

interface EngineClock {
  readonly boots: number;
  readonly time: number;
  /** When `time` held, in seconds of ours. */
  readonly learntAt: number;
}

interface Header {
  readonly messageId: number;
  readonly flags: number;
  readonly engineId: Buffer;
  readonly boots: number;
  readonly time: number;
  readonly userName: Buffer;
  readonly code: Buffer;
  readonly salt: Buffer;
  readonly rest: BerReader;
}

/** One user at one engine. */
export class Security {
  readonly #user: User;
  /** Monotonic seconds. */
  readonly #now: () => number;
  #engine: Engine | null = null;
  #clock: EngineClock | null = null;
  #salt = randomBytes(8).readBigUInt64BE();

  constructor(user: User, now: () => number) {
    this.#user = user;
    this.#now = now;
  }

  /** Asks who the engine is (RFC 3414 section 4). */
  discovery(messageId: number): Buffer {
    const scoped = scopedPdu(NONE, encodeRequest(messageId, { type: 'get', varbinds: [] }));
    return message(messageId, REPORTABLE_FLAG, parameters(NONE, 0, 0, NONE, NONE, NONE), scoped);
  }

  /** Takes the engine's name from its report; computes the keys (two hashes over a megabyte) only for a new engine. */
  meet(datagram: Buffer, messageId: number): void {
    const header = readHeader(datagram);
    if (header.messageId !== messageId) throw new BerFault('a report to another message');
    if (header.engineId.length < 5 || header.engineId.length > 32)
      throw new BerFault('an engine without a name');
    if (this.#engine?.id.equals(header.engineId) === true) return;
    const { auth, authPassword, privacyPassword, privacy } = this.#user;
    const id = Buffer.from(header.engineId);
    const privacyKey = localizedKey(auth, privacyPassword, id).subarray(0, CIPHER[privacy].keyBytes);
    this.#engine = { id, authKey: localizedKey(auth, authPassword, id), privacyKey };
    this.#clock = null;
  }

  /**
   * A message authenticated and encrypted, under one id for message and request. Before the engine's clock is known it
   * says 0, which the engine reports.
   */
  seal(id: number, request: Request, expiring: boolean): Buffer {
    const engine = this.#engine;
    if (engine === null) throw new TypeError('no engine has been met');
    const { boots, time: present } = this.#engineTime();
    const time = expiring ? Math.max(0, present - TIME_WINDOW_S + EXPIRY_S) : present;
    this.#salt = BigInt.asUintN(64, this.#salt + 1n);
    const salt = Buffer.alloc(8);
    salt.writeBigUInt64BE(this.#salt);
    const cipher = createCipheriv(CIPHER[this.#user.privacy].name, engine.privacyKey, iv(boots, time, salt));
    const scoped = scopedPdu(engine.id, encodeRequest(id, request));
    const body = octets(Buffer.concat([cipher.update(scoped), cipher.final()]));
    const code = Buffer.alloc(HASH[this.#user.auth].codeBytes);
    const security = parameters(engine.id, boots, time, Buffer.from(this.#user.name), code, salt);
    const sealed = message(id, AUTH_FLAG | PRIVACY_FLAG | REPORTABLE_FLAG, security, body);
    // Code and salt stand right before the body; both lengths are fixed and take one length byte each.
    const codeAt = sealed.length - body.length - (2 + salt.length) - code.length;
    this.#code(sealed).copy(sealed, codeAt);
    return sealed;
  }

  /** Reads a message; throws BerFault when it is not for us. */
  open(datagram: Buffer): Opened {
    const header = readHeader(datagram);
    const { messageId, flags } = header;
    if ((flags & AUTH_FLAG) === 0) {
      if ((flags & PRIVACY_FLAG) !== 0) throw new BerFault('encrypted but not authenticated');
      const reply = readScoped(header.rest.expect(TAG.sequence));
      if (reply.type !== 'report') throw new BerFault('an answer without authentication');
      return { messageId, secured: false, reply };
    }
    const engine = this.#engine;
    if (engine === null || !header.engineId.equals(engine.id)) throw new BerFault('another engine');
    if (!header.userName.equals(Buffer.from(this.#user.name))) throw new BerFault('another user');
    this.#authenticate(datagram, header);
    this.#keepTime(header);
    if ((flags & PRIVACY_FLAG) === 0) {
      // A report about time or about encryption itself may come in clear; an answer may not.
      const reply = readScoped(header.rest.expect(TAG.sequence));
      if (reply.type !== 'report') throw new BerFault('an answer that is not encrypted');
      return { messageId, secured: false, reply };
    }
    if (header.salt.length !== 8) throw new BerFault('encrypted without a salt');
    const vector = iv(header.boots, header.time, header.salt);
    const decipher = createDecipheriv(CIPHER[this.#user.privacy].name, engine.privacyKey, vector);
    const body = Buffer.concat([decipher.update(header.rest.expect(TAG.octets)), decipher.final()]);
    return { messageId, secured: true, reply: readScoped(new BerReader(body).expect(TAG.sequence)) };
  }

  #authenticate(datagram: Buffer, { code }: Header): void {
    if (code.length !== HASH[this.#user.auth].codeBytes) throw new BerFault('a code of another length');
    const copy = Buffer.from(datagram);
    copy.fill(0, code.byteOffset - datagram.byteOffset, code.byteOffset - datagram.byteOffset + code.length);
    if (!timingSafeEqual(this.#code(copy), code)) throw new BerFault('not authentic');
  }

  #code(bytes: Buffer): Buffer {
    const { name, codeBytes } = HASH[this.#user.auth];
    return createHmac(name, this.#engine?.authKey ?? NONE)
      .update(bytes)
      .digest()
      .subarray(0, codeBytes);
  }

  #engineTime(): { readonly boots: number; readonly time: number } {
    if (this.#clock === null) return { boots: 0, time: 0 };
    const { boots, time, learntAt } = this.#clock;
    return { boots, time: Math.min(MAX_CLOCK, time + Math.floor(this.#now() - learntAt)) };
  }

  /** RFC 3414 section 3.2 step 7b: an authentic message may move our notion of the clock forward, never back. */
  #keepTime({ boots, time }: Header): void {
    const known = this.#clock;
    const notion = this.#engineTime();
    const newer = known === null || boots > known.boots || (boots === known.boots && time > known.time);
    if (newer) this.#clock = { boots, time, learntAt: this.#now() };
    else if (boots !== known.boots || time < notion.time - TIME_WINDOW_S) throw new BerFault('too old');
  }
}

function iv(boots: number, time: number, salt: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(boots, 0);
  head.writeUInt32BE(time, 4);
  return Buffer.concat([head, salt]);
}

function message(messageId: number, flags: number, security: Buffer, body: Buffer): Buffer {
  return element(
    TAG.sequence,
    integer(VERSION_3),
    element(
      TAG.sequence,
      integer(messageId),
      integer(MAX_MESSAGE_BYTES),
      octets(Buffer.from([flags])),
      integer(USM),
    ),
    octets(security),
    body,
  );
}

function parameters(
  engineId: Buffer,
  boots: number,
  time: number,
  ...rest: readonly [userName: Buffer, code: Buffer, salt: Buffer]
): Buffer {
  return element(TAG.sequence, octets(engineId), integer(boots), integer(time), ...rest.map(octets));
}

const scopedPdu = (engineId: Buffer, pdu: Buffer): Buffer =>
  element(TAG.sequence, octets(engineId), octets(NONE), pdu);

function readScoped(content: Buffer): Reply {
  const fields = new BerReader(content);
  fields.expect(TAG.octets);
  fields.expect(TAG.octets);
  const reply = decodeReply(fields);
  fields.end();
  return reply;
}

/** snmpEngineBoots and snmpEngineTime are 0 to 2³¹ - 1 (RFC 3414 section 2.2). */
const isClock = (value: number): boolean => value >= 0 && value <= MAX_CLOCK;

function readHeader(datagram: Buffer): Header {
  const outer = new BerReader(datagram);
  const fields = new BerReader(outer.expect(TAG.sequence));
  outer.end();
  if (fields.integer() !== VERSION_3) throw new BerFault('not version 3');
  const global = new BerReader(fields.expect(TAG.sequence));
  const messageId = global.integer();
  global.integer();
  const flags = global.expect(TAG.octets);
  if (global.integer() !== USM) throw new BerFault('another security model');
  const security = new BerReader(new BerReader(fields.expect(TAG.octets)).expect(TAG.sequence));
  const engineId = security.expect(TAG.octets);
  const boots = security.integer();
  const time = security.integer();
  const [userName, code, salt] = [0, 1, 2].map(() => security.expect(TAG.octets));
  if (flags.length !== 1 || !isClock(boots) || !isClock(time))
    throw new BerFault('a header that makes no sense');
  if (userName === undefined || code === undefined || salt === undefined)
    throw new BerFault('ends too early');
  return { messageId, flags: flags.readUInt8(0), engineId, boots, time, userName, code, salt, rest: fields };
}
