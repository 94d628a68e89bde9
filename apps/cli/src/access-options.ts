/** What every command is told that asks a running Tocsin about one organization. */
import type { Command } from 'commander'
import { type Given, gatewayOf, type Places, tokenOf } from './connection.ts'
import type { Output } from './output.ts'

export interface AccessFlags extends Given {
  readonly organization?: string | undefined
  readonly json?: boolean | undefined
}

export interface Access {
  readonly url: string
  readonly token: string
  readonly organizationId: string | undefined
  readonly json: boolean | undefined
  readonly output: Output
}

export const withAccess = (command: Command): Command =>
  command
    .option('--organization <id>', "organization; else the token's only one")
    .option('--url <url>', 'front door')
    .option('--token <token>', 'bearer token')
    .option('--json', 'the answer as JSON')

/** Whatever else `flags` hold is left out. */
export const accessFrom =
  (places: Places, output: Output) =>
  ({ organization, json, url, token }: AccessFlags): Access => {
    const given: Given = { url, token }
    return { url: gatewayOf(given, places), token: tokenOf(given, places), organizationId: organization, json, output }
  }
