/** What nobody has to stop or kill anything for: one stack for all of it, because a start takes half a minute. Poison on each topic comes last. */
import './running/path.ts'
import './running/cli.ts'
import './running/bad-input.ts'
import { afterAll } from 'vitest'
import { sharedStack } from '../src/stack.ts'

afterAll(async () => (await sharedStack()).stop())
