import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'

/** Addresses of real infrastructure that all tests of a run share: keep to names of your own (`uniquePrefix`, `createTestDatabase`). */
export interface TestInfrastructure {
  /** host:port, comma separated. */
  readonly kafkaBrokers: string
  /** A superuser's connection to the database `postgres`. */
  readonly databaseAdminUrl: string
  readonly redisUrl: string
}

declare module 'vitest' {
  interface ProvidedContext {
    infrastructure: TestInfrastructure
  }
}

/** The infrastructure of this run; throws in a test that lies outside a folder `test/` or `e2e/`, where none is started. */
export function testInfrastructure(): TestInfrastructure {
  const found: TestInfrastructure | undefined = inject('infrastructure')
  if (!found) throw new Error('tests on real infrastructure lie in a folder named test/ (or in e2e/)')
  return found
}

/** A prefix for topics, groups and Redis keys that no other test uses: letters, digits and a closing dash, about 16 characters. */
export function uniquePrefix(name = 't'): string {
  return `${name}${Date.now().toString(36).slice(-5)}${randomBytes(4).toString('hex')}-`
}
