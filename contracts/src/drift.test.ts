import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ALL_TOPICS, Alert } from './index.ts'

test('the committed JSON Schema, AsyncAPI and OpenAPI documents are what the schemas say', async () => {
  const script = join(import.meta.dirname, '../scripts/generate.ts')
  const outcome = await promisify(execFile)(process.execPath, [script, '--check']).catch((error: { stderr: string }) => error)
  expect(outcome.stderr).toBe('')
  // It compiles every schema, beside whatever else this machine does.
}, 60_000)

test('every topic takes append time, so that retention does not delete a backfill before it is read', () => {
  for (const topic of ALL_TOPICS) expect(topic.config, topic.name).toHaveProperty(['message.timestamp.type'], 'LogAppendTime')
})

test('a dead letter topic takes what its source takes, and 64 KiB more for headers', () => {
  const limit = (name: string) => Number(ALL_TOPICS.find((topic) => topic.name === name)?.config['max.message.bytes'])
  expect(limit('audit.events.dead') - limit('audit.events')).toBe(64 * 1024)
})

test("an alert's JSON has the fields that the issue names", () => {
  const names =
    'id organizationId type severity status title description source rule pattern group window firstSeen lastSeen count peak revision version open backfilled metadata tags runbook correlationId assignee acknowledged resolved acknowledgedAt acknowledgedBy resolvedAt resolvedBy resolutionNotes dismissedAt dismissedBy dismissReason createdAt updatedAt' +
    // What the record of an alert's life added to it.
    ' resolutionAction resolutionMetadata acknowledgementExpiresAt endedAtCount labels'
  expect(Object.keys(Alert.properties).sort()).toEqual(names.split(' ').sort())
})
