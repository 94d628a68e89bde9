import { isIP, isIPv6 } from 'node:net'

const MAPPED = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/

/** What sources write where they know no address. Never a subject: events of strangers must not be pooled under it. */
const NO_ADDRESS: ReadonlySet<string> = new Set(['unknown', '-', 'n/a', 'none', 'null'])

/**
 * One writing for one address: v4 as it is, v6 as RFC 5952 (lower case, shortest), IPv4-mapped v6 as v4.
 * Undefined when the text is no address.
 */
export function normalizeIp(text: string): string | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  const family = isIP(bare)
  if (family === 4) return bare
  if (family !== 6) return undefined
  const [address = '', zone] = bare.split('%')
  if (!isIPv6(address)) return undefined
  const host = new URL(`http://[${address}]/`).hostname
  const mapped = MAPPED.exec(host)
  if (mapped !== null) {
    const [high, low] = [Number.parseInt(mapped[1] ?? '0', 16), Number.parseInt(mapped[2] ?? '0', 16)]
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  }
  return host.slice(1, -1) + (zone === undefined ? '' : `%${zone}`)
}

export const meansNoAddress = (text: string): boolean => NO_ADDRESS.has(text.trim().toLowerCase()) || text.trim() === ''
