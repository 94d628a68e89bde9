/** The installation's key ring: made at the first start, kept with mode 0600. */
import { existsSync, linkSync, rmSync, writeFileSync } from 'node:fs'
import { generateKeyRing, type KeyRing, loadKeyRing } from '@tocsin/access'

export async function readOrMakeKeys(file: string): Promise<KeyRing> {
  if (!existsSync(file)) {
    const partial = `${file}.${process.pid}`
    writeFileSync(partial, JSON.stringify(await generateKeyRing()), { mode: 0o600 })
    try {
      linkSync(partial, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(partial)
    }
  }
  return await loadKeyRing(file)
}
