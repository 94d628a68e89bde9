import { configOfProcess } from '@tocsin/config'
import { runService } from '@tocsin/lifecycle'
import { createLogger } from '@tocsin/telemetry'
import { startDetector } from './app.ts'
import { DetectorConfig } from './config.ts'

const config = configOfProcess(DetectorConfig, process)
const log = createLogger('detector', config.LOG_LEVEL)
await runService({ log, start: (signal) => startDetector(config, log, signal) })
