import type { FastifyInstance } from 'fastify'

/** Reads application/x-www-form-urlencoded into a plain object without a prototype; the last of equal names counts. */
export function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    const form: Record<string, string> = Object.create(null)
    for (const [name, value] of new URLSearchParams(String(body))) form[name] = value
    done(null, form)
  })
}
