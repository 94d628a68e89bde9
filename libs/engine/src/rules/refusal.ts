import { type SigmaDocument, SigmaError } from '@tocsin/sigma'

/** Refuses a rule file at the place of one of its values. */
export type Refuse = (path: readonly (string | number)[], message: string) => never

export const refusalsOf =
  (document: SigmaDocument, file: string): Refuse =>
  (path, message) => {
    throw new SigmaError(message, { file, ...document.positionOf(path) })
  }
