/** Text conditions of temporal correlations, as trees. */

export type TextCondition =
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'not'; readonly of: TextCondition }
  | { readonly kind: 'and' | 'or'; readonly of: readonly TextCondition[] }
  | { readonly kind: 'some'; readonly quantity: '1' | 'any' | 'all'; readonly pattern: string }

/** Every part in parentheses, so that nothing depends on precedence. */
export function textOfCondition(condition: TextCondition): string {
  switch (condition.kind) {
    case 'rule':
      return condition.name
    case 'not':
      return `not (${textOfCondition(condition.of)})`
    case 'some':
      return `${condition.quantity} of ${condition.pattern}`
    default:
      return condition.of.map((each) => `(${textOfCondition(each)})`).join(` ${condition.kind} `)
  }
}

export function holdsText(condition: TextCondition, met: ReadonlySet<string>, names: readonly string[]): boolean {
  switch (condition.kind) {
    case 'rule':
      return met.has(condition.name)
    case 'not':
      return !holdsText(condition.of, met, names)
    case 'and':
      return condition.of.every((each) => holdsText(each, met, names))
    case 'or':
      return condition.of.some((each) => holdsText(each, met, names))
    case 'some': {
      const { pattern, quantity } = condition
      const meant = names.filter((name) => pattern === 'them' || name.startsWith(pattern.replace('*', '')))
      return quantity === 'all' ? meant.every((name) => met.has(name)) : meant.some((name) => met.has(name))
    }
  }
}
