import { enableCompileCache } from 'node:module'
import { messageOf, TocsinError } from '@tocsin/errors'

// From the second time on a command starts in half the time; must come before what it is for.
enableCompileCache()
const { placesOfProcess } = await import('./connection.ts')
const { processOutput } = await import('./output.ts')
const { createProgram } = await import('./program.ts')

// Whoever reads our output may go away (`tocsin alerts ls | head`): that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
const program = createProgram(placesOfProcess(), processOutput, (exitCode) => {
  process.exitCode = exitCode
})
try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof TocsinError)) throw error
  process.stderr.write(`tocsin: ${messageOf(error)}\n`)
  process.exitCode = 1
}
