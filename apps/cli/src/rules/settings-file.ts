import { readFileSync } from 'node:fs'
import type { SettingsOf } from '@tocsin/backtest'
import { OrganizationSettings } from '@tocsin/contracts'
import { checkSettings } from '@tocsin/engine'
import { messageOf, TerminalError } from '@tocsin/errors'
import { Compile } from 'typebox/compile'

const contract = Compile(OrganizationSettings)

/**
 * Settings of organizations from a JSON file: those of all of them, or a map from organization ids to settings (`*`: of the others).
 * @throws TerminalError that names what is wrong
 */
export function readSettings(file: string): SettingsOf {
  const value = parse(file)
  if (contract.Check(value)) {
    const settings = checked(file, value)
    return () => settings
  }
  if (typeof value !== 'object' || value === null) throw new TerminalError(`${file} holds no settings.`)
  const byOrganization = new Map(
    Object.entries(value).map(([id, settings]: [string, unknown]) => [id.toLowerCase(), checked(`${file}, ${id}`, settings)]),
  )
  return (organizationId) => byOrganization.get(organizationId.toLowerCase()) ?? byOrganization.get('*') ?? {}
}

function checked(place: string, value: unknown): OrganizationSettings {
  if (!contract.Check(value)) {
    const faults = contract.Errors(value).slice(0, 5)
    throw new TerminalError(
      `${place}: these are no settings: ${faults.map(({ instancePath, message }) => `${instancePath || '/'} ${message}`).join('; ')}`,
    )
  }
  try {
    checkSettings(value)
  } catch (error) {
    throw new TerminalError(`${place}: ${messageOf(error)}`, { cause: error })
  }
  return value
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new TerminalError(`${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
