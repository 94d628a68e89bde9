/** Where Tocsin runs on this machine, and with which keys: `.local/connection.json`, written by `npm start` when all is ready. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TerminalError } from '@tocsin/errors'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export interface Connection {
  readonly gateway: string
  readonly mailbox: string
  readonly organizationId: string
  readonly ingestKey: string
  readonly token: string
}

/** What the person said on the command line or in TOCSIN_URL, TOCSIN_KEY and TOCSIN_TOKEN; it wins over the file. */
export interface Given {
  readonly url?: string | undefined
  readonly key?: string | undefined
  readonly token?: string | undefined
}

export interface Places {
  /** The folder `.local` of the checkout; another one in tests. */
  readonly local: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export const placesOfProcess = (): Places => ({ local: process.env['TOCSIN_LOCAL'] ?? join(ROOT, '.local'), env: process.env })

/** The whole file, for what needs everything in it. Throws TerminalError when the system is not running here. */
export function readConnection(places: Places): Connection {
  const found = readOptional(places)
  if (found === undefined) throw notRunning(places)
  return found
}

export function gatewayOf(given: Given, places: Places): string {
  const url = given.url ?? places.env['TOCSIN_URL'] ?? readConnection(places).gateway
  if (!URL.canParse(url)) throw new TerminalError(`${url} is not a URL`)
  return url.replace(/\/+$/, '')
}

export const ingestKeyOf = (given: Given, places: Places): string =>
  given.key ?? places.env['TOCSIN_KEY'] ?? readConnection(places).ingestKey

export const tokenOf = (given: Given, places: Places): string =>
  given.token ?? places.env['TOCSIN_TOKEN'] ?? readConnection(places).token

/** The operator's token creates organizations; `npm start` leaves one for this machine. */
export function operatorTokenOf(given: Given, places: Places): string {
  const token = given.token ?? places.env['TOCSIN_OPERATOR_TOKEN']
  if (token !== undefined) return token
  const file = join(places.local, 'operator.token')
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new TerminalError(`No operator's token: ${file} is not there. Start Tocsin with npm start, or give --token.`, {
      cause: error,
    })
  }
}

function readOptional(places: Places): Connection | undefined {
  try {
    return JSON.parse(readFileSync(join(places.local, 'connection.json'), 'utf8')) as Connection
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new TerminalError(`${join(places.local, 'connection.json')} cannot be read: ${String(error)}`, { cause: error })
  }
}

const notRunning = (places: Places) =>
  new TerminalError(
    `Tocsin is not running here (no ${join(places.local, 'connection.json')}). Start it with npm start and wait until it is ready, or give --url and --key or --token.`,
  )
