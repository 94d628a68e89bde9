/** Which process a pid means: a pid alone may have been given to somebody else's process since. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * A text that is the same for as long as the process with this pid lives and differs for any later process of that pid
 * (start time; on Linux in clock ticks with the boot's id, elsewhere as `ps` prints it). Undefined when there is none.
 */
export function processIdentity(pid: number): string | undefined {
  if (!isAlive(pid)) return undefined
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The second field, the name, is in parentheses and may hold spaces; the start time is the 20th after it, the state the first.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (fields[0] === 'Z') return undefined
      return `${fields[19]}@${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`
    }
    return execFileSync('ps', ['-p', String(pid), '-o', 'lstart='], { encoding: 'utf8' }).trim() || undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
