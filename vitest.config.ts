import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Generous: a slow machine must not decide a test. What a test waits for has its own, named bound.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Some tests start real processes and servers; more workers than the two cores of the smallest machine only slow them.
    maxWorkers: 2,
  },
});
