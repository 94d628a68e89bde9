import { messageOf, TocsinError } from '@tocsin/errors'
import { placesOfProcess } from './connection.ts'
import { processOutput } from './output.ts'
import { createProgram } from './program.ts'

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
