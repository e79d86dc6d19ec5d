import type { Millis } from '../core/time.ts';

/** What the bytes that came so far amount to. `fault`: they cannot be the answer, and nothing after them is to be trusted. */
export type Verdict<A> =
  | { readonly kind: 'more' }
  | { readonly kind: 'answer'; readonly answer: A }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'fault'; readonly why: string };

/**
 * The verdict on one step. `next`: the exchange goes on with another frame, after `restMs` of silence. `unconfirmed`: it is
 * over and, by the nature of the board, nobody will ever answer for it; the wire is none the worse.
 */
export type StepVerdict<A> =
  | Verdict<A>
  | { readonly kind: 'next'; readonly step: Step<A>; readonly restMs: number }
  | { readonly kind: 'unconfirmed'; readonly why: string };

/** One frame of an exchange: the bytes to write, and the judge of everything that comes back until the next one. */
export interface Step<A> {
  /** The exchange's own: the wire must not keep them. */
  readonly bytes: Uint8Array;
  readonly judge: (chunk: Uint8Array) => StepVerdict<A>;
  /** Where silence is an answer too: the verdict on `ms` of it, counted from the end of the frame. Else it ends in a time-out. */
  readonly silence?: { readonly ms: number; readonly verdict: () => StepVerdict<A> };
}

/** One question or command. Nothing else is written to the wire until it has ended. */
export interface Exchange<A> {
  readonly board: Board;
  /** Called in the tick of the write; what moves a contact is the first frame. */
  begin(): Step<A>;
}

/** How an exchange ended. `askedAt`: when its bytes were handed to the kernel. */
export type Answer<A> =
  | { readonly kind: 'answer'; readonly answer: A; readonly askedAt: Millis; readonly at: Millis }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unconfirmed'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** One device on a bus, which may have several channels. */
export interface Board {
  /** For people, such as `unit 1`. */
  readonly label: string;
  /** ms that the board may take to answer, counted from the end of the request. */
  readonly replyTimeoutMs: number;
  /** ms of rest that the board needs after a reply before the next request on its bus. */
  readonly gapMs: number;
  /** ms after which no reply of this board can still arrive. */
  readonly worstReplyDelayMs: number;
  /** Isolates every channel of the board, or `null` when it has no such command. */
  readonly isolateAll: Exchange<null> | null;
}

/** One switchable channel of a board. */
export interface Channel {
  readonly name: string;
  readonly board: Board;
  readonly connect: Exchange<null>;
  readonly isolate: Exchange<null>;
  /**
   * A harmless question to the same board. It is asked before a connect when the board has not been heard just now.
   * `null`: the board cannot be asked anything.
   */
  readonly probe: Exchange<unknown> | null;
}
