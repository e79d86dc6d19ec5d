/** The frames of one serial profile, read once: what is asked, and what the answer means. Pure. */
import type { SerialProfile } from './profile.ts';
import { buildFrame, type Expected, type Match, matchFrame, type Numbers, spelled } from './frame.ts';
import { bitmap, hexNumber, oneWord, type StateForm, wordEach } from './state.ts';
import { type Language, perChannel, readTemplate, type Template } from './template.ts';

/** What a board can be asked or told. Channels count from 1; times are ms. */
export type SerialAsk =
  | { readonly ask: 'connect' | 'isolate'; readonly channel: number }
  | { readonly ask: 'isolate-all' }
  | { readonly ask: 'lease'; readonly channel: number; readonly lease_ms: number }
  | { readonly ask: 'read'; readonly channel?: number | undefined }
  | { readonly ask: 'startup-check'; readonly check: string }
  | { readonly ask: 'initialise'; readonly step: number };

/** One command or question as templates. */
export interface Asked {
  readonly send: Template;
  /** `null`: the board says nothing to it. */
  readonly reply: Template | null;
  readonly refused: Template | null;
  readonly state: StateForm | null;
  /** What `{value}` must be. */
  readonly mustBe: Buffer | null;
}

/** What came back, as far as it can be told. `mismatch`: no answer to this request. */
export type Reply =
  | { readonly kind: 'more' }
  | { readonly kind: 'mismatch'; readonly what: string }
  | { readonly kind: 'refused' }
  | Matched;

/** A reply that was understood. */
export type Matched = Extract<Match, { kind: 'match' }>;

/** A step of the initialisation. */
export interface InitialStep {
  readonly send: Template;
  readonly waitMs: number;
  readonly attempts: number;
}

/** All frames of a profile. Throws TypeError for one that its findings refuse. */
export class Frames {
  readonly profile: SerialProfile;
  readonly initialise: readonly InitialStep[];
  /** Whether a read is about one channel only. */
  readonly readsOneChannel: boolean;
  readonly #connect: Asked;
  readonly #isolate: Asked;
  readonly #isolateAll: Asked | null;
  readonly #lease: Asked | null;
  readonly #read: Asked | null;
  readonly #checks: ReadonlyMap<string, Asked>;

  constructor(profile: SerialProfile) {
    const { read, isolate_all: all, hardware_lease: lease } = profile;
    this.profile = profile;
    this.#connect = this.#asked(profile.connect);
    this.#isolate = this.#asked(profile.isolate);
    this.#isolateAll = all === undefined ? null : this.#asked(all);
    this.#lease = lease === undefined ? null : this.#asked(lease);
    this.#read = read === undefined ? null : this.#asked(read, { state: stateForm(profile) });
    this.readsOneChannel = this.#read !== null && perChannel(this.#read.send);
    this.#checks = new Map(
      profile.startup_checks.map((check) => [
        check.name,
        this.#asked(check, { mustBe: this.literal(check.must_be) }),
      ]),
    );
    this.initialise = profile.initialise.map((step) => ({
      send: this.template(step.send),
      waitMs: step.wait_ms,
      attempts: step.attempts,
    }));
  }

  /** A template of this profile. Throws TypeError when it is none. */
  template(text: string): Template {
    const reading = readTemplate(text, this.profile.speaks);
    if (reading.kind === 'problem') throw new TypeError(`${JSON.stringify(text)}: ${reading.what}`);
    return reading.template;
  }

  /** The bytes of a frame without gaps, however long. Throws TypeError when it has any. */
  literal(text: string): Buffer {
    return literalBytes(text, this.profile.speaks);
  }

  /** The templates behind an ask, or `null` when the board does not know it. */
  asked(ask: SerialAsk): Asked | null {
    switch (ask.ask) {
      case 'connect':
        return this.#connect;
      case 'isolate':
        return this.#isolate;
      case 'isolate-all':
        return this.#isolateAll;
      case 'lease':
        return this.#lease;
      case 'read':
        return this.#read;
      case 'startup-check':
        return this.#checks.get(ask.check) ?? null;
      case 'initialise': {
        const step = this.initialise[ask.step - 1];
        return step === undefined ? null : { send: step.send, ...SILENT };
      }
    }
  }

  /** The numbers that an ask puts into its frame. */
  numbers(ask: SerialAsk, address: number | null): Numbers {
    return {
      ...(address === null ? {} : { address }),
      ...('channel' in ask && ask.channel !== undefined ? channelNumbers(ask.channel) : {}),
      ...(ask.ask === 'lease' ? { lease: ask.lease_ms / (this.profile.hardware_lease?.unit_ms ?? 1) } : {}),
    };
  }

  /** The bytes of a request. Throws RangeError for a number that does not fit, TypeError for what the board does not know. */
  request(ask: SerialAsk, address: number | null): Buffer {
    const asked = this.asked(ask);
    if (asked === null) throw new TypeError(`${this.profile.id} does not know ${ask.ask}`);
    return buildFrame(asked.send, this.numbers(ask, address));
  }

  /** What `bytes`, from their start, say to an ask whose request was `request`. */
  understand(asked: Asked, expected: Pick<Expected, 'numbers' | 'request'>, bytes: Buffer): Reply {
    const whole: Expected = {
      ...expected,
      ...(asked.state === null ? {} : { state: asked.state }),
      ...(asked.mustBe === null ? {} : { valueBytes: asked.mustBe.length }),
    };
    const yes = asked.reply === null ? null : wholly(matchFrame(asked.reply, whole, bytes), bytes);
    const no = asked.refused === null ? null : wholly(matchFrame(asked.refused, whole, bytes), bytes);
    if (yes?.kind === 'match') return yes;
    if (no?.kind === 'match') return { kind: 'refused' };
    if (yes?.kind === 'more' || no?.kind === 'more') return { kind: 'more' };
    return yes ?? { kind: 'mismatch', what: `${spelled(bytes)} where nothing should be said` };
  }

  #asked(
    from: {
      readonly send: string;
      readonly reply?: string | undefined;
      readonly refused?: string | undefined;
    },
    more: { readonly state?: StateForm | null; readonly mustBe?: Buffer } = {},
  ): Asked {
    return {
      send: this.template(from.send),
      reply: from.reply === undefined ? null : this.template(from.reply),
      refused: from.refused === undefined ? null : this.template(from.refused),
      state: more.state ?? null,
      mustBe: more.mustBe ?? null,
    };
  }
}

const SILENT = { reply: null, refused: null, state: null, mustBe: null } as const;

/** One answer and nothing behind it. */
const wholly = (match: Match, bytes: Buffer): Match =>
  match.kind === 'match' && match.length < bytes.length
    ? { kind: 'mismatch', what: `${bytes.length} bytes where the answer has ${match.length}` }
    : match;

/** The numbers that name a channel, from 1. */
export const channelNumbers = (channel: number): Numbers => ({
  channel,
  channel0: channel - 1,
  bit: 2 ** (channel - 1),
});

function literalBytes(text: string, speaks: Language): Buffer {
  const reading = readTemplate(text, speaks, Number.POSITIVE_INFINITY);
  if (reading.kind === 'problem')
    throw new TypeError(`${JSON.stringify(text.slice(0, 100))}: ${reading.what}`);
  return buildFrame(reading.template, {});
}

/** How a profile's reads say where its channels are; `null` when it has no reads. */
export function stateForm(profile: SerialProfile): StateForm | null {
  const state = profile.read?.state;
  if (state === undefined) return null;
  const { channels } = profile;
  const word = (text: string): Buffer => literalBytes(text, profile.speaks);
  switch (state.form) {
    case 'word':
      return oneWord({ connected: word(state.connected), isolated: word(state.isolated) });
    case 'words':
      return wordEach(channels, { connected: word(state.connected), isolated: word(state.isolated) });
    case 'bitmap':
      return bitmap({
        first: state.first,
        connectedWhen: state.connected_when,
        order: state.order ?? Array.from({ length: channels }, (_, index) => index + 1),
      });
    case 'hex':
      return hexNumber(channels, state.digits, state.connected_when);
  }
}
