/** The disk of the machine loses what a disk may lose, and nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LossyDisk } from './disk.ts';

const MB = 1024 * 1024;
let directory: string;
let disk: LossyDisk;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-disk-'));
  writeFileSync(join(directory, 'image'), Buffer.alloc(MB, 'i'));
  disk = new LossyDisk(join(directory, 'image'), join(directory, 'socket'));
});
afterEach(async () => {
  await disk.close();
  rmSync(directory, { recursive: true });
});

const text = (offset: number, length: number): string => disk.read(offset, length).toString();

describe('the disk of the machine', () => {
  test('reads what was written, also across blocks, and the image elsewhere', () => {
    disk.write(4_090, Buffer.from('across a block'));
    expect(text(4_088, 18)).toBe('iiacross a blockii');
  });

  test('keeps over a power cut what was flushed, and loses the rest', () => {
    disk.write(100, Buffer.from('flushed'));
    disk.flush();
    disk.write(100, Buffer.from('written'));
    disk.write(9_000, Buffer.from('written'));
    expect(text(100, 7)).toBe('written');
    expect(disk.cut('all')).toEqual({ unflushed: 2, lost: 2 });
    expect(text(100, 7)).toBe('flushed');
    expect(text(9_000, 7)).toBe('iiiiiii');
    disk.write(200, Buffer.from('after'));
    expect(disk.cut('all')).toEqual({ unflushed: 1, lost: 1 });
    expect(text(100, 7)).toBe('flushed');
  });

  test('fails after the write that it is told, and works again when power has come back', async () => {
    const failed = disk.failAfter(2);
    disk.write(0, Buffer.from('first'));
    expect(disk.hasFailed).toBe(false);
    disk.write(0, Buffer.from('second'));
    expect(disk.hasFailed).toBe(true);
    await failed;
    expect(disk.cut('all')).toEqual({ unflushed: 2, lost: 2 });
    expect(disk.hasFailed).toBe(false);
  });

  test('may keep some of what was not flushed, whole, torn between sectors, or the later without the earlier', () => {
    const kinds = new Set<string>();
    let seed = 1;
    const random = (): number => ((seed = (seed * 48_271) % 2_147_483_647) - 1) / 2_147_483_646;
    for (let round = 0; round < 60; round += 1) {
      const at = round * 16_384;
      disk.write(at, Buffer.alloc(2_048, 'a'));
      disk.write(at + 4_096, Buffer.alloc(512, 'b'));
      disk.cut(random);
      const sectors = [0, 512, 1_024, 1_536].filter(
        (sector) => text(at + sector, 512) === 'a'.repeat(512),
      ).length;
      kinds.add(sectors === 4 ? 'whole' : sectors === 0 ? 'lost' : 'torn');
      if (sectors === 0 && text(at + 4_096, 1) === 'b') kinds.add('the later alone');
    }
    expect([...kinds].toSorted()).toEqual(['lost', 'the later alone', 'torn', 'whole']);
  });
});
