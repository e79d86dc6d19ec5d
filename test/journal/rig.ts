/** Journals for tests: a clock that only moves when asked, options, and small conveniences. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { millis } from '../../src/core/time.ts';
import { createVerifier, GENESIS, lineHash } from '../../src/journal/chain.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { printEntry, type Entry, type EntryInput } from '../../src/journal/entry.ts';
import type { JournalOptions } from '../../src/journal/file.ts';
import { fileNumbers, fileName } from '../../src/journal/names.ts';
import { DIRECTORY, noLock, type MemoryDisk } from './memory-disk.ts';

/** A clock that ticks a ms per look, so that the same calls give the same journal. */
export function tickingClock() {
  let now = 1_000;
  return {
    now: () => millis((now += 1)),
    calendar: () => new Date(Date.UTC(2026, 10, 21, 3, 0, 0) + now),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

export const NO_ROTATION = 1_000_000_000;

export function memoryOptions(disk: MemoryDisk, rotateAtBytes = NO_ROTATION): JournalOptions {
  const { now, calendar } = tickingClock();
  const clockQuality = () => 'synchronised' as const;
  return {
    directory: DIRECTORY,
    disk,
    bootId: 'boot-1',
    now,
    calendar,
    clockQuality,
    rotateAtBytes,
    acquireLock: noLock,
  };
}

export function realOptions(directory: string, rotateAtBytes = NO_ROTATION): JournalOptions {
  const { now, calendar } = tickingClock();
  const clockQuality = () => 'synchronised' as const;
  return { directory, disk: nodeDisk, bootId: 'boot-1', now, calendar, clockQuality, rotateAtBytes };
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-journal-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export const note = (text: string): EntryInput => ({
  type: 'test.note',
  actor: 'person:tester',
  data: { text },
});

/** Entries of a journal on a memory disk, in order; throws when they do not form one chain. */
export function entriesOn(disk: MemoryDisk): Entry[] {
  const verifier = createVerifier(GENESIS);
  return fileNumbers(disk.names()).flatMap((number) => {
    const text = disk.text(fileName(number));
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const { entry, broken } = verifier.feed(line);
        if (entry === undefined) throw new Error(`${fileName(number)}: ${broken.why}`);
        return entry;
      });
  });
}

/** Lines of a well-formed chain with the given notes. */
export function chainOf(texts: readonly string[]): string[] {
  let prev = GENESIS.hash;
  return texts.map((text, index) => {
    const time = {
      boot: 'boot-1',
      mono: 1_000.5 + index,
      at: '2026-11-21T03:00:00.000Z',
      clock: 'assumed' as const,
    };
    const line = printEntry({ ...note(text), ...time, seq: index + 1, prev });
    prev = lineHash(line);
    return line;
  });
}

/** A directory with the given files. */
export async function directoryWith(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const directory = await temporaryDirectory();
  await mkdir(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return directory;
}

export const texts = (entries: readonly Entry[]): unknown[] =>
  entries.filter(({ type }) => type === 'test.note').map(({ data }) => data['text']);
