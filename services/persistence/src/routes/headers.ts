import type { ActChannel } from '@tocsin/contracts'
import type { FastifyRequest } from 'fastify'

export const headerText = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** The channel is what the client says of itself: it claims no right. */
export const channelOf = (request: FastifyRequest): ActChannel => {
  const claimed = headerText(request, 'x-tocsin-channel')
  return claimed === 'dashboard' || claimed === 'cli' ? claimed : 'api'
}

/** By which means and from where a request came, as the history says it. An IPv4 address is written as one (events.md §1). */
export const originOf = (request: FastifyRequest): { readonly channel: ActChannel; readonly ip: string } => ({
  channel: channelOf(request),
  ip: request.ip.replace(/^::ffff:(?=\d+\.)/i, ''),
})
