import { expect, test } from 'vitest'
import { csvLine } from './csv.ts'

test('a text that a spreadsheet would run is put behind an apostrophe, a number is not', () => {
  for (const text of ['=HYPERLINK("http://x")', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])
    expect(csvLine([text]).replaceAll('"', '').startsWith("'")).toBe(true)
  expect(csvLine(['a=b', -1, null, true, ''])).toBe('a=b,-1,,true,\r\n')
})

test('quotes, commas and line ends stay within their cell', () => {
  expect(csvLine(['a "b"', 'c,d', 'e\nf'])).toBe('"a ""b""","c,d","e\nf"\r\n')
})
