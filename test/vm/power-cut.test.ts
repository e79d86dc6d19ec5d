/**
 * Power cuts of a machine of its own, under the real units: systemd, kernel and file system of Debian on a disk that loses
 * what was not flushed. The board stands outside, keeps its supply and its contact, and tells what came over its wire; so
 * nothing isolates but what the machine does after it has power again.
 *
 * QEMU is killed, which alone would lose nothing (the machine's writes are on this one); the loss is the disk's: `disk.ts`.
 * Times are printed and decide nothing: without KVM a boot takes one to two minutes of one core of this machine, and of a
 * busy one many more. Only the time-outs of systemd are longer than those of the units.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHash } from 'node:crypto';
import { PartsMissing } from '../gpio-vm/parts.ts';
import { skipLoudly } from '../contacts/bench.ts';
import type { LinkStatus } from '../../src/protocol/messages.ts';
import { Box } from './box.ts';
import type { Fate } from './disk.ts';
import { type Moment, MOMENTS } from './moments.ts';

const IS_LONG = process.env['PORTCULLIS_LONG'] === '1';
const CUTS = Number(process.env['VM_CUTS'] ?? 20);
const SEED = process.env['SEED'] ?? String(Date.now());
const CUT_MS = 1_800_000;
/** A cut while the disk is written to comes after so many writes at most: a commit of ext4 is some ten. */
const MAX_WRITES = 6;
/** How long such a cut waits for them, ms. */
const WRITTEN_WITHIN_MS = 4_000;

const LEFT_OUT = IS_LONG
  ? null
  : 'only in the long form (PORTCULLIS_LONG=1): each boot of an emulated machine takes one to two minutes of a core; test/systemd cuts the power of a container, where nothing that was written is lost';
skipLoudly('power cuts of a virtual machine, which lose what was not flushed', LEFT_OUT);

/** Numbers from 0 to 1 that follow from the seed. */
function chance(seed: string): () => number {
  let count = 0;
  return () =>
    createHash('sha256')
      .update(`${seed} ${(count += 1)}`)
      .digest()
      .readUInt32BE(0) /
    2 ** 32;
}

describe.skipIf(LEFT_OUT !== null)('the power of a virtual machine is cut', { timeout: CUT_MS }, () => {
  const random = chance(SEED);
  let box: Box | null = null;
  let missing: string | null = null;
  const there = (skip: (why: string) => never): Box => {
    if (missing !== null) skip(missing);
    if (box === null) throw new Error('there is no machine');
    return box;
  };

  beforeAll(async () => {
    try {
      box = await Box.make(['portcullis-controller.service']);
    } catch (error) {
      if (!(error instanceof PartsMissing)) throw error;
      missing = error.message;
    }
    skipLoudly('power cuts of a virtual machine', missing);
    if (box === null) return;
    console.log(`power cuts: seed ${SEED}`);
    const { firstMs } = await box.boot();
    console.log(`first boot: first frame after ${firstMs} ms of this machine; ${await uptimes(box)}`);
  }, CUT_MS);
  afterAll(() => box?.end(), CUT_MS);

  const moments: readonly (readonly [number, Moment])[] = Array.from({ length: CUTS }, (_, index) => {
    const named = MOMENTS[index];
    const moment = named ?? MOMENTS[Math.floor(random() * MOMENTS.length)] ?? MOMENTS[0];
    if (moment === undefined) throw new Error('there are no moments');
    return [index + 1, moment];
  });

  test.for(moments)('cut %i', async ([number, moment], { skip }) => {
    const machine = there(skip);
    const before = await machine.rest();
    const latchAfter = await moment.reach(machine);
    const delayMs = Math.round(random() * moment.spreadMs);
    // Asked on the way: who waits for the answer cuts too late.
    const asked = machine.link();
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    // Every other cut loses everything that was not flushed. The others come while the disk is written to, if it is within
    // some seconds, and chance decides for each write and sector.
    const fate: Fate = number % 2 === 1 ? 'all' : random;
    if (fate !== 'all') {
      const write = 1 + Math.floor(random() * MAX_WRITES);
      await Promise.race([
        machine.machine.disk.failAfter(write),
        new Promise((resolve) => setTimeout(resolve, WRITTEN_WITHIN_MS)),
      ]);
    }
    const loss = await machine.machine.cutPower(fate);
    const expected = latchAfter();
    const exposedMs = exposureOf(await asked) ?? exposureOf(before) ?? 0;
    const stood = machine.board.stands();

    const { first, frames, link, firstMs } = await machine.boot();
    expect(first, 'the first frame on the wire').toMatchObject({ kind: 'isolate' });
    expect(
      frames.filter(({ kind }) => kind === 'connect'),
      'nobody connects',
    ).toEqual([]);
    expect(machine.board.stands()).toBe('isolated');
    if (expected !== 'either') expect(link.latch === null ? 'clear' : 'latched').toBe(expected);
    expect(link.exposure.last_24h_ms, 'exposure does not shrink').toBeGreaterThanOrEqual(exposedMs);
    const entries = await machine.journal();
    const repaired = entries.filter(
      ({ type, boot }) => type === 'journal.repaired' && boot === entries.at(-1)?.boot,
    );
    console.log(
      [
        `cut ${number} (${moment.name}, then ${delayMs} ms): contact was ${stood}`,
        `${loss.lost} of ${loss.unflushed} unflushed writes lost`,
        `first frame after ${firstMs} ms of this machine: isolate`,
        `${link.latch === null ? 'clear' : 'latched'} (wanted: ${expected})`,
        `journal whole${repaired.length > 0 ? ', a torn end repaired and recorded' : ''}`,
        await uptimes(machine),
      ].join('; '),
    );
  });

  test('planted: a program that flushes nothing loses the trip that it has answered', async ({ skip }) => {
    const machine = there(skip);
    await machine.rest();
    const unit = '/etc/systemd/system/portcullis-interlock.service.d';
    const fault = '[Service]\nEnvironment=LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libeatmydata.so';
    await machine.machine.shell(
      `mkdir -p ${unit} && printf '${fault}' >${unit}/planted.conf && systemctl daemon-reload && systemctl restart portcullis-interlock`,
    );
    await machine.rest();
    await machine.machine.shell('sync');
    expect(await machine.trip()).toBe(200);
    await machine.machine.cutPower('all');
    const { first, link } = await machine.boot();
    expect(first).toMatchObject({ kind: 'isolate' });
    expect(link.latch, 'the trip is lost, and this test would have noticed').toBeNull();
  });
});

const exposureOf = (link: LinkStatus | null): number | null => link?.exposure.last_24h_ms ?? null;

/** When the interlock was started and ready, in seconds of the machine's own time. */
async function uptimes(box: Box): Promise<string> {
  const wanted = ['ExecMainStartTimestampMonotonic', 'ActiveEnterTimestampMonotonic'];
  const shown = await box.machine.shell(
    `systemctl show portcullis-interlock --property=${wanted.join(',')} --value; cat /proc/uptime`,
  );
  const [started = 0, ready = 0] = shown.split('\n').map((line) => Number(line) / 1e6);
  return `interlock started at ${started.toFixed(1)} s and ready at ${ready.toFixed(1)} s of the machine's time`;
}
