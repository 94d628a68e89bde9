import { configOfProcess } from '@tocsin/config'
import { runService } from '@tocsin/lifecycle'
import { createLogger } from '@tocsin/telemetry'
import { createGateway } from './app.ts'
import { GatewayConfig } from './config.ts'

const config = configOfProcess(GatewayConfig, process)
const log = createLogger('gateway', config.LOG_LEVEL)
await runService({ log, start: () => createGateway(config, { log }) })
