import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Generous: a slow machine must not decide a test. What a test waits for has its own, named bound.
    testTimeout: 30_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    // Most tests wait for real processes and servers: three workers keep two cores busy, four begin to disturb each other.
    maxWorkers: 3,
  },
});
