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
