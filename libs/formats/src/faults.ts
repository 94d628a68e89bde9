import type { FieldError, RejectionCode } from '@tocsin/contracts'

/** Most faults told of one item: a hostile item must not make a large answer. */
export const MAX_FAULTS = 20

export type Path = readonly (string | number)[]

/** RFC 6901. */
export const pointerOf = (path: Path): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

export const fault = (code: RejectionCode, path: Path, detail: string): FieldError => ({ code, pointer: pointerOf(path), detail })

/** Collects faults of one item, up to MAX_FAULTS. */
export class Faults {
  readonly list: FieldError[] = []

  add(code: RejectionCode, path: Path, detail: string): void {
    if (this.list.length < MAX_FAULTS) this.list.push(fault(code, path, detail))
  }
}
