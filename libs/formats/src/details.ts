import { isObject } from './items.ts'
import type { Json, JsonObject } from './json-reader.ts'

const MAX_DEPTH = 8
const MAX_KEYS = 256

/**
 * Unknown keys as they are kept under `details`: at most 8 deep and 256 keys in all, in the order sent. What exceeds that is left
 * out here and is still in `raw`, which ingest keeps whenever there are details.
 */
export function detailsOf(unknown: JsonObject): JsonObject {
  let keysLeft = MAX_KEYS
  const copy = (value: Json, depth: number): Json | undefined => {
    if (typeof value !== 'object' || value === null) return value
    if (depth > MAX_DEPTH) return undefined
    if (Array.isArray(value)) return value.map((element) => copy(element, depth + 1) ?? null)
    const kept: JsonObject = {}
    for (const [key, child] of Object.entries(value)) {
      if (keysLeft === 0) break
      keysLeft--
      const inner = copy(child, depth + 1)
      if (inner === undefined) keysLeft++
      else kept[key] = inner
    }
    return kept
  }
  const details = copy(unknown, 1)
  return isObject(details) ? details : {}
}
