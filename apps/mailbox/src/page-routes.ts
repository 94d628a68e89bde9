import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import type { MessageFilter, MessageKind, Messages } from './messages.ts'

const file = (name: string) => readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8')
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
/** A caught mail may hold anything: no script, no request, no access to this origin; its own inline styles are all it may use. */
const MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
const KINDS: ReadonlySet<string> = new Set(['mail', 'slack', 'sms'])

/** The page, its JSON, and each mail's HTML for the page's sandboxed frame. */
export function registerPage(app: FastifyInstance, messages: Messages): void {
  const assets = [
    ['/', 'index.html', 'text/html; charset=utf-8'],
    ['/mailbox.js', 'mailbox.js', 'text/javascript; charset=utf-8'],
    ['/mailbox.css', 'mailbox.css', 'text/css; charset=utf-8'],
  ] as const
  for (const [path, name, type] of assets) {
    const content = file(name)
    app.get(path, async (_request, reply) =>
      reply.type(type).header('content-security-policy', PAGE_POLICY).header('cache-control', 'no-cache').send(content),
    )
  }

  app.get('/api/messages', async (request, reply) => {
    const query = request.query as Readonly<Record<string, unknown>>
    const filter = filterOf(query)
    if (typeof filter === 'string') {
      return reply
        .code(400)
        .type('application/problem+json')
        .send(JSON.stringify({ type: 'about:blank', title: 'Bad request', status: 400, code: 'INVALID_REQUEST', detail: filter }))
    }
    return { items: messages.list(filter) }
  })

  app.delete('/api/messages', async (_request, reply) => {
    messages.clear()
    return reply.code(204).send()
  })

  app.get('/api/messages/:id/html', async (request, reply) => {
    const message = messages.get((request.params as { id: string }).id)
    if (message?.html === undefined) return reply.code(404).send({ title: 'Not found' })
    return reply.type('text/html; charset=utf-8').header('content-security-policy', MAIL_POLICY).send(message.html)
  })
}

/** The filter of a query, or what is wrong with it. */
function filterOf(query: Readonly<Record<string, unknown>>): MessageFilter | string {
  const { to, kind, since } = query
  if (kind !== undefined && !KINDS.has(String(kind))) return 'kind is mail, slack or sms'
  if (since !== undefined && Number.isNaN(Date.parse(String(since)))) return 'since is a time in ISO 8601'
  return {
    ...(typeof to === 'string' ? { to } : {}),
    ...(kind === undefined ? {} : { kind: kind as MessageKind }),
    ...(since === undefined ? {} : { since: String(since) }),
  }
}
