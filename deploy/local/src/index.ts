export { createDatabase, databaseUrl, ROLES, type Role, type RoleUrls, roleUrls } from './database-roles.ts'
export { type RunningInfrastructure, startInfrastructure, startTestInfrastructure } from './infrastructure.ts'
