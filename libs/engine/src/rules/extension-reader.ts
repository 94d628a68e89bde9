import type { Severity } from '@tocsin/contracts'
import { type SigmaDocument, SigmaError } from '@tocsin/sigma'
import { DAY_MS, type DurationMs, UNIT_MS } from '../time.ts'

export type Path = readonly (string | number)[]
export type Data = Readonly<Record<string, unknown>>

/** Longest cooldown and lateness (contracts: OrganizationSettings). */
const MAX_KEPT_MS = 7 * DAY_MS
const LEVELS: Readonly<Record<string, Severity>> = {
  informational: 'INFO',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  critical: 'CRITICAL',
}

export function severityOfLevel(level: string): Severity {
  return LEVELS[level] ?? 'MEDIUM'
}

/** Reads `x-tocsin` of a document and refuses, by place, what is not understood. */
export class ExtensionReader {
  readonly #document: SigmaDocument
  readonly #file: string

  constructor(document: SigmaDocument, file: string) {
    this.#document = document
    this.#file = file
  }

  refuse(path: Path, message: string, at: 'key' | 'value' = 'value'): never {
    const place = this.#document.positionOf(['x-tocsin', ...path], at)
    throw new SigmaError(message, { file: this.#file, ...place })
  }

  map(value: unknown, path: Path): Data {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Data
    return this.refuse(path, `"${['x-tocsin', ...path].join('.')}" must be a map.`)
  }

  only(map: Data, path: Path, known: readonly string[]): void {
    for (const key of Object.keys(map)) {
      if (known.includes(key)) continue
      const where = ['x-tocsin', ...path].join('.')
      this.refuse([...path, key], `"${key}" is not known under "${where}".`, 'key')
    }
  }

  oneOf<T extends string>(map: Data, path: Path, key: string, words: readonly T[]): T | null {
    const value = map[key]
    if (value === undefined) return null
    return words.find((word) => word === value) ?? this.refuse([...path, key], `"${key}" must be one of ${words.join(', ')}.`)
  }

  text(map: Data, path: Path, key: string, limit: number): string | null {
    const value = map[key]
    if (value === undefined) return null
    if (typeof value === 'string' && value.trim() !== '' && value.length <= limit) return value
    return this.refuse([...path, key], `"${key}" must be text of at most ${limit} characters.`)
  }

  flag(map: Data, path: Path, key: string): boolean {
    const value = map[key]
    if (value === undefined || typeof value === 'boolean') return value === true
    return this.refuse([...path, key], `"${key}" must be true or false.`)
  }

  texts(map: Data, path: Path, key: string): readonly string[] | null {
    const value = map[key]
    if (value === undefined) return null
    const list = Array.isArray(value) ? value : [value]
    if (list.length > 0 && list.length <= 8 && list.every((item) => typeof item === 'string' && item !== '')) return list
    return this.refuse([...path, key], `"${key}" must be the name of a field, or a list of up to 8.`)
  }

  integer(map: Data, path: Path, key: string, least: number, most: number): number | null {
    const value = map[key]
    if (value === undefined) return null
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
    return this.refuse([...path, key], `"${key}" must be a whole number from ${least} to ${most}.`)
  }

  duration(map: Data, key: string): DurationMs | null {
    const value = map[key]
    if (value === undefined) return null
    const [, amount, unit = ''] = (typeof value === 'string' ? /^(\d{1,9})([smhd])$/.exec(value) : null) ?? []
    const duration = Number(amount) * (UNIT_MS[unit] ?? Number.NaN)
    if (duration >= 0 && duration <= MAX_KEPT_MS) return duration
    return this.refuse([key], `"${key}" must be a whole number of s, m, h or d, at most 7d, such as 5m.`)
  }

  level(map: Data, path: Path): Severity {
    const level = this.oneOf(map, path, 'level', Object.keys(LEVELS))
    return level === null ? this.refuse(path, '"level" is missing.') : severityOfLevel(level)
  }

  required<T>(value: T | null, path: Path, key: string): T {
    return value ?? this.refuse(path, `"${key}" is missing.`)
  }
}
