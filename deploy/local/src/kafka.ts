/** One Apache Kafka broker in KRaft mode, as a native process. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LocalFault } from './local-fault.ts'
import { kafkaAnswers } from './probes.ts'
import type { ProcessSpec } from './supervised-process.ts'

const run = promisify(execFile)

export interface KafkaOptions {
  /** Folder of the data and of server.properties. */
  readonly dir: string
  readonly libs: string
  readonly logFile: string
  readonly port: number
  readonly controllerPort: number
  /** False only for tests: a crash of the whole machine may then lose what was acknowledged. */
  readonly durable: boolean
}

/** Writes the settings, formats the data folder where it is new, and describes the process. */
export async function prepareKafka(options: KafkaOptions): Promise<ProcessSpec> {
  mkdirSync(options.dir, { recursive: true })
  const data = join(options.dir, 'data')
  const settings = join(options.dir, 'server.properties')
  writeFileSync(settings, serverProperties(options, data))
  const java = [...javaFlags(options.logFile), '-cp', `${options.libs}/*`]
  if (!existsSync(join(data, 'meta.properties'))) {
    const format = ['kafka.tools.StorageTool', 'format', '--standalone', '--config', settings, '--cluster-id', newClusterId()]
    try {
      await run('java', [...java, ...format], { cwd: options.dir })
    } catch (error) {
      throw new LocalFault(`Kafka's data folder ${data} could not be formatted: ${(error as Error).message}`)
    }
  }
  return {
    name: 'kafka',
    command: 'java',
    args: ['-Xms128m', '-Xmx512m', ...java, 'kafka.Kafka', settings],
    cwd: options.dir,
    logFile: options.logFile,
    port: options.port,
    stopSignal: 'SIGTERM',
    stopLimitMs: 6_000,
    ready: () => kafkaAnswers({ host: '127.0.0.1', port: options.port }),
    readyLimitMs: 60_000,
    earlyDeaths: 0,
  }
}

function javaFlags(logFile: string): string[] {
  return [
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    `-Dorg.slf4j.simpleLogger.logFile=${logFile}`,
  ]
}

function serverProperties(options: KafkaOptions, data: string): string {
  const broker = `PLAINTEXT://127.0.0.1:${options.port}`
  const controller = `CONTROLLER://127.0.0.1:${options.controllerPort}`
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${options.controllerPort}`,
    listeners: `${broker},${controller}`,
    'advertised.listeners': `${broker},${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': data,
    // Topics are made by the services with the settings of contracts; a topic made by accident would have the wrong ones.
    'auto.create.topics.enable': false,
    'num.partitions': 1,
    // One node: what Kafka replicates three times by default exists once.
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 8,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // The lowest session timeout a consumer may ask for; libs/kafka asks for 6 s.
    'group.min.session.timeout.ms': 6000,
    // 4 MiB is the largest record of any topic (design §4), dead letters 64 KiB more.
    'message.max.bytes': 4 * 1024 * 1024 + 64 * 1024,
    'replica.fetch.max.bytes': 5 * 1024 * 1024,
    'log.message.timestamp.type': 'LogAppendTime',
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    'log.retention.check.interval.ms': 60_000,
    // After kill -9 the controller refuses the same broker until its session has run out: 9 s by default.
    'broker.session.timeout.ms': 2_000,
    'broker.heartbeat.interval.ms': 250,
  }
  // One node has no replica to take an acknowledged record from: flushed often enough that a power cut costs a second at most.
  if (options.durable) settings['log.flush.scheduler.interval.ms'] = 500
  if (options.durable) settings['log.flush.interval.ms'] = 1000
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`
}

/** 16 random bytes in URL-safe base64, as `StorageTool random-uuid` prints; a leading dash would read as an option. */
function newClusterId(): string {
  for (;;) {
    const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}
