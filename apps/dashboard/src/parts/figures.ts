import { span } from './time.tsx'

/** `1 alert`, `12 alerts`. */
export const alertCount = (count: number): string => `${count.toLocaleString()} ${count === 1 ? 'alert' : 'alerts'}`

export const percent = (share: number): string => `${Math.round(share * 100)} %`

/** Seconds in words; null: there is nothing yet. */
export const seconds = (value: number | null): string => (value === null ? '–' : span(Math.max(1, Math.round(value)) * 1_000))
