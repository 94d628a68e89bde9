import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { HistoryHead, HistoryKeys } from '@tocsin/contracts'
import { messageOf, TerminalError } from '@tocsin/errors'
import { HISTORY_FAULTS, type HistoryReport, verifyHistory } from '@tocsin/history'
import { Value } from 'typebox/value'
import { type Output, plain } from '../output.ts'

export interface VerifyFlags {
  /** NDJSON of GET /api/history/export. */
  readonly export: string
  /** Heads that left the database: one, NDJSON of several, or an answer of GET /api/history/heads. */
  readonly head?: string | undefined
  /** Public keys (JSON Web Key Set), or an answer of GET /api/history/heads. */
  readonly keys?: string | undefined
  readonly json?: boolean | undefined
}

/** `tocsin verify`: needs the files and nothing else. 0: the history is as it was sealed; 1: it is not, and where. */
export async function verify(flags: VerifyFlags, output: Output): Promise<number> {
  const heads = flags.head === undefined ? [] : await readHeads(flags.head)
  const keys = flags.keys === undefined ? null : await readKeys(flags.keys)
  const report = await verifyHistory(linesOf(flags.export), { heads, keys })
  const foreign = heads.length > 0 && report.heads + report.headsBeforeCheckpoint === 0
  if (flags.json === true) output.result(JSON.stringify(report))
  else output.result(plainLines(describe(report, keys !== null)))
  if (foreign) output.note(`${flags.head} has no head of this organization: nothing was compared`)
  return report.fault === null && !foreign ? 0 : 1
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file)
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) if (line !== '') yield line
  } catch (error) {
    throw new TerminalError(`${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

async function readHeads(file: string): Promise<HistoryHead[]> {
  const values = await readValues(file)
  const found = values.flatMap((value) =>
    typeof value === 'object' && value !== null && 'heads' in value && Array.isArray(value.heads) ? value.heads : [value],
  )
  const heads = found.filter((value): value is HistoryHead => Value.Check(HistoryHead, value))
  if (heads.length < found.length || heads.length === 0) throw new TerminalError(`${file} holds something that is no head`)
  return heads
}

async function readKeys(file: string): Promise<HistoryKeys> {
  const [value] = await readValues(file)
  if (!Value.Check(HistoryKeys, value)) throw new TerminalError(`${file} holds no public keys ({"keys": [...]})`)
  return value
}

/** One JSON value, or one a line. */
async function readValues(file: string): Promise<unknown[]> {
  try {
    const text = await readFile(file, 'utf8')
    const whole = parsed(text)
    return whole === undefined ? text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line)])) : [whole]
  } catch (error) {
    throw new TerminalError(`${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function describe(report: HistoryReport, signaturesChecked: boolean): string[] {
  const { organizationId, entries, erased, unsealed, checkpoint, last, heads, headsBeforeCheckpoint, fault } = report
  if (fault !== null) {
    const place = fault.sequence === null ? '' : ` at sequence ${fault.sequence}`
    return [
      `NOT as it was sealed${place}: ${HISTORY_FAULTS[fault.reason]}${fault.line === null ? '' : ` (line ${fault.line})`}`,
      `entries before it that hold: ${entries}`,
    ]
  }
  const when = (condition: boolean, text: string) => (condition ? [text] : [])
  return [
    `history of ${organizationId}: ${entries} entries hold${last === null ? '' : `, up to sequence ${last.sequence}, hash ${last.hash}`}`,
    ...when(checkpoint !== null, `it begins after the checkpoint ${checkpoint}: retention cut what came before`),
    ...when(erased > 0, `payload erased: ${erased}; what was done, by whom and when still holds`),
    ...when(unsealed > 0, `not sealed yet, so not proven: ${unsealed}`),
    heads === 0
      ? 'no head compared: a cut tail or a rewritten past shows only with --head'
      : `heads compared: ${heads}${headsBeforeCheckpoint === 0 ? '' : `, and ${headsBeforeCheckpoint} lie before the checkpoint`}`,
    ...when(!signaturesChecked && (heads > 0 || checkpoint !== null), 'signatures were not checked: give --keys'),
  ]
}

const plainLines = (lines: readonly string[]): string => lines.map(plain).join('\n')
