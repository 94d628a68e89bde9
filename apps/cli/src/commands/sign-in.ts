import { join } from 'node:path'
import { issueSignInLink, loadKeyRing, verifyToken } from '@tocsin/access'
import { type Places, readConnection } from '../connection.ts'
import type { Output } from '../output.ts'

/** `tocsin sign-in`: another one-time link for the dashboard of this machine, as `npm start` prints one. Returns the exit code. */
export async function printSignInLink(places: Places, output: Output): Promise<number> {
  const { gateway, token } = readConnection(places)
  const keys = await loadKeyRing(join(places.local, 'keys.json'))
  const { subject } = await verifyToken(keys, token)
  output.result(await issueSignInLink(keys, gateway, subject))
  return 0
}
