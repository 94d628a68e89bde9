/** What Slack's block kit would refuse in these blocks (docs.slack.dev/reference/block-kit), by path; empty: nothing. */
export function blocksWithin(blocks: readonly object[]): string[] {
  const faults: string[] = blocks.length > 50 ? ['more than 50 blocks'] : []
  const check = (part: unknown, limit: number, where: string) => {
    const text = (part as { text?: unknown } | undefined)?.text
    if (typeof text !== 'string' || text.length === 0 || text.length > limit)
      faults.push(`${where}: ${String(text).length} of ${limit}`)
  }
  for (const [index, block] of blocks.entries()) {
    const { type, text, fields, elements } = block as { type: string; text?: unknown; fields?: unknown[]; elements?: unknown[] }
    if (type === 'header') check(text, 150, `${index} header`)
    if (type === 'section' && text !== undefined) check(text, 3_000, `${index} section`)
    if (fields !== undefined && (fields.length === 0 || fields.length > 10)) faults.push(`${index}: ${fields.length} fields`)
    for (const field of fields ?? []) check(field, 2_000, `${index} field`)
    for (const element of elements ?? []) check(element, 3_000, `${index} context`)
  }
  return faults
}
