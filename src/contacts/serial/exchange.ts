import type { Board, Exchange, Step, StepVerdict } from '../exchange.ts';
import type { Numbers } from './frame.ts';
import type { Asked, Frames, InitialStep, Matched } from './frames.ts';
import { buildFrame } from './frame.ts';

/** What the exchanges of one board share. */
export interface BoardTalk {
  readonly board: Board;
  readonly frames: Frames;
  readonly address: number | null;
  /** The board answered the last exchange, so it needs no initialisation. */
  awake: boolean;
}

/** One frame of a conversation and the numbers in it. */
export interface Turn {
  readonly asked: Asked;
  readonly numbers: Numbers;
}

/** A conversation of one or more frames whose last answer is what counts. */
export interface Conversation<A> {
  readonly turns: readonly [Turn, ...Turn[]];
  readonly meaning: (last: Matched) => StepVerdict<A>;
  /** Whether a board that says nothing may be initialised and asked again. Never for what connects: its fence was asked before the first frame. */
  readonly mayInitialise: boolean;
}

/** One conversation with a serial board. The first frame is the one that moves a contact, if any does. */
export class SerialExchange<A> implements Exchange<A> {
  readonly board: Board;
  readonly #talk: BoardTalk;
  readonly #conversation: Conversation<A>;

  constructor(talk: BoardTalk, conversation: Conversation<A>) {
    this.board = talk.board;
    this.#talk = talk;
    this.#conversation = conversation;
  }

  begin(): Step<A> {
    const { awake, frames } = this.#talk;
    this.#talk.awake = false;
    const soft = !awake && this.#conversation.mayInitialise && frames.initialise.length > 0;
    return this.#turn(0, soft);
  }

  /** `soft`: a board that says nothing is initialised, and then asked once more from the beginning. */
  #turn(index: number, soft: boolean): Step<A> {
    const { turns } = this.#conversation;
    const turn = turns[index];
    if (turn === undefined) throw new TypeError('a conversation went on after its last turn');
    const { asked, numbers } = turn;
    const bytes = buildFrame(asked.send, numbers);
    const { gapMs, replyTimeoutMs } = this.board;
    const last = index === turns.length - 1;
    if (asked.reply === null) {
      const verdict = (): StepVerdict<A> =>
        last ? this.#unconfirmed() : { kind: 'next', step: this.#turn(index + 1, soft), restMs: 0 };
      return { bytes, judge: saidSomething, silence: { ms: gapMs, verdict } };
    }
    let heard: Buffer = Buffer.alloc(0);
    const judge = (chunk: Uint8Array): StepVerdict<A> => {
      heard = Buffer.concat([heard, chunk]);
      const reply = this.#talk.frames.understand(asked, { numbers, request: bytes }, heard);
      switch (reply.kind) {
        case 'more':
          return reply;
        case 'mismatch':
          return { kind: 'fault', why: reply.what };
        case 'refused':
          this.#talk.awake = true;
          return { kind: 'refused', why: `${this.board.label} refused` };
        case 'match':
          if (!last) return { kind: 'next', step: this.#turn(index + 1, soft), restMs: gapMs };
          this.#talk.awake = true;
          return this.#conversation.meaning(reply);
      }
    };
    if (!soft) return { bytes, judge };
    const verdict = (): StepVerdict<A> =>
      heard.length === 0
        ? { kind: 'next', step: this.#initialise(0, 1), restMs: 0 }
        : { kind: 'fault', why: 'its answer stopped half way' };
    return { bytes, judge, silence: { ms: replyTimeoutMs, verdict } };
  }

  #unconfirmed(): StepVerdict<A> {
    return { kind: 'unconfirmed', why: 'written; this board never answers, so only a witness can tell' };
  }

  #initialise(index: number, attempt: number): Step<A> {
    const { frames, address } = this.#talk;
    const step: InitialStep | undefined = frames.initialise[index];
    if (step === undefined) throw new TypeError('an initialisation went on after its last step');
    let heard = false;
    const judge = (): StepVerdict<A> => {
      heard = true;
      return { kind: 'more' };
    };
    const verdict = (): StepVerdict<A> => {
      if (!heard && attempt < step.attempts) {
        return { kind: 'next', step: this.#initialise(index, attempt + 1), restMs: 0 };
      }
      const more = index + 1 < frames.initialise.length;
      return { kind: 'next', step: more ? this.#initialise(index + 1, 1) : this.#turn(0, false), restMs: 0 };
    };
    const bytes = buildFrame(step.send, address === null ? {} : { address });
    return { bytes, judge, silence: { ms: step.waitMs, verdict } };
  }
}

const saidSomething = (): StepVerdict<never> => ({
  kind: 'fault',
  why: 'it said something to a command that its profile calls unanswered',
});
