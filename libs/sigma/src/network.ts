/** Addresses and networks in CIDR notation, v4 and v6. A v4 address written as v6 (`::ffff:1.2.3.4`) is that v4 address. */

type Address = readonly number[] // bytes: 4 or 16

const V4_BYTES = 4
const V6_GROUPS = 8
const MAPPED: Address = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/** undefined where the text is not an address. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) return parseV4(text)
  const bytes = parseV6(text)
  if (bytes !== undefined && MAPPED.every((byte, i) => bytes[i] === byte)) return bytes.slice(MAPPED.length)
  return bytes
}

/** Whether an address lies in the network; bits beyond the prefix are ignored. undefined where the text is not a network. */
export function compileNetwork(text: string): ((address: Address) => boolean) | undefined {
  const slash = text.indexOf('/')
  const base = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (base === undefined) return undefined
  const mapped = text.includes(':') && base.length === V4_BYTES ? MAPPED.length * 8 : 0
  const length = slash < 0 ? base.length * 8 : prefixLength(text.slice(slash + 1), base.length * 8 + mapped) - mapped
  if (!(length >= 0)) return undefined
  const whole = length >> 3
  const rest = (0xff << (8 - (length & 7))) & 0xff
  return (address) => {
    if (address.length !== base.length) return false
    for (let i = 0; i < whole; i += 1) if (address[i] !== base[i]) return false
    return rest === 0 || (((address[whole] ?? 0) ^ (base[whole] ?? 0)) & rest) === 0
  }
}

const prefixLength = (text: string, max: number): number =>
  /^\d{1,3}$/.test(text) && Number(text) <= max ? Number(text) : Number.NaN

function parseV4(text: string): Address | undefined {
  const parts = text.split('.')
  if (parts.length !== V4_BYTES) return undefined
  const bytes = parts.map((part) => (/^(?:0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256))
  return bytes.every((byte) => byte < 256) ? bytes : undefined
}

function parseV6(text: string): Address | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [left, right] = halves.map((half) => (half === '' ? [] : v6Groups(half)))
  if (left === undefined || (halves.length === 2 && right === undefined)) return undefined
  const missing = V6_GROUPS - left.length - (right?.length ?? 0)
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  return [...left, ...new Array<number>(missing).fill(0), ...(right ?? [])].flatMap((group) => [group >> 8, group & 0xff])
}

function v6Groups(text: string): number[] | undefined {
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    const v4 = i === parts.length - 1 && part.includes('.') ? parseV4(part) : undefined
    if (v4 !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = v4
      groups.push((a << 8) | b, (c << 8) | d)
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}
