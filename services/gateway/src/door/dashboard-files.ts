import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import files from '@fastify/static'
import { HttpProblem } from '@tocsin/errors'
import type { HttpServer } from '@tocsin/http'
import { PAGE_HEADERS } from './security-headers.ts'

const YEAR_MS = 31_536_000_000
/** Vite puts a hash of the content into these names. */
const HASHED = /^assets\//
/** Addresses that are given out as links: also curl and link checkers, which have no preference, get the page. */
const LINKED = /^alerts\/[^/.]+$/

/** Serves the built dashboard: its files, and index.html for every other address that a browser asks for as a page. */
export async function registerDashboard(app: HttpServer, folder: string): Promise<void> {
  const directory = resolve(folder)
  if (existsSync(directory)) await app.register(files, { root: directory, serve: false, cacheControl: false, dotfiles: 'deny' })
  app.get('/*', { exposeHeadRoute: true }, async (request, reply) => {
    reply.headers(PAGE_HEADERS)
    const path = (request.params as { readonly '*': string })['*']
    if (path !== '' && path !== 'index.html' && (await isFile(directory, path))) {
      reply.header('cache-control', HASHED.test(path) ? `public, max-age=${YEAR_MS / 1000}, immutable` : 'no-cache')
      return reply.sendFile(path)
    }
    const { accept = '*/*' } = request.headers
    const wantsPage =
      accept.includes('text/html') || path === '' || path === 'index.html' || (LINKED.test(path) && accept.includes('*/*'))
    if (HASHED.test(path) || !wantsPage) throw new HttpProblem(404, 'NOT_FOUND', 'There is nothing at this address.')
    if (!(await isFile(directory, 'index.html')))
      throw new HttpProblem(503, 'DASHBOARD_NOT_BUILT', 'The dashboard has not been built: npm start builds it.', {
        headers: { 'retry-after': '5' },
      })
    reply.header('cache-control', 'no-cache')
    return reply.sendFile('index.html')
  })
}

async function isFile(directory: string, path: string): Promise<boolean> {
  if (path.includes('\0') || path.split(/[\\/]/).includes('..')) return false
  return stat(join(directory, path)).then(
    (found) => found.isFile(),
    () => false,
  )
}
