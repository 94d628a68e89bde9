export { createTestDatabase, type TestDatabase } from './database.ts'
export { type TestInfrastructure, testInfrastructure, uniquePrefix } from './infrastructure.ts'
export { type OwnPostgres, startOwnPostgres } from './own-postgres.ts'
export { type WaitLimits, waitFor } from './waiting.ts'
