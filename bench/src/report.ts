import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, type Machine } from './machine.ts'

/** One line of a result. */
export interface Row {
  readonly figure: string
  readonly unit: string
  /** A text says why there is none. */
  readonly got: number | string
  /** What the figure should be; null: told for its own sake. */
  readonly reach: { readonly op: '>=' | '<='; readonly value: number } | null
}
export interface Result {
  readonly bench: string
  readonly machine: Machine
  /** What was measured, with its sizes and seed, in a sentence or two for each part. */
  readonly what: readonly string[]
  readonly rows: readonly Row[]
}

const FAILED = 'failed: '
/** In the place of figures that could not be measured. */
export const failedRow = (figure: string, error: unknown): Row => ({
  figure,
  unit: '',
  got: `${FAILED}${String((error as Error).message ?? error).split('\n', 1)[0]}`,
  reach: null,
})
export const hasFailed = ({ got }: Row): boolean => typeof got === 'string' && got.startsWith(FAILED)

/** Null where nothing was asked or nothing was measured. */
export const holds = ({ got, reach }: Row): boolean | null =>
  reach === null || typeof got === 'string' ? null : reach.op === '>=' ? got >= reach.value : got <= reach.value

const HEADINGS = ['figure', 'reach', 'got', 'holds'] as const

/** Also a Markdown table but for the outer bars. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const verdict = holds(row)
    return [
      row.figure,
      row.reach === null ? '' : `${row.reach.op} ${row.reach.value}`,
      typeof row.got === 'string' ? row.got : `${shown(row.got)} ${row.unit}`.trim(),
      verdict === null ? '' : verdict ? 'yes' : 'no',
    ]
  })
  const widths = HEADINGS.map((heading, column) => Math.max(heading.length, ...lines.map((line) => line[column]?.length ?? 0)))
  const print = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(' | ')
      .trimEnd()
  return [print(HEADINGS), widths.map((width) => '-'.repeat(width)).join('-|-'), ...lines.map(print)].join('\n')
}

/** Writes the same rows as JSON to each of `files`. */
export function writeResult(result: Result, files: readonly string[]): void {
  const rows = result.rows.map((row) => ({ ...row, holds: holds(row) }))
  for (const file of files) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${JSON.stringify({ ...result, rows }, null, 2)}\n`)
  }
}

/** Puts the result in place of what lies between `<!-- NAME -->` and `<!-- /NAME -->` of a Markdown file. */
export function writeInto(file: string, result: Result): void {
  const [begin, end] = [`<!-- ${result.bench} -->`, `<!-- /${result.bench} -->`]
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no place ${begin} … ${end}`)
  const table = tableOf(result.rows).replace(/^/gm, '| ').replace(/$/gm, ' |')
  const notes = result.what.map((line) => `- ${line}`).join('\n')
  writeFileSync(
    file,
    `${text.slice(0, from + begin.length)}\n\n${describe(result.machine)}\n\n${table}\n\n${notes}\n\n${text.slice(to)}`,
  )
}

/** Whole numbers with separators, ratios and the like with three digits. */
const shown = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : Number(value.toPrecision(3)).toString()

/** The middle one of an odd count. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new RangeError('no values')
  return middle
}

/** The smallest value that at least that share of the values does not exceed. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
  if (value === undefined) throw new RangeError('no values')
  return value
}
