import { setFlagsFromString } from 'node:v8'
import { configOfProcess } from '@tocsin/config'
import { runService } from '@tocsin/lifecycle'
import { createLogger } from '@tocsin/telemetry'
import { startDetector } from './app.ts'
import { DetectorConfig } from './config.ts'

/**
 * By default V8 marks the whole heap after each 64 MiB of buffers, however large the heap is; what the sockets receive came to that twice a second. With
 * this flag buffers count towards the heap's own limit, which grows with it. Measured with Node 24.21 on 1,200,000 events of 20,000 principals: 34 markings
 * became 3 and 25 µs of CPU an event 14, for 972 MiB resident at most instead of 748; on 1,000,000 groups of one event: 8.2 µs became 6.0, 807 MiB 783.
 */
setFlagsFromString('--external-memory-accounted-in-global-limit')

const config = configOfProcess(DetectorConfig, process)
const log = createLogger('detector', config.LOG_LEVEL)
await runService({ log, start: (signal) => startDetector(config, log, signal) })
