import { createHash } from 'node:crypto'
import { generateKeyRing } from '@tocsin/access'
import type { HistoryExportEntry, HistoryExportStart, HistoryHead } from '@tocsin/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from './canonical-json.ts'
import { commitmentOf, GENESIS, hashOf, publicKeysOf, signPlace, verifyHistory } from './index.ts'

const organizationId = '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b11'
const ring = (await generateKeyRing()).history
const at = '2026-03-01T10:00:00.000000Z'
const payloadOf = (number: number) => JSON.stringify({ salt: 'ab'.repeat(32), details: { number } })

/** Lines of an export of `count` sealed entries. */
function chain(count: number): [HistoryExportStart, ...HistoryExportEntry[]] {
  const lines: [HistoryExportStart, ...HistoryExportEntry[]] = [
    { type: 'history', format: 1, organizationId, exportedAt: at, checkpoint: null },
  ]
  let previous = GENESIS
  for (let sequence = 1; sequence <= count; sequence++) {
    const payload = payloadOf(sequence)
    const entry = {
      id: `00000000-0000-4000-8000-${String(sequence).padStart(12, '0')}`,
      at,
      actor: `actor ${sequence}`,
      channel: 'api',
      action: 'key.revoked',
      aboutKind: 'key',
      aboutId: `k${sequence}`,
      version: sequence % 2 === 0 ? null : sequence,
      commitment: commitmentOf(payload),
    }
    const hash = hashOf({ organizationId, sequence, previous }, entry)
    lines.push({ type: 'entry', sequence, previous, hash, entry, payload })
    previous = hash
  }
  return lines
}
async function* written(lines: readonly object[], entries = lines.length - 1): AsyncGenerator<string> {
  for (const line of [...lines, { type: 'end', entries }]) yield JSON.stringify(line)
}
const verified = (lines: readonly object[], options: Partial<Parameters<typeof verifyHistory>[1]> = {}) =>
  verifyHistory(written(lines), { heads: [], keys: null, ...options })
const headAt = (lines: readonly HistoryExportEntry[], sequence: number): HistoryHead =>
  signPlace(ring, { purpose: 'head', organizationId, sequence, hash: lines[sequence - 1]?.hash ?? '', at })

test('canonical JSON is that of RFC 8785, section 3.2.2 and 3.2.3', () => {
  const value = {
    numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 1e-27],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  }
  expect(canonicalJson(value)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  )
  expect(canonicalJson({ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 })).toBe(
    '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
  )
})

test('the hash is what docs/history.md says, made without our code', () => {
  const [, first] = chain(1)
  const text =
    `{"aboutId":"k1","aboutKind":"key","action":"key.revoked","actor":"actor 1","at":"${at}","channel":"api",` +
    `"commitment":"${first?.entry?.commitment}","id":"00000000-0000-4000-8000-000000000001",` +
    `"organizationId":"${organizationId}","previous":"${'0'.repeat(64)}","sequence":1,"version":1}`
  expect(first?.hash).toBe(createHash('sha256').update(text).digest('hex'))
})

test('what was exported as sealed holds, and erased payloads are counted', async () => {
  const [start, ...entries] = chain(5)
  const lines = [start, ...entries.map((line, at) => (at === 2 ? { ...line, payload: null } : line))]
  expect(await verified(lines, { heads: [headAt(entries, 5)], keys: publicKeysOf(ring) })).toMatchObject({
    fault: null,
    entries: 5,
    erased: 1,
    heads: 1,
    last: { sequence: 5, hash: entries[4]?.hash },
  })
})

describe('whatever was done to the lines', () => {
  const count = 8
  /** Another value than the entry's for each field. */
  const OTHERS: NonNullable<HistoryExportEntry['entry']> = {
    id: organizationId,
    at: '2026-03-01T10:00:00.000001Z',
    actor: 'eve',
    channel: 'cli',
    action: 'key.created',
    aboutKind: 'member',
    aboutId: 'k0',
    version: 99,
    commitment: 'cd'.repeat(32),
  }
  const fields = Object.keys(OTHERS) as (keyof typeof OTHERS)[]

  test('a change in any field of any entry is found at that entry', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: count }), fc.constantFrom(...fields), async (sequence, field) => {
        const lines = chain(count).map((line) =>
          'entry' in line && line.sequence === sequence ? { ...line, entry: { ...line.entry, [field]: OTHERS[field] } } : line,
        )
        expect((await verified(lines)).fault).toMatchObject({ reason: 'changed', sequence })
      }),
    )
  })

  test('one taken out, doubled, or moved is found', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: count }),
        fc.integer({ min: 1, max: count }),
        fc.constantFrom('out', 'doubled', 'moved'),
        async (from, to, what) => {
          fc.pre(what !== 'moved' || from !== to)
          const lines: object[] = chain(count)
          const [line] = what === 'doubled' ? [lines[from] as object] : lines.splice(from, 1)
          if (what !== 'out') lines.splice(to, 0, line as object)
          const report = await verified(lines)
          // Without the last one the rest is a whole chain: only a head tells.
          if (what === 'out' && from === count) {
            const { fault } = await verified(lines, { heads: [headAt(chain(count).slice(1) as HistoryExportEntry[], count)] })
            expect(fault).toMatchObject({ reason: 'cutTail', sequence: count })
          } else expect(report.fault).not.toBeNull()
        },
      ),
    )
  })

  test('a past that was sealed anew is found by a head, and by nothing else', async () => {
    const [, ...before] = chain(4)
    const [start, ...after] = chain(4)
    let previous = GENESIS
    const rewritten = after.map((line) => {
      const entry = {
        ...(line.entry as NonNullable<typeof line.entry>),
        actor: line.sequence === 2 ? 'eve' : (line.entry?.actor ?? ''),
      }
      const hash = hashOf({ organizationId, sequence: line.sequence ?? 0, previous }, entry)
      const sealed = { ...line, entry, previous, hash }
      previous = hash
      return sealed
    })
    expect((await verified([start, ...rewritten])).fault).toBeNull()
    const { fault } = await verified([start, ...rewritten], { heads: [headAt(before, 3)], keys: publicKeysOf(ring) })
    expect(fault).toMatchObject({ reason: 'rewritten', sequence: 3 })
  })
})

test('a history that begins after a checkpoint holds, unless it is not signed or was a head', async () => {
  const [start, ...entries] = chain(6)
  const rest = entries.slice(3)
  const place = { organizationId, sequence: 3, hash: entries[2]?.hash ?? '', at }
  const from = (checkpoint: object) => verified([{ ...start, checkpoint }, ...rest], { keys: publicKeysOf(ring) })
  const checkpoint = signPlace(ring, { purpose: 'checkpoint', ...place })
  expect(await from(checkpoint)).toMatchObject({ fault: null, checkpoint: 3, entries: 3 })
  expect((await verified([start, ...rest])).fault).toMatchObject({ reason: 'missing', sequence: 1 })
  const passedOff = { ...signPlace(ring, { purpose: 'head', ...place }), purpose: 'checkpoint' }
  expect((await from(passedOff)).fault).toMatchObject({ reason: 'forged', sequence: 3 })
  expect((await from({ ...checkpoint, sequence: 2 })).fault).toMatchObject({ reason: 'forged' })
})

test('a file that was cut on its way, or is no export, is told apart from a history that was changed', async () => {
  const lines = chain(3).map((line) => JSON.stringify(line))
  const read = async (texts: readonly string[]) =>
    (
      await verifyHistory(
        (async function* () {
          yield* texts
        })(),
        { heads: [], keys: null },
      )
    ).fault
  expect(await read(lines)).toMatchObject({ reason: 'incomplete' })
  expect(await read([...lines, '{"type":"end","entries":4}'])).toMatchObject({ reason: 'incomplete' })
  expect(await read(['<html>'])).toMatchObject({ reason: 'damaged', line: 1 })
  expect(await read([])).toMatchObject({ reason: 'incomplete' })
})
