import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, {
  type FastifyInstance,
  type FastifyServerOptions,
  type FastifyTypeProviderDefault,
  LogController,
  type RawServerDefault,
} from 'fastify'
import type { Logger } from 'pino'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'
import { PROBLEM_TYPE, problemOf } from './problem.ts'
import { projectionOf } from './projection.ts'

/** Server limits, from fastify/demo: a slow client cannot hold a connection for ever. */
const CONNECTION_TIMEOUT_MS = 120_000
const REQUEST_TIMEOUT_MS = 60_000
const KEEP_ALIVE_MS = 10_000

export type HttpServer = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, Logger, FastifyTypeProviderDefault>

interface ValidationContext {
  readonly schema: unknown
  readonly httpPart?: string | undefined
}

/** Query and path values arrive as text and are converted; a body is taken as it is. */
function compileValidator({ schema, httpPart }: ValidationContext) {
  const typed = schema as TSchema
  const check = Compile(typed)
  return (input: unknown) => {
    const value = httpPart === 'body' ? input : Value.Convert(typed, Value.Default(typed, Value.Clone(input)))
    if (check.Check(value)) return { value }
    const faults = check.Errors(value).map((fault) => `${httpPart ?? 'value'}${fault.instancePath} ${fault.message}`)
    return {
      error: Object.assign(new Error([...new Set(faults)].slice(0, 10).join('; ')), { statusCode: 400, validation: faults }),
    }
  }
}

/** Keeps only what the schema lists, so that a field nobody meant to show does not leave the server. */
function compileSerializer({ schema }: { readonly schema: unknown }) {
  const project = projectionOf(schema as TSchema)
  return (value: unknown) => JSON.stringify(project === null ? value : project(value))
}

/** A Fastify instance with problem+json for every failure, TypeBox validation, and time limits. */
export function createHttpServer(options: {
  readonly log: Logger
  readonly bodyLimitBytes?: number
  readonly settings?: FastifyServerOptions<RawServerDefault, Logger>
}): HttpServer {
  const app: HttpServer = Fastify({
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    bodyLimit: options.bodyLimitBytes ?? 1_048_576,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    ...options.settings,
    loggerInstance: options.log,
  })
  app.setValidatorCompiler(compileValidator)
  app.setSerializerCompiler(compileSerializer)
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    if (problem.status >= 500)
      request.log.error({ err: error, method: request.method, url: request.routeOptions.url }, 'request failed')
    return reply.code(problem.status).headers(problem.headers).type(PROBLEM_TYPE).send(JSON.stringify(problem.body))
  })
  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .type(PROBLEM_TYPE)
      .send(
        JSON.stringify({
          type: 'about:blank',
          title: 'Not found',
          status: 404,
          code: 'NOT_FOUND',
          detail: 'There is nothing at this address.',
        }),
      ),
  )
  return app
}

/** Listens and returns the port it got. */
export async function listen(app: HttpServer, host: string, port: number): Promise<number> {
  await app.listen({ host, port })
  return (app.server.address() as AddressInfo).port
}
