import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { HttpProblem, RetryableError } from '@tocsin/errors'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { createHttpServer, type HttpServer, route } from './index.ts'

const open: HttpServer[] = []
const server = () => {
  const app = createHttpServer({ log: pino({ level: 'silent' }) })
  open.push(app)
  return app
}
afterEach(async () => {
  for (const app of open.splice(0)) await app.close()
})

test('a query value that does not fit its schema is a problem that names it', async () => {
  const app = server()
  route(app, OPERATIONS_TABLE.listAlerts, async () => ({ items: [], nextCursor: null, streamCursor: 'x' }))
  const answer = await app.inject('/api/alerts?limit=9999')
  expect(answer.statusCode).toBe(400)
  expect(answer.headers['content-type']).toContain('application/problem+json')
  expect(answer.json().detail).toContain('/limit')
})

test('query values are converted, defaults are filled, and repeated values become lists', async () => {
  const app = server()
  let seen: unknown
  route(app, OPERATIONS_TABLE.listAlerts, async ({ query }) => {
    seen = query
    return { items: [], nextCursor: null, streamCursor: 'x' }
  })
  await app.inject('/api/alerts?status=active&status=resolved&severity=HIGH')
  expect(seen).toEqual({ limit: 50, status: ['active', 'resolved'], severity: 'HIGH' })
})

test('a field that the answer schema does not list does not leave the server', async () => {
  const app = server()
  route(app, OPERATIONS_TABLE.getMe, async () => ({ subject: 'a', operator: false, organizations: [], secret: 'no' }))
  expect((await app.inject('/api/me')).json()).toEqual({ subject: 'a', operator: false, organizations: [] })
})

test('what is worth retrying is 503 with Retry-After, a problem keeps its code, and a fault of ours says nothing of its cause', async () => {
  const app = server()
  app.get('/away', async () => {
    throw new RetryableError('Kafka at 10.0.0.1 is away', { retryAfterMs: 1500 })
  })
  app.get('/conflict', async () => {
    throw new HttpProblem(409, 'WRONG_STATE', 'It is resolved.', { extra: { present: 'resolved' } })
  })
  app.get('/fault', async () => {
    throw new Error('password=hunter2')
  })
  const away = await app.inject('/away')
  expect([away.statusCode, away.headers['retry-after']]).toEqual([503, '2'])
  expect(away.body).not.toContain('10.0.0.1')
  expect((await app.inject('/conflict')).json()).toMatchObject({ code: 'WRONG_STATE', present: 'resolved', status: 409 })
  const fault = await app.inject('/fault')
  expect(fault.statusCode).toBe(500)
  expect(fault.body).not.toContain('hunter2')
})

test('an address that does not exist and a body that is not JSON are problems', async () => {
  const app = server()
  route(app, OPERATIONS_TABLE.createOrganization, async () => ({}))
  expect((await app.inject('/nowhere')).json()).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  const bad = await app.inject({
    method: 'POST',
    url: '/api/organizations',
    headers: { 'content-type': 'application/json' },
    payload: '{',
  })
  expect(bad.statusCode).toBe(400)
})
