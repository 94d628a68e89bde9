const MONTH = /^(?:<\d+>)?([A-Z][a-z]{2}) [ \d]\d \d\d:/
const AFTER_THE_TURN = new Set(['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun'])

/** The year of each chunk of a log whose stamps have none: the next one from the chunk on that begins after a December. */
export function createYearCounter(first: number): (chunk: string) => number {
  let year = first
  let sawDecember = false
  return (chunk) => {
    const lines = chunk.split('\n')
    const beginsIn = MONTH.exec(lines[0] ?? '')?.[1] ?? ''
    if (sawDecember && AFTER_THE_TURN.has(beginsIn)) {
      year++
      sawDecember = false
    }
    const of = year
    // A turn within the chunk is read by ingest; what follows it is of the next year.
    let turned = false
    for (const line of lines) {
      const month = MONTH.exec(line)?.[1] ?? ''
      if (month === 'Dec') sawDecember = true
      else if (sawDecember && AFTER_THE_TURN.has(month)) turned = true
    }
    if (turned) {
      year++
      sawDecember = false
    }
    return of
  }
}
