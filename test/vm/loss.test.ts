/** That a power cut of the machine loses, under its own kernel and file system, what was written and not flushed, and nothing else. */
import { expect, test } from 'vitest';
import { skipLoudly } from '../contacts/bench.ts';
import { PartsMissing } from '../gpio-vm/parts.ts';
import { Box } from './box.ts';

const IS_LONG = process.env['PORTCULLIS_LONG'] === '1';
const TEST_MS = 1_800_000;
const LEFT_OUT = IS_LONG ? null : 'only in the long form (PORTCULLIS_LONG=1), see test/vm/power-cut.test.ts';
skipLoudly('what a power cut of a virtual machine loses', LEFT_OUT);

test.skipIf(LEFT_OUT !== null)(
  'a power cut keeps what was flushed and loses what was not',
  async ({ skip }) => {
    const box = await Box.make(['portcullis-controller.service', 'portcullis-interlock.service']).catch(
      (error: unknown) => {
        if (error instanceof PartsMissing) return error.message;
        throw error;
      },
    );
    if (typeof box === 'string') {
      skipLoudly('what a power cut of a virtual machine loses', box);
      return skip(box);
    }
    try {
      await box.machine.power();
      await box.machine.answers();
      // Written past the cache of the kernel, so that it is in that of the disk; only the first was also flushed.
      const write = (text: string): string =>
        `head -c 4096 /dev/zero | tr '\\0' ${text} | dd of=/root/file bs=4096 oflag=direct conv=notrunc status=none`;
      await box.machine.shell(`${write('k')} && sync && ${write('l')} && head -c 4 /root/file`);
      const { unflushed, lost } = await box.machine.cutPower('all');
      console.log(
        `power cut: ${lost} of ${unflushed} unflushed writes lost, ${box.machine.disk.flushes} flushes before`,
      );
      expect(unflushed).toBeGreaterThan(0);
      await box.machine.power();
      await box.machine.answers();
      expect(await box.machine.shell('head -c 4 /root/file')).toBe('kkkk');
    } finally {
      await box.end();
    }
  },
  TEST_MS,
);
