/** The installation's key ring: made at the first start, kept with mode 0600, completed with what a later release needs. */
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { completeKeyRing, generateKeyRing, type KeyRing, loadKeyRing } from '@tocsin/access'

export async function readOrMakeKeys(file: string): Promise<KeyRing> {
  const partial = `${file}.${process.pid}`
  if (!existsSync(file)) {
    writeFileSync(partial, JSON.stringify(await generateKeyRing()), { mode: 0o600 })
    try {
      linkSync(partial, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(partial)
    }
  } else if (lacksHistory(file)) {
    writeFileSync(partial, JSON.stringify(await completeKeyRing(JSON.parse(readFileSync(file, 'utf8')))), { mode: 0o600 })
    renameSync(partial, file)
  }
  return await loadKeyRing(file)
}

/** True for a file of 0.1; what is damaged is told by loadKeyRing. */
function lacksHistory(file: string): boolean {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return typeof found === 'object' && found !== null && 'tokens' in found && !('history' in found)
  } catch {
    return false
  }
}
