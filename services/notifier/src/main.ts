import { redacted } from '@tocsin/config'
import { messageOf } from '@tocsin/errors'
import { runService } from '@tocsin/lifecycle'
import { createLogger } from '@tocsin/telemetry'
import { createNotifier } from './app.ts'
import { NotifierConfig, readConfig } from './config.ts'

let config: NotifierConfig
try {
  config = readConfig()
} catch (error) {
  console.error(messageOf(error))
  process.exit(1)
}
if (process.argv.includes('--check-config')) {
  console.log(JSON.stringify(redacted(NotifierConfig, config), null, 2))
  process.exit(0)
}
const log = createLogger('notifier', config.LOG_LEVEL)
await runService({ log, start: (signal) => createNotifier(config, log, signal) })
