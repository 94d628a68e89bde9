import { allOf, anyOf, named, not, type Predicate } from './predicate.ts'
import { compileWildcard, parseWildcard } from './wildcard.ts'

/**
 * The condition's grammar, weakest binding first: `or`, `and`, `not`, `1|any|all of PATTERN|them`, parentheses.
 * Identifiers that begin with `_` are left out of `them` and of patterns.
 */

interface Token {
  readonly text: string
  readonly at: number
}

/** A fault, `at` characters into the condition. */
class ConditionFault extends Error {
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

const KEYWORDS: ReadonlySet<string> = new Set(['or', 'and', 'not', 'of', 'them'])
/** Nesting of parentheses and chains of `not`. */
const MAX_DEPTH = 64
/** Selections that a condition may name, those of its patterns included. */
const MAX_NAMED = 10_000

/**
 * @param refuse called with the fault's sentence and its place in `text`; must not return
 * @throws what `refuse` throws
 */
export function compileCondition(
  text: string,
  selections: ReadonlyMap<string, Predicate>,
  refuse: (message: string, at: number) => never,
): Predicate {
  try {
    return new Parser(text, selections).parse()
  } catch (error) {
    if (error instanceof ConditionFault) return refuse(error.message, error.at)
    throw error
  }
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #end: number
  readonly #selections: ReadonlyMap<string, Predicate>
  #next = 0
  #depth = 0
  #named = 0

  constructor(text: string, selections: ReadonlyMap<string, Predicate>) {
    this.#tokens = tokenize(text)
    this.#end = text.length
    this.#selections = selections
  }

  parse(): Predicate {
    if (this.#tokens.length === 0) throw new ConditionFault('The condition is empty.', 0)
    const predicate = this.#or()
    const rest = this.#peek()
    if (rest !== undefined) throw new ConditionFault(`"${rest.text}" is not expected here.`, rest.at)
    return predicate
  }

  #or(): Predicate {
    const parts = [this.#and()]
    while (this.#take('or')) parts.push(this.#and())
    return anyOf(parts)
  }

  #and(): Predicate {
    const parts = [this.#not()]
    while (this.#take('and')) parts.push(this.#not())
    return allOf(parts)
  }

  #not(): Predicate {
    let negated = false
    while (this.#take('not')) negated = !negated
    const part = this.#primary()
    return negated ? not(part) : part
  }

  #primary(): Predicate {
    const token = this.#tokens[this.#next]
    if (token === undefined) throw new ConditionFault('The condition ends where a selection is expected.', this.#end)
    this.#next += 1
    if (token.text === '(') return this.#parentheses(token)
    if (this.#is('of')) return this.#quantifier(token)
    if (token.text === ')' || KEYWORDS.has(token.text.toLowerCase())) {
      throw new ConditionFault(`"${token.text}" stands where a selection is expected.`, token.at)
    }
    const selection = this.#selections.get(token.text)
    if (selection === undefined)
      throw new ConditionFault(`The condition names "${token.text}", which is not a selection of this rule.`, token.at)
    this.#count(1, token)
    return named(token.text, selection)
  }

  #parentheses(open: Token): Predicate {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw new ConditionFault(`Parentheses are nested deeper than ${MAX_DEPTH}.`, open.at)
    const inner = this.#or()
    if (!this.#take(')')) throw new ConditionFault('A closing parenthesis is missing.', this.#peek()?.at ?? this.#end)
    this.#depth -= 1
    return inner
  }

  #quantifier(quantity: Token): Predicate {
    this.#next += 1
    const word = quantity.text.toLowerCase()
    if (word !== '1' && word !== 'any' && word !== 'all') {
      throw new ConditionFault(`"${quantity.text} of" is not supported: write "1 of", "any of" or "all of".`, quantity.at)
    }
    const pattern = this.#tokens[this.#next]
    if (pattern === undefined) throw new ConditionFault(`"${quantity.text} of" needs a pattern or "them".`, this.#end)
    this.#next += 1
    const chosen = this.#matching(pattern)
    if (chosen.length === 0)
      throw new ConditionFault(`"${quantity.text} of ${pattern.text}" matches no selection of this rule.`, pattern.at)
    this.#count(chosen.length, pattern)
    return named(`${quantity.text} of ${pattern.text}`, word === 'all' ? allOf(chosen) : anyOf(chosen))
  }

  #count(more: number, { at }: Token): void {
    this.#named += more
    if (this.#named > MAX_NAMED)
      throw new ConditionFault(`The condition names more than ${MAX_NAMED} selections once its patterns are written out.`, at)
  }

  #matching({ text }: Token): Predicate[] {
    const chosen = compileWildcard(parseWildcard(text.toLowerCase() === 'them' ? '*' : text), false)
    return [...this.#selections]
      .filter(([name]) => !name.startsWith('_') && chosen(name))
      .map(([name, predicate]) => named(name, predicate))
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next]
  }

  #is(word: string): boolean {
    return this.#peek()?.text.toLowerCase() === word
  }

  #take(word: string): boolean {
    if (!this.#is(word)) return false
    this.#next += 1
    return true
  }
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const pattern = /\s+|([()])|([\p{L}\p{N}_.*-]+)|(.)/gsu
  for (const match of text.matchAll(pattern)) {
    const [, parenthesis, word, other] = match
    if (other === '|') {
      throw new ConditionFault(
        'Aggregations after a pipe are not supported: write a correlation document (event_count, value_count, …).',
        match.index,
      )
    }
    if (other !== undefined) throw new ConditionFault(`The character "${other}" is not expected in a condition.`, match.index)
    const token = parenthesis ?? word
    if (token !== undefined) tokens.push({ text: token, at: match.index })
  }
  return tokens
}
