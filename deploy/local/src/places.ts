/** Where the local start keeps things. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
export const LOCAL = join(CHECKOUT, '.local')
/** Jars and binaries; kept by `npm run reset`. */
export const CACHE = join(LOCAL, 'cache')
