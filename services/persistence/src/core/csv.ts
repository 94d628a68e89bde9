/** CSV as RFC 4180 has it, for programs that take some cells for formulas. */

export type CsvCell = string | number | boolean | null

/** With these a cell begins that a spreadsheet runs. Numbers of ours are no texts of others and stay as they are. */
const FORMULA = /^[=+\-@\t\r]/
const NEEDS_QUOTES = /[",\r\n]/

/** One line with its end. A text that a spreadsheet would run gets an apostrophe before it. */
export const csvLine = (cells: readonly CsvCell[]): string => `${cells.map(cellText).join(',')}\r\n`

function cellText(cell: CsvCell): string {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell)
  const safe = FORMULA.test(cell) ? `'${cell}` : cell
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
