import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openApi } from '@tocsin/contracts/open-api'
import type { HttpServer } from '@tocsin/http'
import { PAGE_HEADERS } from './security-headers.ts'

const FOLDER = fileURLToPath(new URL('../api-docs/', import.meta.url))
/** The reference page: files of our own, so that it works under the policy of every page and without the internet. */
const FILES = {
  '/api/docs': ['index.html', 'text/html; charset=utf-8'],
  '/api/docs/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/api/docs/page.css': ['page.css', 'text/css; charset=utf-8'],
} as const

/** The API's document and a page that shows it; both say what the schemas say, and nobody has to sign in for them. */
export function registerApiDocs(app: HttpServer): void {
  const document = JSON.stringify(openApi())
  app.get('/api/openapi.json', async (_request, reply) =>
    reply.headers({ 'cache-control': 'no-cache', 'content-type': 'application/json; charset=utf-8' }).send(document),
  )
  for (const [address, [file, type]] of Object.entries(FILES)) {
    const content = readFileSync(`${FOLDER}${file}`)
    app.get(address, async (_request, reply) =>
      reply.headers({ ...PAGE_HEADERS, 'cache-control': 'no-cache', 'content-type': type }).send(content),
    )
  }
}
