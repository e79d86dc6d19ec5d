/** How requests are wrapped and replies judged: by community (version 2c) or by user (version 3). Does no I/O. */
import { randomInt } from 'node:crypto';
import type { Verdict } from '../exchange.ts';
import { BerFault } from './ber.ts';
import { decodeCommunity, encodeCommunity, encodeRequest, type Reply, type Request } from './pdu.ts';
import { Security, type User } from './usm.ts';

/** Who we are to an agent. */
export type Credentials =
  | { readonly version: '2c'; readonly community: Uint8Array }
  | { readonly version: '3'; readonly user: User };

/** One request on its way: what to write, and what each datagram that comes back means. */
export interface Spoken {
  readonly bytes: Buffer;
  readonly judge: (datagram: Uint8Array) => Verdict<Reply>;
}

const MAX_ID = 0x7fff_ffff;
const NOT_IN_TIME_WINDOW = '1.3.6.1.6.3.15.1.1.2.0';
/** What an agent reports about the security of a request (RFC 3414 section 5), and what to do about it. */
const REPORTS: Readonly<Record<string, string>> = {
  '1.3.6.1.6.3.15.1.1.1.0': 'the agent does not let this user authenticate and encrypt; give the user both',
  [NOT_IN_TIME_WINDOW]: 'the clock of the agent has jumped, or it has restarted',
  '1.3.6.1.6.3.15.1.1.3.0': 'the agent does not know this user; compare `user` with its configuration',
  '1.3.6.1.6.3.15.1.1.4.0': 'the agent has changed its engine id',
  '1.3.6.1.6.3.15.1.1.5.0': 'the agent finds the digest wrong; compare `auth` and the authentication key',
  '1.3.6.1.6.3.15.1.1.6.0': 'the agent cannot decrypt; compare `privacy` and the privacy key',
};

const MORE = { kind: 'more' } as const;

/** The language spoken with one agent. */
export class Dialect {
  readonly #credentials: Credentials;
  readonly #security: Security | null;
  #lastId = randomInt(1, MAX_ID);
  #expecting = false;

  /** `now`: monotonic seconds. */
  constructor(credentials: Credentials, now: () => number) {
    this.#credentials = credentials;
    this.#security = credentials.version === '3' ? new Security(credentials.user, now) : null;
  }

  /** Whether a request waits for its answer. What comes otherwise is a duplicate or too late, and means nothing. */
  get expecting(): boolean {
    return this.#expecting;
  }

  /** On a fresh socket: asks who the agent is. `null`: nothing needs to be asked. */
  discovery(): { readonly bytes: Buffer; readonly judge: (datagram: Uint8Array) => Verdict<null> } | null {
    const security = this.#security;
    if (security === null) return null;
    const id = this.#nextId();
    return {
      bytes: security.discovery(id),
      judge: (datagram) =>
        this.#over(
          ignoringFaults(() => {
            security.meet(Buffer.from(datagram), id);
            return { kind: 'answer', answer: null };
          }),
        ),
    };
  }

  /**
   * Wraps a request under fresh ids; its judge takes nothing but the answer to exactly this one. `expiring`: an agent of
   * version 3 refuses it some seconds later.
   */
  speak(request: Request, expiring = false): Spoken {
    const id = this.#nextId();
    const { bytes, read } = this.#wrapped(id, request, expiring);
    return { bytes, judge: (datagram) => this.#over(ignoringFaults(() => read(Buffer.from(datagram)))) };
  }

  #wrapped(
    id: number,
    request: Request,
    expiring: boolean,
  ): { readonly bytes: Buffer; readonly read: (datagram: Buffer) => Verdict<Reply> } {
    const answer = (reply: Reply): Verdict<Reply> =>
      reply.requestId === id ? { kind: 'answer', answer: reply } : MORE;
    const security = this.#security;
    if (this.#credentials.version === '2c' || security === null) {
      const community = this.#credentials.version === '2c' ? this.#credentials.community : Buffer.alloc(0);
      const bytes = encodeCommunity(community, encodeRequest(id, request));
      return { bytes, read: (datagram) => answer(decodeCommunity(community, datagram)) };
    }
    return {
      bytes: security.seal(id, request, expiring),
      read: (datagram) => {
        const { messageId, secured, reply } = security.open(datagram);
        if (messageId !== id) return MORE;
        if (reply.type === 'report') return { kind: 'fault', why: reportText(reply) };
        return secured ? answer(reply) : MORE;
      },
    };
  }

  #over<A>(verdict: Verdict<A>): Verdict<A> {
    if (verdict.kind !== 'more') this.#expecting = false;
    return verdict;
  }

  #nextId(): number {
    this.#lastId = this.#lastId >= MAX_ID ? 1 : this.#lastId + 1;
    this.#expecting = true;
    return this.#lastId;
  }
}

/** What cannot be read or is not for us is dropped, as RFC 3414 demands; nobody answering then ends in a time-out. */
function ignoringFaults<A>(read: () => Verdict<A>): Verdict<A> {
  try {
    return read();
  } catch (error) {
    if (error instanceof BerFault) return MORE;
    throw error;
  }
}

/** Whether a fault says that the agent's clock was not known yet; asking once more is enough. */
export const isClockReport = (why: string): boolean => why === REPORTS[NOT_IN_TIME_WINDOW];

function reportText(reply: Reply): string {
  const oid = reply.varbinds[0]?.oid ?? '';
  return REPORTS[oid] ?? `the agent reports ${oid.slice(0, 60)}`;
}
