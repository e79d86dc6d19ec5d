/** The structures of the GPIO character device, held against the kernel's own header. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kernelCalls } from '../../src/contacts/gpio/kernel-calls.ts';
import {
  AT,
  CONSUMER,
  FLAG,
  inputConfig,
  levelIn,
  lineEvents,
  lineInfo,
  lineRequest,
  lineValues,
  nameIn,
  outputConfig,
  REQUEST,
  SIZE,
} from '../../src/contacts/gpio/uapi.ts';
import { scratch, skipLoudly } from './bench.ts';

const STRUCTS = {
  chipInfo: 'struct gpiochip_info',
  lineValues: 'struct gpio_v2_line_values',
  lineConfig: 'struct gpio_v2_line_config',
  lineRequest: 'struct gpio_v2_line_request',
  lineInfo: 'struct gpio_v2_line_info',
  lineEvent: 'struct gpio_v2_line_event',
} as const;

/** Expressions in C, and what we say they are. */
const CLAIMS: readonly (readonly [expression: string, ours: number | bigint])[] = [
  ...Object.entries(STRUCTS).map(
    ([name, struct]) => [`sizeof(${struct})`, SIZE[name as keyof typeof SIZE]] as const,
  ),
  ...(
    [
      ['chipInfo', 'label', AT.chipInfo.label],
      ['chipInfo', 'lines', AT.chipInfo.lines],
      ['lineValues', 'bits', AT.lineValues.bits],
      ['lineValues', 'mask', AT.lineValues.mask],
      ['lineConfig', 'flags', AT.lineConfig.flags],
      ['lineConfig', 'num_attrs', AT.lineConfig.numAttrs],
      ['lineConfig', 'attrs', AT.lineConfig.attrs],
      ['lineRequest', 'offsets', AT.lineRequest.offsets],
      ['lineRequest', 'consumer', AT.lineRequest.consumer],
      ['lineRequest', 'config', AT.lineRequest.config],
      ['lineRequest', 'num_lines', AT.lineRequest.numLines],
      ['lineRequest', 'event_buffer_size', AT.lineRequest.eventBufferSize],
      ['lineRequest', 'fd', AT.lineRequest.fd],
      ['lineInfo', 'consumer', AT.lineInfo.consumer],
      ['lineInfo', 'offset', AT.lineInfo.offset],
      ['lineInfo', 'flags', AT.lineInfo.flags],
      ['lineEvent', 'timestamp_ns', AT.lineEvent.timestampNs],
      ['lineEvent', 'id', AT.lineEvent.id],
      ['lineEvent', 'offset', AT.lineEvent.offset],
      ['lineEvent', 'seqno', AT.lineEvent.seqno],
    ] as const
  ).map(([name, field, ours]) => [`offsetof(${STRUCTS[name]}, ${field})`, ours] as const),
  ['offsetof(struct gpio_v2_line_config_attribute, attr.id)', AT.configAttribute.id],
  ['offsetof(struct gpio_v2_line_config_attribute, attr.values)', AT.configAttribute.values],
  ['offsetof(struct gpio_v2_line_config_attribute, mask)', AT.configAttribute.mask],
  ['GPIO_GET_CHIPINFO_IOCTL', REQUEST.chipInfo],
  ['GPIO_V2_GET_LINEINFO_IOCTL', REQUEST.lineInfo],
  ['GPIO_V2_GET_LINE_IOCTL', REQUEST.getLine],
  ['GPIO_V2_LINE_SET_CONFIG_IOCTL', REQUEST.setConfig],
  ['GPIO_V2_LINE_GET_VALUES_IOCTL', REQUEST.getValues],
  ['GPIO_V2_LINE_SET_VALUES_IOCTL', REQUEST.setValues],
  ['GPIO_V2_LINE_FLAG_USED', FLAG.used],
  ['GPIO_V2_LINE_FLAG_ACTIVE_LOW', FLAG.activeLow],
  ['GPIO_V2_LINE_FLAG_INPUT', FLAG.input],
  ['GPIO_V2_LINE_FLAG_OUTPUT', FLAG.output],
  ['GPIO_V2_LINE_FLAG_EDGE_RISING', FLAG.edgeRising],
  ['GPIO_V2_LINE_FLAG_EDGE_FALLING', FLAG.edgeFalling],
  ['GPIO_V2_LINE_FLAG_BIAS_PULL_UP', FLAG.biasPullUp],
  ['GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN', FLAG.biasPullDown],
];

/** What the C compiler says of each expression, or why it cannot be asked. */
function compiled(): { readonly values: readonly bigint[] } | { readonly missing: string } {
  const directory = scratch();
  try {
    const source = join(directory.path, 'claims.c');
    const program = join(directory.path, 'claims');
    const lines = CLAIMS.map(([expression]) => `printf("%llu\\n", (unsigned long long)(${expression}));`);
    writeFileSync(
      source,
      `#include <linux/gpio.h>\n#include <stddef.h>\n#include <stdio.h>\n#include <sys/ioctl.h>\nint main(void) { ${lines.join(' ')} return 0; }\n`,
    );
    const made = spawnSync('cc', ['-o', program, source], { encoding: 'utf8' });
    if (made.status !== 0) return { missing: `no C compiler with <linux/gpio.h>: ${made.stderr ?? 'no cc'}` };
    const ran = spawnSync(program, { encoding: 'utf8' });
    return { values: ran.stdout.trim().split('\n').map(BigInt) };
  } finally {
    directory.remove();
  }
}

const theirs = compiled();
const missing = 'missing' in theirs ? theirs.missing : null;

describe.skipIf(skipLoudly("the kernel's header of the GPIO character device", missing))(
  "sizes, offsets and numbers are the kernel's",
  () => {
    test.for(CLAIMS.map(([expression, ours], index) => ({ expression, ours, index })))(
      '$expression',
      ({ ours, index }) => {
        expect('values' in theirs ? theirs.values[index] : null).toBe(BigInt(ours));
      },
    );
  },
);

const nonZero = (buffer: Buffer): Record<number, number> =>
  Object.fromEntries([...buffer.entries()].filter(([, byte]) => byte !== 0));

describe('what is written into the structures', () => {
  test('an output is asked for with its level, in one step', () => {
    // flags OUTPUT (8), one attribute, its id OUTPUT_VALUES (2), the level, and the mask of line 0.
    expect(nonZero(outputConfig(1))).toEqual({ 0: 8, 8: 1, 32: 2, 40: 1, 48: 1 });
    expect(nonZero(outputConfig(0))).toEqual({ 0: 8, 8: 1, 32: 2, 48: 1 });
  });

  test('an input is asked for with both edges and its pull', () => {
    expect(nonZero(inputConfig('none'))).toEqual({ 0: 0x34 });
    expect(nonZero(inputConfig('pull-up'))).toEqual({ 0: 0x34, 1: 1 });
    expect(nonZero(inputConfig('pull-down'))).toEqual({ 0: 0x34, 1: 2 });
  });

  test('a request is for one line, in our name; without a configuration the line stays as it is', () => {
    const request = lineRequest(17, null);
    expect(request.readUInt32LE(0)).toBe(17);
    expect(nameIn(request, AT.lineRequest.consumer)).toBe(CONSUMER);
    expect(nonZero(request.subarray(AT.lineRequest.config, AT.lineRequest.numLines))).toEqual({});
    expect(request.readUInt32LE(AT.lineRequest.numLines)).toBe(1);
    expect(request.readInt32LE(AT.lineRequest.fd)).toBe(0);
    const config = lineRequest(17, outputConfig(1)).subarray(AT.lineRequest.config, AT.lineRequest.numLines);
    expect(config).toEqual(outputConfig(1));
  });

  test('levels there and back', () => {
    for (const level of [0, 1] as const) expect(levelIn(lineValues(level))).toBe(level);
    // Bits of other lines say nothing about ours.
    const values = lineValues(0);
    values.writeBigUInt64LE(0xfffffffffffffffen, AT.lineValues.bits);
    expect(levelIn(values)).toBe(0);
    expect(lineInfo(5).readUInt32LE(AT.lineInfo.offset)).toBe(5);
  });

  test('events there and back, whole ones only, those of unknown kinds left out', () => {
    const event = fc.record({ id: fc.constantFrom(1, 2, 3), us: fc.nat() });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), fc.nat(SIZE.lineEvent - 1), (events, torn) => {
        const bytes = Buffer.alloc(events.length * SIZE.lineEvent + torn, 0xff);
        events.forEach(({ id, us }, index) => {
          const at = index * SIZE.lineEvent;
          bytes.fill(0, at, at + SIZE.lineEvent);
          bytes.writeBigUInt64LE(BigInt(us) * 1000n + 999n, at + AT.lineEvent.timestampNs);
          bytes.writeUInt32LE(id, at + AT.lineEvent.id);
        });
        const wanted = events
          .filter(({ id }) => id !== 3)
          .map(({ id, us }) => ({ level: id === 1 ? 1 : 0, atMs: us / 1000 }));
        expect(lineEvents(bytes)).toEqual(wanted);
      }),
    );
  });

  test('a name that fills its field ends with it', () => {
    const field = Buffer.from(`${'x'.repeat(32)}yz`);
    expect(nameIn(field, 0)).toBe('x'.repeat(32));
    expect(nameIn(Buffer.from('ab\0cd'), 0)).toBe('ab');
  });
});

test('the system calls report errors with their code, and poll what is ready', () => {
  const calls = kernelCalls();
  expect(() => calls.ioctl(-1, REQUEST.chipInfo, Buffer.alloc(SIZE.chipInfo))).toThrow(
    expect.objectContaining({ code: 'EBADF' }),
  );
  expect(calls.poll(-1)).toBe(0);
});
