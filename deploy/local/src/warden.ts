/**
 * Waits for the end of the launcher that started it, and then ends the processes which that one left: `warden.ts REGISTER [FOLDER]`.
 * A launcher that ends in order kills it before.
 */
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { removeContainers } from './containers.ts'
import { removeOutsidePlace } from './postgres.ts'
import { endLeftovers } from './process-register.ts'

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.once('disconnect', async () => {
  const [register, folder] = process.argv.slice(2)
  if (register) {
    await endLeftovers(register)
    // A daemon that is gone has taken the containers along.
    await removeContainers(dirname(register), { data: folder !== undefined }).catch(() => undefined)
  }
  if (folder) {
    removeOutsidePlace(join(folder, 'postgres'))
    rmSync(folder, { recursive: true, force: true })
  }
  process.exit(0)
})
// A launcher that died before this line was reached tells nothing any more.
if (!process.connected) process.emit('disconnect')
