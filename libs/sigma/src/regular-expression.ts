import { RE2JS } from 're2js'
import type { TextTest } from './wildcard.ts'

export interface ExpressionFlags {
  readonly ignoreCase: boolean
  readonly multiline: boolean
  readonly dotAll: boolean
}

/** Instructions of one compiled expression; stock rules stay below 500. */
const MAX_PROGRAM = 20_000

export type CompiledExpression = { readonly test: TextTest } | { readonly refused: string }

/** One program for all rules that use the same expression; forgotten together, should they ever be so many. */
const compiledBefore = new Map<string, CompiledExpression>()
const MAX_COMPILED = 10_000

/** Finds the expression anywhere in a text, in time linear in the text: so nothing that needs going back over it. */
export function compileExpression(pattern: string, flags: ExpressionFlags): CompiledExpression {
  const key = `${flags.ignoreCase}${flags.multiline}${flags.dotAll}${pattern}`
  const compiled = compiledBefore.get(key) ?? compile(pattern, flags)
  if (compiledBefore.size >= MAX_COMPILED) compiledBefore.clear()
  compiledBefore.set(key, compiled)
  return compiled
}

function compile(pattern: string, flags: ExpressionFlags): CompiledExpression {
  const unsupported = notLinear(pattern)
  if (unsupported !== undefined)
    return { refused: `${unsupported} cannot run in linear time and is not supported in regular expressions.` }
  let bits = 0
  if (flags.ignoreCase) bits |= RE2JS.CASE_INSENSITIVE
  if (flags.multiline) bits |= RE2JS.MULTILINE
  if (flags.dotAll) bits |= RE2JS.DOTALL
  try {
    const expression = RE2JS.compile(pattern, bits)
    if (expression.programSize() > MAX_PROGRAM)
      return { refused: 'The regular expression is too large once its repetitions are written out.' }
    return { test: remembering((text) => expression.test(text)) }
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error)
    return { refused: `The regular expression is not valid: ${reason}.` }
  }
}

/** Names the part that needs backtracking, for a clearer sentence than the parser's. Escaped characters and classes are left out. */
function notLinear(pattern: string): string | undefined {
  const bare = pattern.replace(/\\[^1-9k]/gs, '').replace(/\[\^?\]?[^\]]*\]/gs, '')
  if (/\(\?=|\(\?!/.test(bare)) return 'A lookahead'
  if (/\(\?<=|\(\?<!/.test(bare)) return 'A lookbehind'
  if (/\\[1-9]|\\k[<{']|\(\?P=/.test(bare)) return 'A back-reference'
  if (/\(\?>/.test(bare)) return 'An atomic group'
  return undefined
}

/** Answers for the same text at once: a rule may stand there in many variants, and they all look at the same field. */
function remembering(test: TextTest): TextTest {
  let last: string | undefined
  let answer = false
  return (text) => {
    if (text !== last) {
      answer = test(text)
      last = text
    }
    return answer
  }
}
