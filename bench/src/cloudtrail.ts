import { once } from 'node:events'
import { createWriteStream, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { seededRandom } from './random.ts'

const SEED = 7
/** Share of the events that keep what the recorded attack called; the others are everyday calls. */
const SHARE_OF_ATTACKS = 0.05
const EVERYDAY = [
  ['s3.amazonaws.com', 'GetObject'],
  ['s3.amazonaws.com', 'PutObject'],
  ['s3.amazonaws.com', 'ListObjects'],
  ['ec2.amazonaws.com', 'DescribeInstances'],
  ['ec2.amazonaws.com', 'DescribeSecurityGroups'],
  ['sts.amazonaws.com', 'AssumeRole'],
  ['kms.amazonaws.com', 'Decrypt'],
  ['logs.amazonaws.com', 'CreateLogStream'],
  ['dynamodb.amazonaws.com', 'DescribeTable'],
  ['lambda.amazonaws.com', 'ListFunctions20150331'],
  ['iam.amazonaws.com', 'GetRole'],
  ['ssm.amazonaws.com', 'UpdateInstanceInformation'],
  ['elasticloadbalancing.amazonaws.com', 'DescribeTargetHealth'],
  ['rds.amazonaws.com', 'DescribeDBInstances'],
] as const
const FROM = Date.UTC(2026, 0, 5, 8)
const BATCH = 2_000

type Recorded = Record<string, unknown> & { readonly userIdentity?: Record<string, unknown> }

/** Writes `count` CloudTrail events a line each: the recorded ones of `samples` with other ids, times, people, addresses and calls. Answers their average size in bytes. */
export async function writeCloudTrail(samples: string, file: string, count: number): Promise<number> {
  const recorded = readdirSync(samples)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => JSON.parse(readFileSync(join(samples, name), 'utf8')) as Recorded[])
  const random = seededRandom(SEED)
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0')
  const out = createWriteStream(file)
  let bytes = 0
  for (let index = 0; index < count; ) {
    const lines: string[] = []
    for (; lines.length < BATCH && index < count; index++) {
      const sample = pick(recorded)
      const user = `user-${Math.floor(random() * 5_000)}`
      const [eventSource, eventName] = random() < SHARE_OF_ATTACKS ? [sample['eventSource'], sample['eventName']] : pick(EVERYDAY)
      const event = {
        ...sample,
        eventSource,
        eventName,
        eventID: `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
        requestID: `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
        eventTime: new Date(FROM + index).toISOString().replace(/\.\d+/, ''),
        sourceIPAddress: `10.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}.9`,
        userIdentity: { ...sample.userIdentity, userName: user, principalId: `AIDA${hex(12).toUpperCase()}` },
      }
      lines.push(`${JSON.stringify(event)}\n`)
    }
    const text = lines.join('')
    bytes += Buffer.byteLength(text)
    if (!out.write(text)) await once(out, 'drain')
  }
  out.end()
  await finished(out)
  return bytes / count
}
