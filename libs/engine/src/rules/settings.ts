import type { OrganizationSettings, RuleSettings } from '@tocsin/contracts'
import { compileSelectionData, SelectionError } from '@tocsin/sigma'
import { Calendar } from './calendar.ts'
import { PATTERN_TRAITS } from './patterns.ts'

/** Something in an organization's settings that cannot be run; `pointer` is a JSON pointer from the settings on. */
export interface SettingsFault {
  readonly pointer: string
  readonly detail: string
}

/** What an organization sets for one rule. */
export function ruleSettingsOf({ rules }: OrganizationSettings, ruleId: string): RuleSettings {
  return rules !== undefined && Object.hasOwn(rules, ruleId) ? (rules[ruleId] as RuleSettings) : {}
}

/** What of the settings a version of a rule runs under; small enough to be kept with it. */
export function termsFor({ exceptions: _, rules: __, ...settings }: OrganizationSettings, own: RuleSettings, ruleId: string) {
  return Object.keys(own).length === 0 ? settings : { ...settings, rules: { [ruleId]: own } }
}

/** What the contract cannot say of exceptions and of what is set for single rules. Empty when all can be run. */
export function detectionFaults(settings: OrganizationSettings): SettingsFault[] {
  return [...saidTwice(settings), ...exceptionFaults(settings)]
}

/** @throws RangeError that names every place that cannot be run, an unknown zone among them */
export function checkSettings(settings: OrganizationSettings): void {
  new Calendar({ start: 0, end: 0 }, settings)
  const faults = detectionFaults(settings)
  if (faults.length > 0) throw new RangeError(faults.map(({ pointer, detail }) => `/settings${pointer}: ${detail}`).join('; '))
}

/** A figure of a built-in rule that is set under the seed's name and, differently, under the rule's id: neither wins. */
function* saidTwice(settings: OrganizationSettings): Generator<SettingsFault> {
  for (const { builtIn, threshold, timeWindow } of Object.values(PATTERN_TRAITS)) {
    const own = ruleSettingsOf(settings, builtIn)
    for (const [name, figure] of [
      [threshold, 'threshold'],
      [timeWindow, 'timespanMs'],
    ] as const) {
      const general = name === undefined ? undefined : settings[name]
      if (general === undefined || own[figure] === undefined || own[figure] === general) continue
      yield {
        pointer: `/rules/${builtIn}/${figure}`,
        detail: `"${name}" sets it to something else: set one of the two, or both alike`,
      }
    }
  }
}

function* exceptionFaults({ exceptions = [] }: OrganizationSettings): Generator<SettingsFault> {
  const ids = new Set<string>()
  for (const [index, { id, match, expiresAt }] of exceptions.entries()) {
    const pointer = `/exceptions/${index}`
    if (ids.has(id)) yield { pointer: `${pointer}/id`, detail: `two exceptions are called "${id}"` }
    ids.add(id)
    if (expiresAt !== null && Number.isNaN(Date.parse(expiresAt)))
      yield { pointer: `${pointer}/expiresAt`, detail: 'no such time' }
    try {
      compileSelectionData(match)
    } catch (error) {
      if (!(error instanceof SelectionError)) throw error
      yield { pointer: `${pointer}/match${error.pointer}`, detail: error.message }
    }
  }
}
