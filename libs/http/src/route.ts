import type { ApiOperation } from '@tocsin/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static, TSchema } from 'typebox'
import type { HttpServer } from './server.ts'

type Part<O extends ApiOperation, K extends 'params' | 'querystring' | 'body'> =
  O['schema'] extends Record<K, infer S extends TSchema> ? Static<S> : undefined

/** What a handler of an operation gets: parts already checked and converted by their schemas. */
export interface OperationInput<O extends ApiOperation> {
  readonly params: Part<O, 'params'>
  readonly query: Part<O, 'querystring'>
  readonly body: Part<O, 'body'>
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Serves an operation of the contracts' table; what the handler returns is sent with `status` (the operation's success). */
export function route<const O extends ApiOperation>(
  app: HttpServer,
  operation: O,
  handler: (input: OperationInput<O>) => Promise<unknown>,
  status = 200,
): void {
  app.route({
    method: operation.method,
    url: operation.url,
    schema: operation.schema,
    ...(operation.bodyLimitBytes === undefined ? {} : { bodyLimit: operation.bodyLimitBytes }),
    handler: async (request, reply) => {
      const result = await handler({
        params: request.params as Part<O, 'params'>,
        query: request.query as Part<O, 'querystring'>,
        body: request.body as Part<O, 'body'>,
        request: request as FastifyRequest,
        reply: reply as unknown as FastifyReply,
      })
      if (!reply.sent) reply.code(reply.statusCode === 200 ? status : reply.statusCode)
      return result
    },
  })
}
