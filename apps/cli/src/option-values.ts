import { InvalidArgumentError } from 'commander'

/** An option that may be repeated. */
export const several = (value: string, before: readonly string[] = []): string[] => [...before, value]

export const severalOf =
  (choices: readonly string[]) =>
  (value: string, before: readonly string[] = []): string[] => {
    if (!choices.includes(value)) throw new InvalidArgumentError(`It is one of ${choices.join(', ')}.`)
    return [...before, value]
  }

export const wholeNumber = (min: number, max: number) => (value: string) => {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < min || number > max)
    throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`)
  return number
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90m`, `12h` or `7d` before `clock()`, or a time as it is: RFC 3339. */
export const sinceOf = (clock: () => number) => (value: string) => {
  const [, amount, unit = ''] = /^(\d{1,6})([mhd])$/.exec(value) ?? []
  const time = amount === undefined ? Date.parse(value) : clock() - Number(amount) * (UNIT_MS[unit] ?? 0)
  if (Number.isNaN(time)) throw new InvalidArgumentError('It is 90m, 12h, 7d, or a time in RFC 3339.')
  return new Date(time).toISOString()
}
