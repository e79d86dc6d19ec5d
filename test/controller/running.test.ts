/** How far, how fast, how long still: figures for people, which must not promise what they do not know. */
import { describe, expect, test } from 'vitest';
import { RunningWindows } from '../../src/controller/running.ts';
import type { WindowProgress } from '../../src/controller/voice.ts';

const at = (bytes_done: number, more: Partial<WindowProgress> = {}): WindowProgress => ({
  window: 'nightly',
  link: 'vault',
  occurrence: 'one',
  phase: 'work',
  step: { number: 1, of: 2, name: 'backup', repository: 'main' },
  files_done: 0,
  files_total: 0,
  current_files: [],
  bytes_done,
  bytes_total: 100_000,
  ...more,
});

describe('windows at work', () => {
  test('speed and time left come from the last seconds', () => {
    const windows = new RunningWindows();
    for (let second = 0; second <= 60; second += 1)
      windows.hear(at(second < 50 ? second * 1_000 : 50_000 + (second - 50) * 2_000), second * 1_000);
    const [shown] = windows.show(60_000);
    expect(shown?.bytes_per_second).toBeGreaterThan(1_700);
    expect(shown?.bytes_per_second).toBeLessThanOrEqual(2_000);
    expect(shown?.left_ms).toBeGreaterThan(14_000);
    expect(shown).toMatchObject({ running_ms: 60_000, bytes_done: 70_000 });
  });

  test('nothing is said from less than a second, nor across steps', () => {
    const windows = new RunningWindows();
    windows.hear(at(0), 0);
    windows.hear(at(50_000), 500);
    expect(windows.show(500)[0]).toMatchObject({ bytes_per_second: null, left_ms: null });
    windows.hear(at(0, { step: { number: 2, of: 2, name: 'check', repository: 'main' } }), 2_000);
    expect(windows.show(2_500)[0]).toMatchObject({ bytes_per_second: null });
  });

  test('a stream that stands still becomes slow, and promises no end', () => {
    const windows = new RunningWindows();
    windows.hear(at(0), 0);
    windows.hear(at(10_000), 1_000);
    const soon = windows.show(1_000)[0]?.bytes_per_second ?? 0;
    const late = windows.show(100_000)[0]?.bytes_per_second ?? 0;
    expect(soon).toBe(10_000);
    expect(late).toBe(100);
    windows.hear(at(10_000, { bytes_total: 10_000 }), 100_000);
    expect(windows.show(101_000)[0]?.left_ms).toBeNull();
  });

  test('many reports a second do not shorten the memory to nothing', () => {
    const windows = new RunningWindows();
    for (let i = 0; i <= 2_000; i += 1) windows.hear(at(i * 10), i * 10);
    expect(windows.show(20_000)[0]?.bytes_per_second).toBe(1_000);
  });

  test('each link has one, and what has ended is gone', () => {
    const windows = new RunningWindows();
    windows.hear(at(0), 0);
    windows.hear(at(0, { link: 'other', occurrence: 'two' }), 0);
    expect(windows.show(0)).toHaveLength(2);
    windows.ended('vault');
    expect(windows.show(0).map(({ link }) => link)).toEqual(['other']);
    windows.hear(null);
    expect(windows.show(0)).toEqual([]);
  });
});
