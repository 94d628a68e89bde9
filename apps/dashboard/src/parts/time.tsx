import { useSyncExternalStore } from 'react'

const TICK_MS = 10_000
const UNITS = [
  { ms: 86_400_000, short: 'd', long: 'day' },
  { ms: 3_600_000, short: 'h', long: 'hour' },
  { ms: 60_000, short: 'min', long: 'minute' },
] as const

/** `12 s`, `3 min`, `5 h`, `2 d`: the largest whole unit. */
export function duration(ms: number): string {
  for (const unit of UNITS) if (ms >= unit.ms) return `${Math.floor(ms / unit.ms)} ${unit.short}`
  return `${Math.max(0, Math.floor(ms / 1000))} s`
}

/** A span of a rule in words: `5 min`, `1 h 30 min`, `300 ms`. */
export function span(ms: number): string {
  if (ms < 1000) return `${ms} ms`
  const parts: string[] = []
  let left = ms
  for (const unit of UNITS) {
    const whole = Math.floor(left / unit.ms)
    if (whole > 0) parts.push(`${whole} ${unit.short}`)
    left -= whole * unit.ms
  }
  if (left >= 1000) parts.push(`${Math.floor(left / 1000)} s`)
  return parts.join(' ')
}

let now = Date.now()
const watchers = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined
/** One timer for all ages on the page. */
function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  now = Date.now()
  timer ??= setInterval(() => {
    now = Date.now()
    for (const each of watchers) each()
  }, TICK_MS)
  return () => {
    watchers.delete(watcher)
    if (watchers.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const stamp = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
})

/** How long ago, kept current; the exact time on hovering. */
export function Age({ at }: { readonly at: string }) {
  const present = useSyncExternalStore(watch, () => now)
  return (
    <time dateTime={at} title={exact.format(new Date(at))}>
      {duration(Math.max(0, Math.max(present, Date.now()) - Date.parse(at)))}
    </time>
  )
}

/** Date and time in the reader's zone, to the millisecond. */
export function Moment({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={at}>
      {stamp.format(new Date(at))}
    </time>
  )
}
