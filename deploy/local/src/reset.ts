/** `npm run reset`: removes all state of the local installation; `--all` also the jars and other things that can be fetched again. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { removeContainers } from './containers.ts'
import { readLauncher } from './launcher-lock.ts'
import { CACHE, LOCAL } from './places.ts'
import { removeOutsidePlace } from './postgres.ts'
import { processIdentity } from './process-identity.ts'
import { endLeftovers, readRegister } from './process-register.ts'

const running = readLauncher(join(LOCAL, 'launcher.json'))
if (running) {
  console.error(`Tocsin is running (process ${running.pid}): stop it first, with Ctrl-C where it was started`)
  process.exit(1)
}
if (!existsSync(LOCAL)) {
  console.log('there is no local state')
  process.exit(0)
}
await endLeftovers(join(LOCAL, 'processes.json'))
await removeContainers(LOCAL, { data: true }).catch((error) => {
  console.error(`the containers of this installation could not be removed (is Docker running?): ${error.message}`)
  process.exit(1)
})
const everything = process.argv.includes('--all')
let inUse = 0
for (const name of readdirSync(LOCAL)) {
  const path = join(LOCAL, name)
  if (path === CACHE && !everything) continue
  if (name.startsWith('test-') && hasLivingProcesses(path)) {
    inUse += 1
    continue
  }
  await removeContainers(path, { data: true }).catch(() => undefined)
  removeOutsidePlace(join(path, 'postgres'))
  rmSync(path, { recursive: true, force: true })
}
removeOutsidePlace(join(LOCAL, 'postgres'))
console.log(`removed data, logs and keys under ${LOCAL}${everything ? '' : ' (kept: downloaded jars; --all removes them, too)'}`)
if (inUse > 0) console.log(`left ${inUse} folders of tests that are running`)
for (const name of ['KAFKA_BROKERS', 'DATABASE_URL', 'REDIS_URL']) {
  if (process.env[name]) console.log(`what lies behind ${name} was not touched`)
}

function hasLivingProcesses(folder: string): boolean {
  return Object.values(readRegister(join(folder, 'processes.json'))).some((each) => processIdentity(each.pid) === each.identity)
}
