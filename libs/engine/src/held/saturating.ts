/** Totals stop here: beyond it a double no longer tells integers apart (detection.md §3, BULK_OPERATION). */
export const MAX_TOTAL = Number.MAX_SAFE_INTEGER

/** Within the range either way. */
export const saturated = (total: number): number => Math.max(-MAX_TOTAL, Math.min(MAX_TOTAL, total))

export const saturatingAdd = (total: number, weight: number): number => (total > MAX_TOTAL - weight ? MAX_TOTAL : total + weight)
