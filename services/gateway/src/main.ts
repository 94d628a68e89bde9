import { runService } from '@tocsin/lifecycle'
import { createLogger } from '@tocsin/telemetry'
import { createGateway } from './app.ts'
import { gatewayConfig } from './config.ts'

const config = gatewayConfig(process.env)
const log = createLogger('gateway', config.LOG_LEVEL)
await runService({ log, start: () => createGateway(config, { log }) })
