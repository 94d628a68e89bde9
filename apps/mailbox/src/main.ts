import { runService } from '@tocsin/lifecycle'
import { createLogger } from '@tocsin/telemetry'
import { createMailbox } from './app.ts'
import { readConfig } from './config.ts'

const config = readConfig()
const log = createLogger('mailbox', config.LOG_LEVEL)
await runService({ log, start: () => createMailbox(config, log) })
