/** Vitest's global setup of the projects that need real infrastructure: started for the first of them, ended with the last. */
import { type RunningInfrastructure, startTestInfrastructure } from '@tocsin/local'
import type { TestProject } from 'vitest/node'

interface Shared {
  users: number
  running: Promise<RunningInfrastructure>
}
/** Each project loads this module anew; what they share lives on the process. */
const home = globalThis as { tocsinTestInfrastructure?: Shared | undefined }

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  home.tocsinTestInfrastructure ??= { users: 0, running: startTestInfrastructure() }
  const shared = home.tocsinTestInfrastructure
  shared.users += 1
  const { kafkaBrokers, databaseAdminUrl, redisUrl } = await shared.running
  project.provide('infrastructure', { kafkaBrokers, databaseAdminUrl, redisUrl })
  return async () => {
    shared.users -= 1
    if (shared.users > 0) return
    home.tocsinTestInfrastructure = undefined
    await (await shared.running).stop()
  }
}
