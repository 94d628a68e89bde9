import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { RuleRecord } from '@tocsin/contracts'

const FOLDER = fileURLToPath(new URL('../../../rules/', import.meta.url))

/** The built-in pack as persistence publishes it. */
export function rulePack(): RuleRecord[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .map((name) => {
      const content = readFileSync(`${FOLDER}${name}`, 'utf8')
      const hash = createHash('sha256').update(content).digest('hex')
      return { ruleId: `tocsin.${name.replace('.yml', '')}`, organizationId: null, version: 1, hash, state: 'active', content }
    })
}
