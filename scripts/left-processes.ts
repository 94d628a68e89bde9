/** Finds processes that a test run started and did not end, also those that have lost their parent. */
import { readdirSync, readFileSync } from 'node:fs'

export interface LeftProcess {
  readonly pid: number
  readonly command: string
}

/**
 * Living processes, this one apart, whose environment holds NAME=VALUE: it is handed down to every descendant, unlike a parent's
 * id. Only Linux tells; elsewhere the answer is empty.
 */
export function processesWith(name: string, value: string): LeftProcess[] {
  if (process.platform !== 'linux') return []
  const wanted = `${name}=${value}`
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((entry) => {
      if (!read(`/proc/${entry}/environ`).split('\0').includes(wanted)) return []
      return [{ pid: Number(entry), command: read(`/proc/${entry}/cmdline`).replaceAll('\0', ' ').trim() }]
    })
}

/** '' for a process that has ended meanwhile or belongs to somebody else. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
