/** Where the local start keeps things. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
/** Data, logs, keys and addresses of `npm start`; another folder in tests of the start itself. */
export const LOCAL = process.env['TOCSIN_LOCAL_DIR'] ?? join(CHECKOUT, '.local')
/** Jars, binaries and the built dashboard; kept by `npm run reset`. */
export const CACHE = join(CHECKOUT, '.local', 'cache')
