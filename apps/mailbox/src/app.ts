import type { AddressInfo } from 'node:net'
import { createReadiness, type Running } from '@tocsin/lifecycle'
import { type Logger, startTelemetry } from '@tocsin/telemetry'
import Fastify from 'fastify'
import { Registry } from 'prom-client'
import type { MailboxConfig } from './config.ts'
import { acceptForms } from './form.ts'
import { Messages } from './messages.ts'
import { registerPage } from './page-routes.ts'
import { registerSlack } from './slack-api.ts'
import { registerSms } from './sms-api.ts'
import { catchMail } from './smtp.ts'

const BODY_LIMIT_BYTES = 1_048_576

export interface RunningMailbox extends Running {
  readonly port: number
  readonly smtpPort: number
  readonly metricsPort: number
}

/** Development only: catches what the notifier sends, and shows it. */
export async function createMailbox(config: MailboxConfig, log: Logger): Promise<RunningMailbox> {
  const readiness = createReadiness()
  const messages = new Messages(config.MAILBOX_KEEPS)
  const telemetry = await startTelemetry({
    name: 'mailbox',
    host: config.HOST,
    port: config.METRICS_PORT,
    registry: new Registry(),
    ready: () => readiness.current(),
    log,
  })
  const smtp = await catchMail(messages, { host: config.HOST, port: config.SMTP_PORT, log })
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true })
  acceptForms(app)
  registerSlack(app, messages)
  registerSms(app, messages)
  registerPage(app, messages)
  await app.listen({ host: config.HOST, port: config.PORT })
  const port = (app.server.address() as AddressInfo).port
  readiness.ready()
  log.info({ port, smtpPort: smtp.port }, 'mailbox is ready')
  return {
    port,
    smtpPort: smtp.port,
    metricsPort: telemetry.port,
    async stop() {
      readiness.draining()
      await Promise.all([app.close(), smtp.close()])
      await telemetry.close()
    },
  }
}
