import { configOfProcess } from '@tocsin/config'
import { runService } from '@tocsin/lifecycle'
import { createLogger } from '@tocsin/telemetry'
import { startPersistence } from './app.ts'
import { PersistenceConfig } from './config.ts'

const config = configOfProcess(PersistenceConfig, process)
const log = createLogger('persistence', config.LOG_LEVEL)
await runService({ log, start: (signal) => startPersistence(config, log, signal) })
