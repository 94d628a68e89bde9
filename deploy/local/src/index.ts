export { builtDashboard } from './dashboard.ts'
export { createDatabase, databaseUrl, ROLES, type Role, type RoleUrls, roleUrls } from './database-roles.ts'
export {
  type InfrastructureOptions,
  type RunningInfrastructure,
  startInfrastructure,
  startTestInfrastructure,
} from './infrastructure.ts'
export { OPERATOR, SERVICES, type ServiceName } from './services.ts'
export { type Stack, type StackOptions, startStack } from './stack.ts'
