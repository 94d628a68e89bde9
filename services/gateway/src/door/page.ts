import type { FastifyReply } from 'fastify'
import { PAGE_HEADERS } from './security-headers.ts'

/** A page of two lines; all texts are ours. `open`: goes on to the dashboard. */
export function page(reply: FastifyReply, status: number, title: string, text: string, open = false) {
  const refresh = open ? '<meta http-equiv="refresh" content="0; url=/">' : ''
  return reply
    .code(status)
    .headers({ ...PAGE_HEADERS, 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8' })
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><meta name="viewport" content="width=device-width">${refresh}<title>${title} · Tocsin</title></head><body><main><h1>${title}</h1><p>${text}</p><p><a href="/">Dashboard</a></p></main></body></html>`,
    )
}
