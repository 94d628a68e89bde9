import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { alertIdIn, type Messages } from './messages.ts'

const BODY_LIMIT = 1_600
const NUMBER = /^\+[1-9]\d{5,14}$/

/** A stand-in for Twilio's Messages resource: form in, JSON out, with its codes for what it refuses. */
export function registerSms(app: FastifyInstance, messages: Messages): void {
  for (const path of ['/sms', '/sms/*']) {
    app.post(path, async (request, reply) => {
      const form = (request.body ?? {}) as Readonly<Record<string, unknown>>
      const [to, from, body] = [form.To, form.From, form.Body].map((value) => (typeof value === 'string' ? value : ''))
      const refuse = (code: number, message: string) =>
        reply.code(400).send({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status: 400 })
      if (request.headers.authorization?.startsWith('Basic ') !== true) {
        return reply.code(401).send({ code: 20003, message: 'Authenticate', status: 401 })
      }
      if (!NUMBER.test(to ?? '')) return refuse(21211, `Invalid 'To' Phone Number`)
      if (!body) return refuse(21602, 'Message body is required')
      if (body.length > BODY_LIMIT) return refuse(21617, 'The concatenated message body exceeds the 1600 character limit')
      const alertId = alertIdIn(body)
      messages.add({ kind: 'sms', to: to ?? '', from: from ?? '', text: body, ...(alertId === undefined ? {} : { alertId }) })
      const sid = `SM${randomBytes(16).toString('hex')}`
      return reply
        .code(201)
        .send({ sid, status: 'queued', to, from, body, num_segments: String(Math.ceil(body.length / 160)), error_code: null })
    })
  }
}
