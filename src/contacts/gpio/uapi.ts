/**
 * The structures and request numbers of the GPIO character device, version 2 (<linux/gpio.h>, Linux 5.10 and newer), as
 * plain buffers. A test compares sizes, offsets and numbers with what the C compiler makes of the kernel's own header.
 * All machines that Portcullis runs on are little-endian.
 */
import type { Bias, Level } from './lines.ts';

/** Bytes of each structure. */
export const SIZE = {
  chipInfo: 68,
  lineValues: 16,
  lineConfig: 272,
  lineRequest: 592,
  lineInfo: 256,
  lineEvent: 48,
} as const;

/** Byte offsets of the fields in use. */
export const AT = {
  chipInfo: { name: 0, label: 32, lines: 64 },
  lineValues: { bits: 0, mask: 8 },
  lineConfig: { flags: 0, numAttrs: 8, attrs: 32 },
  /** One attribute: id, value, and the mask of lines it is for. */
  configAttribute: { id: 0, values: 8, mask: 16 },
  lineRequest: { offsets: 0, consumer: 256, config: 288, numLines: 560, eventBufferSize: 564, fd: 588 },
  lineInfo: { name: 0, consumer: 32, offset: 64, flags: 72 },
  lineEvent: { timestampNs: 0, id: 8, offset: 12, seqno: 16, lineSeqno: 20 },
} as const;

/** Flags of a line: 64 bits wide, of which only low ones are in use. */
export const FLAG = {
  used: 1n << 0n,
  activeLow: 1n << 1n,
  input: 1n << 2n,
  output: 1n << 3n,
  edgeRising: 1n << 4n,
  edgeFalling: 1n << 5n,
  biasPullUp: 1n << 8n,
  biasPullDown: 1n << 9n,
} as const;

const ATTRIBUTE_OUTPUT_VALUES = 2;
const EVENT_RISING = 1;
const EVENT_FALLING = 2;

const WRITE = 1;
const READ = 2;
/** _IOC of <asm-generic/ioctl.h>: direction, size, type, number. */
const ioc = (direction: number, number: number, size: number): number =>
  direction * 2 ** 30 + size * 2 ** 16 + 0xb4 * 2 ** 8 + number;

/** The ioctl request numbers. */
export const REQUEST = {
  chipInfo: ioc(READ, 0x01, SIZE.chipInfo),
  lineInfo: ioc(READ | WRITE, 0x05, SIZE.lineInfo),
  getLine: ioc(READ | WRITE, 0x07, SIZE.lineRequest),
  setConfig: ioc(READ | WRITE, 0x0d, SIZE.lineConfig),
  getValues: ioc(READ | WRITE, 0x0e, SIZE.lineValues),
  setValues: ioc(READ | WRITE, 0x0f, SIZE.lineValues),
} as const;

/** What `gpioinfo` shows as owner of our lines; at most 31 bytes. */
export const CONSUMER = 'portcullis';
/** Events that the kernel keeps for us until we read them. */
export const EVENT_BUFFER_SIZE = 64;

/** Reads a NUL-terminated name. */
export function nameIn(buffer: Buffer, at: number, size = 32): string {
  const end = buffer.indexOf(0, at);
  return buffer.toString('utf8', at, end === -1 || end > at + size ? at + size : end);
}

/** `gpio_v2_line_config` that makes the one line of a request an output of `level`: both are set in one step. */
export function outputConfig(level: Level): Buffer {
  const config = Buffer.alloc(SIZE.lineConfig);
  config.writeBigUInt64LE(FLAG.output, AT.lineConfig.flags);
  config.writeUInt32LE(1, AT.lineConfig.numAttrs);
  const attribute = AT.lineConfig.attrs;
  config.writeUInt32LE(ATTRIBUTE_OUTPUT_VALUES, attribute + AT.configAttribute.id);
  config.writeBigUInt64LE(BigInt(level), attribute + AT.configAttribute.values);
  config.writeBigUInt64LE(1n, attribute + AT.configAttribute.mask);
  return config;
}

/** `gpio_v2_line_config` that makes a line an input with events for both edges. */
export function inputConfig(bias: Bias): Buffer {
  const config = Buffer.alloc(SIZE.lineConfig);
  config.writeBigUInt64LE(
    FLAG.input | FLAG.edgeRising | FLAG.edgeFalling | biasFlag(bias),
    AT.lineConfig.flags,
  );
  return config;
}

function biasFlag(bias: Bias): bigint {
  switch (bias) {
    case 'pull-up':
      return FLAG.biasPullUp;
    case 'pull-down':
      return FLAG.biasPullDown;
    case 'none':
      return 0n;
  }
}

/** `gpio_v2_line_request` for one line; `config` null takes the line as it is. */
export function lineRequest(line: number, config: Buffer | null): Buffer {
  const request = Buffer.alloc(SIZE.lineRequest);
  request.writeUInt32LE(line, AT.lineRequest.offsets);
  request.write(CONSUMER, AT.lineRequest.consumer, 31, 'utf8');
  config?.copy(request, AT.lineRequest.config);
  request.writeUInt32LE(1, AT.lineRequest.numLines);
  request.writeUInt32LE(EVENT_BUFFER_SIZE, AT.lineRequest.eventBufferSize);
  return request;
}

/** `gpio_v2_line_values` that sets, or asks for, the one line of a request. */
export function lineValues(level: Level): Buffer {
  const values = Buffer.alloc(SIZE.lineValues);
  values.writeBigUInt64LE(BigInt(level), AT.lineValues.bits);
  values.writeBigUInt64LE(1n, AT.lineValues.mask);
  return values;
}

/** The level in answered `gpio_v2_line_values`. */
export const levelIn = (values: Buffer): Level =>
  (values.readBigUInt64LE(AT.lineValues.bits) & 1n) === 1n ? 1 : 0;

/** `gpio_v2_line_info` that asks about a line. */
export function lineInfo(line: number): Buffer {
  const info = Buffer.alloc(SIZE.lineInfo);
  info.writeUInt32LE(line, AT.lineInfo.offset);
  return info;
}

/** One `gpio_v2_line_event`: the level after the edge, and its time on the monotonic clock, ms. */
export interface LineEvent {
  readonly level: Level;
  readonly atMs: number;
}

/** The events in `bytes`, which are whole ones; one of an unknown kind is left out. */
export function lineEvents(bytes: Buffer): readonly LineEvent[] {
  const events: LineEvent[] = [];
  for (let at = 0; at + SIZE.lineEvent <= bytes.length; at += SIZE.lineEvent) {
    const id = bytes.readUInt32LE(at + AT.lineEvent.id);
    if (id !== EVENT_RISING && id !== EVENT_FALLING) continue;
    // As in `monotonicNow`: whole µs, so that nothing is lost in a double.
    const atMs = Number(bytes.readBigUInt64LE(at + AT.lineEvent.timestampNs) / 1000n) / 1000;
    events.push({ level: id === EVENT_RISING ? 1 : 0, atMs });
  }
  return events;
}
