import type { ChannelsRead, RelayBoard, SettingsCheck } from '../board-contact.ts';
import type { Channel, Exchange, StepVerdict } from '../exchange.ts';
import { type BoardTalk, SerialExchange, type Turn } from './exchange.ts';
import { spelled } from './frame.ts';
import { Frames, type Matched, type SerialAsk } from './frames.ts';
import type { SerialProfile } from './profile.ts';

/** A serial board as its profile describes it, at one card address of one bus. */
export class SerialBoard implements RelayBoard {
  readonly label: string;
  readonly profile: SerialProfile;
  readonly kind: RelayBoard['kind'];
  readonly reports: RelayBoard['reports'];
  readonly replyTimeoutMs: number;
  readonly gapMs: number;
  readonly worstReplyDelayMs: number;
  readonly isolateAll: Exchange<null> | null;
  readonly checks: readonly SettingsCheck[];
  readonly #talk: BoardTalk;
  /** The read of each channel, or of all under 0. */
  readonly #reads = new Map<number, Exchange<ChannelsRead>>();

  constructor(
    profile: SerialProfile,
    place: { readonly address: number; readonly replyTimeoutMs?: number | undefined },
  ) {
    this.profile = profile;
    this.kind = profile.contact;
    this.reports = profile.read?.reports ?? 'commanded';
    const address = profile.addresses === undefined ? null : place.address;
    this.label = address === null ? 'the board' : `card ${address}`;
    this.replyTimeoutMs = place.replyTimeoutMs ?? profile.timings.reply_timeout_ms;
    this.gapMs = profile.timings.gap_ms;
    this.worstReplyDelayMs = Math.max(profile.timings.worst_reply_delay_ms, this.replyTimeoutMs);
    this.#talk = { board: this, frames: new Frames(profile), address, awake: false };
    this.isolateAll = this.#isolateAll();
    this.checks = profile.startup_checks.map(({ name, danger }) => ({
      name,
      exchange: this.#check(name, danger),
    }));
  }

  channel(name: string, channel: number, leaseMs: number | null): Channel {
    const ask: SerialAsk =
      leaseMs === null ? { ask: 'connect', channel } : { ask: 'lease', channel, lease_ms: leaseMs };
    return {
      name,
      board: this,
      connect: this.#command(ask, channel, false, ({ connected }) =>
        connected?.has(channel) === false
          ? { kind: 'refused', why: `told to connect, but channel ${channel} reads isolated` }
          : DONE,
      ),
      isolate: this.#command({ ask: 'isolate', channel }, channel, true, ({ connected }) =>
        connected?.has(channel) === true
          ? { kind: 'refused', why: `told to isolate, but channel ${channel} reads connected` }
          : DONE,
      ),
      probe: this.reading(channel),
    };
  }

  /** Numbers of the channels that read connected, from 1 (of one channel only where the board is asked so); `null`: unreadable. */
  reading(channel: number): Exchange<ChannelsRead> | null {
    const { frames } = this.#talk;
    const ask: SerialAsk = { ask: 'read', channel: frames.readsOneChannel ? channel : undefined };
    if (frames.asked(ask) === null) return null;
    const key = frames.readsOneChannel ? channel : 0;
    const known = this.#reads.get(key);
    if (known !== undefined) return known;
    const made = new SerialExchange<ChannelsRead>(this.#talk, {
      turns: [this.#turn(ask)],
      meaning: ({ connected }) => ({
        kind: 'answer',
        answer: { connected: [...(connected ?? [])], unknown: [] },
      }),
      mayInitialise: true,
    });
    this.#reads.set(key, made);
    return made;
  }

  #isolateAll(): Exchange<null> | null {
    if (this.#talk.frames.asked({ ask: 'isolate-all' }) === null) return null;
    return this.#command({ ask: 'isolate-all' }, null, true, ({ connected }) =>
      connected !== null && connected.size > 0
        ? { kind: 'refused', why: `told to isolate all, but ${[...connected].join(', ')} read connected` }
        : DONE,
    );
  }

  /** `channel`: the one that is read back; `null`: all of them. */
  #command(
    ask: SerialAsk,
    channel: number | null,
    mayInitialise: boolean,
    meaning: (last: Matched) => StepVerdict<null>,
  ): Exchange<null> {
    const command = this.#turn(ask);
    if (this.profile.confirmed_by !== 'read-back') {
      return new SerialExchange<null>(this.#talk, { turns: [command], meaning: () => DONE, mayInitialise });
    }
    const read = this.#turn({ ask: 'read', channel: channel ?? undefined });
    return new SerialExchange<null>(this.#talk, { turns: [command, read], meaning, mayInitialise });
  }

  #check(check: string, danger: string): Exchange<string | null> {
    const turn = this.#turn({ ask: 'startup-check', check });
    const { mustBe } = turn.asked;
    return new SerialExchange<string | null>(this.#talk, {
      turns: [turn],
      meaning: ({ value }) => ({
        kind: 'answer',
        answer:
          value === null || mustBe === null || value.equals(mustBe)
            ? null
            : `${check} of ${this.label} reads ${spelled(value)}; must be ${spelled(mustBe)}. ${danger}`,
      }),
      mayInitialise: true,
    });
  }

  #turn(ask: SerialAsk): Turn {
    const { frames, address } = this.#talk;
    const asked = frames.asked(ask);
    if (asked === null) throw new TypeError(`${this.profile.id} does not know ${ask.ask}`);
    return { asked, numbers: frames.numbers(ask, address) };
  }
}

const DONE: StepVerdict<null> = { kind: 'answer', answer: null };
