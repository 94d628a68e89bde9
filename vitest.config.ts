import { defineConfig } from 'vitest/config'

/** Where tests may lie; e2e/ is a project of its own. */
const FOLDERS = '{contracts,libs,services,apps,rules,bench,deploy,docs,scripts}'
const LEFT_OUT = ['**/node_modules/**', '**/dist/**', '**/.local/**']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          // Unit and property tests lie beside their file and need nothing but Node.
          name: 'unit',
          include: [`${FOLDERS}/**/*.test.{ts,tsx}`],
          exclude: [...LEFT_OUT, '**/test/**'],
          // Against hanging, and no measure of speed: machines differ by a factor of five.
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          // The engine against a brute-force model of its specification: pure, but longer than a unit test.
          name: 'model',
          include: ['libs/engine/test/**/*.test.ts'],
          testTimeout: 600_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          // Tests on real Kafka, PostgreSQL and Redis lie in a folder named test/.
          name: 'integration',
          include: [`${FOLDERS}/**/test/**/*.test.ts`],
          exclude: [...LEFT_OUT, 'libs/engine/test/**'],
          globalSetup: ['libs/testing/src/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // One more than the two cores that they are made for: most of the longest ones wait for a limit to pass.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          // Each file starts everything, infrastructure included, because it may kill any of it: two at a time would measure the machine and not the service.
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: LEFT_OUT,
          // Tests ask more often than people may.
          env: { API_REQUESTS_PER_MINUTE: '1000000', ACCOUNT_SIGN_INS_PER_MINUTE: '1000' },
          testTimeout: 180_000,
          hookTimeout: 240_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
