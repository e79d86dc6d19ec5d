import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Decisions, formats and schemas: nothing but functions of what they are given, so that their files may share a process. */
const PURE = ['test/{config,profiles,sources}/**/*.test.ts', 'test/core/!(explore).test.ts'];

export default defineConfig({
  test: {
    // Generous: a slow machine must not decide a test. What a test waits for has its own, named bound.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 40_000 } },
    // Most tests wait for real processes and servers: three workers keep two cores busy, a fourth disturbs them.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: PURE } },
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
    ],
  },
});
