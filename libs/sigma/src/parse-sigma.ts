import type { SigmaDocument } from './document.ts'

export interface SigmaOptions {
  /** Name shown in errors. */
  readonly file?: string
}

/** @throws SigmaError */
export function parseSigma(_text: string, _options: SigmaOptions = {}): SigmaDocument[] {
  throw new Error('being written')
}
