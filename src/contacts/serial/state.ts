/** The ways in which boards say which of their channels are connected: `{state}` of a read reply. Pure. */

/** What the bytes at hand say. */
export type StateTaken =
  | { readonly kind: 'more' }
  | { readonly kind: 'mismatch'; readonly what: string }
  | { readonly kind: 'state'; readonly length: number; readonly connected: ReadonlySet<number> };

/** Reads and writes `{state}`. Channels count from 1. */
export interface StateForm {
  /** `channel`: the one that was asked for, where the answer is about one only. */
  take(bytes: Buffer, channel: number | null): StateTaken;
  /** The bytes that say that exactly `connected` are connected. */
  put(connected: ReadonlySet<number>, channel: number | null): Buffer;
}

const MORE: StateTaken = { kind: 'more' };
const BITS_PER_BYTE = 8;
const BITS_PER_DIGIT = 4;

/** A word for each position. */
export interface Words {
  readonly connected: Buffer;
  readonly isolated: Buffer;
}

/** The one channel that was asked for, as a word. */
export function oneWord(words: Words): StateForm {
  return {
    take: (bytes, channel) => {
      const word = takeWord(bytes, words);
      if (typeof word === 'string') return word === 'more' ? MORE : { kind: 'mismatch', what: word };
      const connected = new Set(word.connected && channel !== null ? [channel] : []);
      return { kind: 'state', length: word.length, connected };
    },
    put: (connected, channel) =>
      channel !== null && connected.has(channel) ? words.connected : words.isolated,
  };
}

/** A word for each channel, channel 1 first. */
export function wordEach(channels: number, words: Words): StateForm {
  return {
    take: (bytes) => {
      const connected = new Set<number>();
      let at = 0;
      for (let channel = 1; channel <= channels; channel += 1) {
        const word = takeWord(bytes.subarray(at), words);
        if (typeof word === 'string') return word === 'more' ? MORE : { kind: 'mismatch', what: word };
        if (word.connected) connected.add(channel);
        at += word.length;
      }
      return { kind: 'state', length: at, connected };
    },
    put: (connected) =>
      Buffer.concat(
        Array.from({ length: channels }, (_, index) =>
          connected.has(index + 1) ? words.connected : words.isolated,
        ),
      ),
  };
}

function takeWord(
  bytes: Buffer,
  words: Words,
): { readonly connected: boolean; readonly length: number } | string {
  for (const connected of [true, false]) {
    const word = connected ? words.connected : words.isolated;
    if (bytes.subarray(0, word.length).equals(word)) return { connected, length: word.length };
  }
  const begun = [words.connected, words.isolated].some((word) =>
    word.subarray(0, bytes.length).equals(bytes),
  );
  return begun ? 'more' : 'the word for connected or for isolated';
}

/** How bits stand for channels: `order` names the channel of each bit in the order in which the bits are counted. */
export interface Bits {
  /** Which bit of every byte is counted first. */
  readonly first: 'lowest-bit' | 'highest-bit';
  readonly connectedWhen: 0 | 1;
  readonly order: readonly number[];
}

/** Whole bytes of bits. Bits that stand for no channel are not looked at. */
export function bitmap({ first, connectedWhen, order }: Bits): StateForm {
  const length = Math.ceil(order.length / BITS_PER_BYTE);
  const weight = (index: number): number =>
    1 << (first === 'lowest-bit' ? index % BITS_PER_BYTE : BITS_PER_BYTE - 1 - (index % BITS_PER_BYTE));
  const byteOf = (index: number): number => Math.floor(index / BITS_PER_BYTE);
  return {
    take: (bytes) => {
      if (bytes.length < length) return MORE;
      const connected = order.filter((_, index) => {
        const set = (bytes.readUInt8(byteOf(index)) & weight(index)) !== 0;
        return set === (connectedWhen === 1);
      });
      return { kind: 'state', length, connected: new Set(connected) };
    },
    put: (connected) => {
      const bytes = Buffer.alloc(length);
      order.forEach((channel, index) => {
        if (connected.has(channel) !== (connectedWhen === 1)) return;
        bytes.writeUInt8(bytes.readUInt8(byteOf(index)) | weight(index), byteOf(index));
      });
      return bytes;
    },
  };
}

/** One hexadecimal number in digits, whose lowest bit is channel 1. Digits beyond the channels are not looked at. */
export function hexNumber(channels: number, digits: number, connectedWhen: 0 | 1): StateForm {
  const all = Array.from({ length: channels }, (_, index) => index + 1);
  const digitOf = (channel: number): number => digits - 1 - Math.floor((channel - 1) / BITS_PER_DIGIT);
  const weight = (channel: number): number => 1 << ((channel - 1) % BITS_PER_DIGIT);
  return {
    take: (bytes) => {
      const text = bytes.subarray(0, digits).toString('latin1');
      if (!/^[0-9A-Fa-f]*$/.test(text)) return { kind: 'mismatch', what: `${digits} hexadecimal digits` };
      if (text.length < digits) return MORE;
      const connected = all.filter((channel) => {
        const set = (Number.parseInt(text.charAt(digitOf(channel)), 16) & weight(channel)) !== 0;
        return set === (connectedWhen === 1);
      });
      return { kind: 'state', length: digits, connected: new Set(connected) };
    },
    put: (connected) => {
      const values = Array.from({ length: digits }, () => 0);
      for (const channel of all) {
        const at = digitOf(channel);
        if (connected.has(channel) === (connectedWhen === 1))
          values[at] = (values[at] ?? 0) | weight(channel);
      }
      return Buffer.from(values.map((value) => value.toString(16)).join(''), 'latin1');
    },
  };
}
