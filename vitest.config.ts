import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A test that leaves a timer or a handle running is a defect: the run must end by itself.
    teardownTimeout: 5_000,
  },
})
