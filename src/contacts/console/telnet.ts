/**
 * Telnet on a TCP console: many a console server and every switch's own port 23 speaks it, raw ones never send the byte
 * 255 in text, so it is answered wherever it appears. We let the peer echo and go ahead (RFC 857, 858) and refuse the rest
 * (RFC 854, 855). Where telnet was heard a carriage return is followed by NUL, as RFC 854 demands.
 */
import type { Transport, Wire, WireEvents } from '../transport.ts';

const IAC = 255;
const DONT = 254;
const DO = 253;
const WONT = 252;
const WILL = 251;
const SUBNEGOTIATION = 250;
const SUBNEGOTIATION_END = 240;
const ECHO = 1;
const SUPPRESS_GO_AHEAD = 3;
const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;
/** Most answers to a peer that never stops negotiating. */
const MAX_ANSWERS = 64;

type Place = 'text' | 'command' | 'option' | 'sub' | 'sub-command';

/** Takes telnet commands out of a stream. */
export class TelnetFilter {
  #place: Place = 'text';
  #verb = 0;
  #answers = 0;
  /** Telnet was heard on this stream. */
  heard = false;

  /** The text in `chunk`, and what must be answered to the commands in it. */
  take(chunk: Uint8Array): { readonly text: Uint8Array; readonly answer: Uint8Array } {
    const text: number[] = [];
    const answer: number[] = [];
    for (const byte of chunk) this.#byte(byte, text, answer);
    return { text: Uint8Array.from(text), answer: Uint8Array.from(answer) };
  }

  #byte(byte: number, text: number[], answer: number[]): void {
    switch (this.#place) {
      case 'text':
        if (byte === IAC) this.#place = 'command';
        else text.push(byte);
        return;
      case 'command':
        this.#command(byte, text);
        return;
      case 'option':
        this.#place = 'text';
        if (this.#answers >= MAX_ANSWERS) return;
        this.#answers += 1;
        answer.push(...answerTo(this.#verb, byte));
        return;
      case 'sub':
        if (byte === IAC) this.#place = 'sub-command';
        return;
      case 'sub-command':
        this.#place = byte === SUBNEGOTIATION_END ? 'text' : 'sub';
        return;
    }
  }

  #command(byte: number, text: number[]): void {
    this.#place = 'text';
    if (byte === IAC) {
      text.push(IAC);
      return;
    }
    this.heard = true;
    this.#verb = byte;
    if (byte >= WILL) this.#place = 'option';
    else if (byte === SUBNEGOTIATION) this.#place = 'sub';
  }
}

function answerTo(verb: number, option: number): readonly number[] {
  const wanted = option === ECHO || option === SUPPRESS_GO_AHEAD;
  if (verb === WILL) return [IAC, wanted ? DO : DONT, option];
  if (verb === DO) return [IAC, option === SUPPRESS_GO_AHEAD ? WILL : WONT, option];
  // A refusal needs no answer from somebody who never asked.
  return [];
}

/** A carriage return alone is followed by NUL; one before a line feed is not. */
function withNul(bytes: Uint8Array): Uint8Array {
  const sent: number[] = [];
  bytes.forEach((byte, index) => {
    sent.push(byte);
    if (byte === CARRIAGE_RETURN && bytes[index + 1] !== LINE_FEED) sent.push(0);
  });
  return Uint8Array.from(sent);
}

/** The same transport without its telnet. */
export function telnetTransport(inner: Transport): Transport {
  return {
    where: inner.where,
    byteMs: inner.byteMs,
    quietMs: inner.quietMs,
    async open(events: WireEvents): Promise<Wire> {
      const filter = new TelnetFilter();
      let wire: Wire | null = null;
      const early: number[] = [];
      const opened = await inner.open({
        onBytes: (chunk) => {
          const { text, answer } = filter.take(chunk);
          if (wire === null) early.push(...answer);
          // A broken wire reports itself.
          else if (answer.length > 0) wire.write(answer);
          if (text.length > 0) events.onBytes(text);
        },
        onGone: events.onGone,
      });
      wire = opened;
      if (early.length > 0) opened.write(Uint8Array.from(early));
      return {
        write: (bytes) => opened.write(filter.heard ? withNul(bytes) : bytes),
        drain: opened.drain,
        discard: opened.discard,
      };
    },
  };
}
