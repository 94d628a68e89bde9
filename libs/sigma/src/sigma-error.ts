/** Where something stands in a rule's text; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/**
 * A document is refused: nothing of the text is in force. `message` is the sentence alone, for people;
 * `toString()` puts `file:line:column` before it.
 */
export class SigmaError extends Error {
  readonly code = 'SIGMA_REFUSED'
  readonly file: string
  readonly line: number
  readonly column: number

  constructor(message: string, place: Position & { readonly file: string }) {
    super(message)
    this.name = 'SigmaError'
    this.file = place.file
    this.line = place.line
    this.column = place.column
  }

  override toString(): string {
    return `${this.file}:${this.line}:${this.column}: ${this.message}`
  }
}
