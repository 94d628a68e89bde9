import { runService } from '@tocsin/lifecycle'
import { createLogger } from '@tocsin/telemetry'
import { createNotifier } from './app.ts'
import { readConfig } from './config.ts'

const config = readConfig()
const log = createLogger('notifier', config.LOG_LEVEL)
await runService({ log, start: (signal) => createNotifier(config, log, signal) })
