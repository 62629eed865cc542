import { defineConfig } from 'vitest/config'

// Groups, one after the other: what computes runs side by side; what spawns, kills and times real processes has the machine to itself;
// what needs a real broker or registry shares one of each, started when the first file asks (test/support/services/desk.ts).
const services = [
  'test/{contract,corpus}/**/*.{kafka,redpanda,registry,apicurio}.test.ts',
  'test/{integration,fault,e2e}/{kafka,registry}/**/*.test.ts',
]

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A bound on a hang, as those are; by itself it is a second.
    expect: { poll: { timeout: 15_000 } },
    // A test that leaves a timer or a handle running is a defect: the run must end by itself.
    teardownTimeout: 5_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/{unit,property,contract,corpus,integration}/**/*.test.ts'],
          exclude: services,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'processes',
          include: ['test/{fault,e2e}/**/*.test.ts'],
          exclude: services,
          globalSetup: 'test/support/package.ts',
          maxWorkers: 1,
          // Of the scenes of a file that may run side by side: each has one process at a time, on two processors.
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: services,
          // They bound a hang; how fast something must be is asserted where it matters.
          env: { TEST_PATIENCE_MS: '60000' },
          testTimeout: 240_000,
          hookTimeout: 120_000,
          globalSetup: ['test/support/package.ts', 'test/support/services/desk.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
