/** The programs of `../shared/peers`: what a team would write instead, run as they are. */
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { outputOf } from './child.ts'

const LIMIT_MS = 300_000

export interface PeerFigures {
  readonly eventsPerSecond: number
  /** How often a threshold was crossed: a peer that finds nothing has not done the work. */
  readonly crossings: number
}

/** Kafka Streams: DSL sliding windows, RocksDB, one thread; its jars are fetched once. Throws a sentence where it cannot run. */
export async function prepareKafkaStreams(peers: string, local: string) {
  const program = join(peers, 'kafka-streams/Peer.java')
  if (!existsSync(program)) throw new Error(`${program} is not there (--peers)`)
  const libs = await jarsOf(join(peers, 'pom.xml'), join(local, 'peers'))
  return async (brokers: string, topic: string, out: string, events: number): Promise<PeerFigures> => {
    const state = mkdtempSync(join(local, 'streams-'))
    try {
      const java = ['-Xmx1g', `-Djava.io.tmpdir=${state}`, '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
      const args = [...java, '-cp', `${libs}/*`, program, brokers, topic, out, String(events)]
      return figuresOf(await outputOf('java', { args, cwd: state, limitMs: LIMIT_MS }))
    } finally {
      rmSync(state, { recursive: true, force: true })
    }
  }
}

/** kafkajs and one Redis sorted set for each pattern and key, pipelined. */
export function prepareRedisPeer(peers: string, local: string, redisUrl: string) {
  const program = join(peers, 'node/naive-redis.mjs')
  if (!existsSync(program)) throw new Error(`${program} is not there (--peers)`)
  // Beside our packages, so that it finds kafkajs and ioredis.
  mkdirSync(join(local, 'peers'), { recursive: true })
  const copy = join(local, 'peers/naive-redis.mjs')
  copyFileSync(program, copy)
  return async (brokers: string, topic: string, events: number): Promise<PeerFigures> => {
    const env = { PATH: process.env['PATH'] ?? '', KAFKA: brokers, REDIS: redisUrl }
    const args = ['--disable-warning=TimeoutNegativeWarning', copy, topic, String(events)]
    return figuresOf(await outputOf(process.execPath, { args, env, limitMs: LIMIT_MS }))
  }
}

function figuresOf(output: string): PeerFigures {
  const figure = (name: string) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(output)?.[1] ?? Number.NaN)
  const [eventsPerSecond, crossings] = [figure('events_per_s'), figure('crossings')]
  if (!(eventsPerSecond > 0)) throw new Error(`no figures: ${output.slice(-300)}`)
  if (!(crossings > 0)) throw new Error('it found nothing, so it did not do the work')
  return { eventsPerSecond, crossings }
}

async function jarsOf(pom: string, folder: string): Promise<string> {
  const libs = join(folder, 'libs')
  if (existsSync(libs)) return libs
  const partial = join(folder, `libs-${process.pid}`)
  mkdirSync(partial, { recursive: true })
  // Maven writes beside the pom.
  copyFileSync(pom, join(folder, 'pom.xml'))
  await promisify(execFile)('mvn', [
    '-q',
    '-f',
    join(folder, 'pom.xml'),
    'dependency:copy-dependencies',
    `-DoutputDirectory=${partial}`,
  ])
  renameSync(partial, libs)
  return libs
}
