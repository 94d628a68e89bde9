/**
 * What needs no stack of its own: one for all of it, because a start takes half a minute. The streams come first, since every alert of the topic
 * is compared, and poison on each topic comes last.
 */
import './running/streams.ts'
import './running/path.ts'
import './running/cli.ts'
import './running/bad-input.ts'
import { afterAll } from 'vitest'
import { sharedStack } from '../src/stack.ts'

afterAll(async () => (await sharedStack()).stop())
