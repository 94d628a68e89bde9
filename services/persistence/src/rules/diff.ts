import { HttpProblem } from '@tocsin/errors'
import { createTwoFilesPatch } from 'diff'

/** Texts that differ in most of their lines cost the square of that. */
const DIFF_LIMIT_MS = 100

export interface DiffSide {
  readonly version: number
  readonly content: string
}

/** Unified, with three lines of context; empty where the texts are equal. @throws HttpProblem 422 TOO_DIFFERENT */
export function unifiedDiff(ruleId: string, from: DiffSide, to: DiffSide): string {
  if (from.content === to.content) return ''
  const names = [`${ruleId} ${from.version}`, `${ruleId} ${to.version}`] as const
  const patch = createTwoFilesPatch(...names, from.content, to.content, '', '', { context: 3, timeout: DIFF_LIMIT_MS })
  if (patch === undefined)
    throw new HttpProblem(422, 'TOO_DIFFERENT', 'The two texts have too little in common for a list of changes. Read them both.')
  return patch
}
