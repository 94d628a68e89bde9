import { configOfProcess } from '@tocsin/config'
import { runService } from '@tocsin/lifecycle'
import { createLogger } from '@tocsin/telemetry'
import { startIngest } from './app.ts'
import { IngestConfig } from './config.ts'

const config = configOfProcess(IngestConfig, process)
const log = createLogger('ingest', config.LOG_LEVEL)
await runService({ log, start: (signal) => startIngest(config, log, signal) })
