import { defineConfig } from 'vitest/config'

// Two groups, one after the other: what computes runs side by side; what spawns, kills and times real processes has the machine to itself.
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A test that leaves a timer or a handle running is a defect: the run must end by itself.
    teardownTimeout: 5_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/{unit,property,contract,corpus,integration}/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'processes',
          include: ['test/{fault,e2e}/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
