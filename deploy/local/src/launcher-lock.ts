/** One launcher a checkout: the second one learns who the first is. */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { processIdentity } from './process-identity.ts'

export interface Launcher {
  readonly pid: number
  readonly identity: string
  /** Address of the dashboard, once known. */
  readonly url?: string
}

/** Takes the lock for this process, or returns the living launcher that holds it. */
export function takeLauncherLock(file: string): Launcher | undefined {
  const own = `${file}.${process.pid}`
  writeFileSync(own, describe())
  try {
    for (;;) {
      try {
        // Unlike a write, a link appears whole or not at all.
        linkSync(own, file)
        return undefined
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = readLauncher(file)
      if (holder) return holder
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/** The launcher that runs at present, if one does. */
export function readLauncher(file: string): Launcher | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Launcher
    return processIdentity(holder.pid) === holder.identity ? holder : undefined
  } catch {
    return undefined
  }
}

export function announceUrl(file: string, url: string): void {
  writeFileSync(file, describe(url))
}

export function releaseLauncherLock(file: string): void {
  if (readLauncher(file)?.pid === process.pid) rmSync(file, { force: true })
}

function describe(url?: string): string {
  return JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid), ...(url === undefined ? {} : { url }) })
}
