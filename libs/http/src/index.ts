export { createFailedAttempts, type FailedAttempts, tooManyRequests, trustedProxies } from './failed-attempts.ts'
export { PROBLEM_TYPE, problemOf } from './problem.ts'
export { type OperationInput, route } from './route.ts'
export { createHttpServer, type HttpServer, listen } from './server.ts'
